"""The first user makes themselves, once, and only by a name that is the hub's own."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.support.runninghub import FAST_COST, running_hub

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"


def test_the_first_user_is_an_administrator_and_the_only_one(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub, httpx2.Client(base_url=hub.url) as client:
        hub.hub.accounts.hasher.cost = FAST_COST
        assert client.get("/api/beszel/first-run").json() == {"firstRun": True}
        body = {"email": EMAIL, "password": PASSWORD}
        assert client.post("/api/beszel/create-user", json=body).json() == {"msg": "User created"}
        assert client.get("/api/beszel/first-run").json() == {"firstRun": False}
        assert client.post("/api/beszel/create-user", json={**body, "email": "eve@example.org"}).status_code == 404
        login = client.post(
            "/api/collections/users/auth-with-password", json={"identity": EMAIL, "password": PASSWORD}
        ).json()
        assert login["record"]["role"] == "admin"
        users = client.get("/api/collections/users/records", headers={"Authorization": login["token"]}).json()
        assert [user["email"] for user in users["items"]] == [EMAIL]


def test_of_several_at_once_one_is_first(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub, ThreadPoolExecutor(8) as pool:
        hub.hub.accounts.hasher.cost = FAST_COST

        def create(number: int) -> int:
            body = {"email": f"user{number}@example.org", "password": PASSWORD}
            return httpx2.post(f"{hub.url}/api/beszel/create-user", json=body).status_code

        assert sorted(pool.map(create, range(8))) == [200] + [404] * 7


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "email"), ({"email": EMAIL}, "password"),
        ({"email": EMAIL, "password": 5}, "password"),
        ({"email": "nobody", "password": PASSWORD}, "email"), ({"email": EMAIL, "password": "short"}, "password"),
    ],
)  # fmt: skip
def test_who_cannot_be_a_user_is_told_why(tmp_path: Path, body: dict[str, object], field: str) -> None:
    with running_hub(tmp_path) as hub:
        hub.hub.accounts.hasher.cost = FAST_COST
        answer = httpx2.post(f"{hub.url}/api/beszel/create-user", json=body)
        assert answer.status_code == 400
        assert answer.json()["data"].keys() == {field}
        assert httpx2.get(f"{hub.url}/api/beszel/first-run").json() == {"firstRun": True}


def test_a_page_that_rebinds_its_name_gets_no_user(tmp_path: Path) -> None:
    headers = {"Host": "evil.example"}
    with running_hub(tmp_path, allowed_hosts=("hub.lan",)) as hub, httpx2.Client(base_url=hub.url) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        assert client.get("/api/beszel/first-run", headers=headers).status_code == 403
        assert client.post("/api/beszel/create-user", json=body, headers=headers).status_code == 403
        assert client.get("/api/beszel/first-run", headers={"Host": "hub.lan:8090"}).json() == {"firstRun": True}


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_cannot_make_a_browser_make_the_first_user(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    with running_hub(tmp_path) as hub, httpx2.Client(base_url=hub.url) as client:
        hub.hub.accounts.hasher.cost = FAST_COST
        body = {"email": EMAIL, "password": PASSWORD}
        assert client.post("/api/beszel/create-user", json=body, headers=headers).status_code == 403
        own = {"Origin": hub.url, "Sec-Fetch-Site": "same-origin"}
        assert client.post("/api/beszel/create-user", json=body, headers=own).status_code == 200
