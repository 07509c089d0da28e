"""Backups over HTTP: what tokens fetch, what is noted, and how a restore is asked for and taken back."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from beszel_hub.accounts import tokens
from beszel_hub.accounts.queries import find_account
from beszel_hub.backups.restoring import check_backup
from tests.support.backups import needs_file
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

pytestmark = needs_file

KEY = "before-upgrade.zip"
URL = f"/api/backups/{KEY}"


class Site(NamedTuple):
    hub: RunningHub
    admin: httpx2.Client
    user: httpx2.Client

    def actions(self) -> list[str]:
        answer = self.admin.get("/api/collections/audit_log/records", params={"sort": "created", "perPage": 100})
        return [entry["action"] for entry in answer.json()["items"] if entry["action"].startswith("backups.")]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_hub(tmp_path / "data") as hub, ExitStack() as stack:
        clients = []
        for email, role in (("ada@example.org", "admin"), ("uma@example.org", "user")):
            hub.create_user(email, role)  # type: ignore[arg-type]
            client = stack.enter_context(httpx2.Client(base_url=hub.url, timeout=20))
            body = {"identity": email, "password": PASSWORD}
            answer = client.post("/api/collections/users/auth-with-password", json=body)
            client.headers["Authorization"] = answer.json()["token"]
            clients.append(client)
        yield Site(hub, *clients)


def test_one_is_made_fetched_and_deleted(site: Site, tmp_path: Path) -> None:
    assert site.admin.get("/api/backups").json() == []
    assert site.admin.post("/api/backups", json={"name": KEY}).status_code == 204
    (listed,) = site.admin.get("/api/backups").json()
    fetched = site.admin.get(URL)
    assert fetched.headers["content-disposition"] == f'attachment; filename="{KEY}"'
    assert fetched.headers["cache-control"] == "no-store"
    assert listed == {"key": KEY, "size": len(fetched.content), "modified": listed["modified"], "restoring": False}
    (tmp_path / KEY).write_bytes(fetched.content)
    check_backup(tmp_path / KEY)
    part = site.admin.get(URL, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content[:2]) == (206, b"PK")
    assert site.admin.delete(URL).status_code == 204
    assert site.admin.get("/api/backups").json() == []
    assert site.actions() == ["backups.create", "backups.download", "backups.download", "backups.delete"]


def test_a_name_is_made_up_where_none_is_given(site: Site) -> None:
    assert site.admin.post("/api/backups").status_code == 204
    assert site.admin.get("/api/backups").json()[0]["key"].startswith("beszel_backup_20")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("A.zip", "validation_match_invalid"), (7, "validation_match_invalid"),
        ("a" * 150 + ".zip", "validation_length_out_of_range"), (KEY, "validation_backup_name_exists"),
    ],
)  # fmt: skip
def test_names_that_are_refused(site: Site, name: object, code: str) -> None:
    site.admin.post("/api/backups", json={"name": KEY})
    answer = site.admin.post("/api/backups", json={"name": name})
    assert (answer.status_code, answer.json()["data"]["name"]["code"]) == (400, code)


def test_a_token_for_files_fetches_and_does_nothing_else(site: Site) -> None:
    site.admin.post("/api/backups", json={"name": KEY})
    token = site.admin.post("/api/files/token").json()["token"]
    assert httpx2.get(f"{site.hub.url}{URL}", params={"token": token}).status_code == 200
    assert httpx2.get(f"{site.hub.url}/api/backups", headers={"Authorization": token}).status_code == 401
    of_user = site.user.post("/api/files/token").json()["token"]
    assert httpx2.get(f"{site.hub.url}{URL}", params={"token": of_user}).status_code == 403
    login = site.admin.headers["Authorization"]
    assert httpx2.get(f"{site.hub.url}{URL}", params={"token": login}).status_code == 401


def test_a_token_for_files_ends_after_three_minutes(site: Site) -> None:
    site.admin.post("/api/backups", json={"name": KEY})
    claims = tokens.peek(site.admin.post("/api/files/token").json()["token"])
    assert claims is not None
    account = site.hub.hub.database.read_now(lambda: find_account(claims.id))
    assert account is not None
    made_ms = site.hub.hub.clock() - 1000 * tokens.FILE_LIFETIME_SECONDS - 1000
    late = tokens.sign(tokens.file_claims(claims.id, made_ms), site.hub.hub.secret.token_key, account.token_key)
    assert httpx2.get(f"{site.hub.url}{URL}", params={"token": late}).status_code == 401


def test_a_restore_is_asked_for_and_taken_back(site: Site) -> None:
    site.admin.post("/api/backups", json={"name": KEY})
    assert site.admin.post(f"{URL}/restore").status_code == 204
    assert site.admin.get("/api/backups").json()[0]["restoring"] is True
    assert site.admin.delete(URL).status_code == 204
    assert site.hub.call(site.hub.hub.backups.requested()) == ""
    assert site.actions() == ["backups.create", "backups.restore", "backups.delete"]


def test_what_is_damaged_is_not_put_back(site: Site) -> None:
    site.admin.post("/api/backups", json={"name": KEY})
    path = site.hub.hub.config.backups_path / KEY
    path.write_bytes(path.read_bytes()[:-500])
    answer = site.admin.post(f"{URL}/restore")
    assert (answer.status_code, "damaged" in answer.json()["message"]) == (400, True)
    assert site.hub.call(site.hub.hub.backups.requested()) == ""


def test_the_store_is_told(site: Site) -> None:
    told = site.admin.get("/api/beszel/store").json()
    assert list(told["tiers"]) == ["hot", "raw", "1m", "10m", "8h"]
    assert told["file_bytes"] > 0
    assert told["disk_free_bytes"] > 0
    assert told["max_bytes"] is None
