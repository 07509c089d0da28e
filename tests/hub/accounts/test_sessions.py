"""Logins that can be seen and ended, one by one or all at once; and the feeds that end with them."""

import asyncio
from collections.abc import Iterator

import httpx2
import pytest

from beszel_hub.accounts.sessions import MAX_SESSIONS
from beszel_hub.accounts.tables import Session
from beszel_hub.accounts.tokens import LOGIN_LIFETIME_SECONDS
from tests.support.eventstream import event_stream
from tests.support.people import start_over
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

USERS = "/api/collections/users"
SESSIONS = "/api/collections/sessions/records"
TOKENS = "/api/collections/api_tokens/records"


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def hub(shared_hub: RunningHub) -> RunningHub:
    start_over(shared_hub)
    return shared_hub


@pytest.fixture
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, timeout=10) as opened:
        yield opened


def log_in(client: httpx2.Client, name: str = "uma", agent: str = "a test") -> str:
    body = {"identity": name, "password": PASSWORD}
    answer = client.post(f"{USERS}/auth-with-password", json=body, headers={"User-Agent": agent})
    token: str = answer.raise_for_status().json()["token"]
    return token


def is_good(client: httpx2.Client, token: str) -> bool:
    return client.post(f"{USERS}/auth-refresh", headers={"Authorization": token}).status_code == 200


def test_one_login_ends_and_the_other_goes_on(client: httpx2.Client) -> None:
    phone, desk = log_in(client, agent="phone\x1b[2J"), log_in(client, agent="desk")
    headers = {"Authorization": desk}
    listed = client.get(SESSIONS, params={"sort": "created"}, headers=headers).json()["items"]
    by_agent = {session["agent"]: session for session in listed}
    assert set(by_agent) == {"phone[2J", "desk"}
    assert (by_agent["desk"]["current"], by_agent["phone[2J"]["current"]) == (True, False)
    assert client.delete(f"{SESSIONS}/{by_agent['phone[2J']['id']}", headers=headers).status_code == 204
    assert (is_good(client, phone), is_good(client, desk)) == (False, True)


def test_a_login_logs_out(client: httpx2.Client) -> None:
    first, second = log_in(client), log_in(client)
    assert client.post("/api/beszel/log-out", headers={"Authorization": first}).status_code == 204
    assert (is_good(client, first), is_good(client, second)) == (False, True)


def test_everything_ends_at_once(hub: RunningHub, client: httpx2.Client) -> None:
    first, second = log_in(client), log_in(client)
    headers = {"Authorization": first}
    script = client.post(TOKENS, json={"name": "script", "scope": "read"}, headers=headers).json()["token"]
    other = log_in(client, "ada")
    client.post("/api/beszel/log-out", json={"everywhere": True}, headers=headers)
    assert [is_good(client, token) for token in (first, second, script, other)] == [False, False, False, True]


def test_a_stream_ends_with_its_session(hub: RunningHub, client: httpx2.Client) -> None:
    async def run() -> tuple[bool, bool]:
        ended, kept = log_in(client), log_in(client)
        async with (
            event_stream(hub.url, ended, "systems/*") as first,
            event_stream(hub.url, kept, "systems/*") as second,
        ):
            headers = {"Authorization": ended}
            await asyncio.to_thread(client.post, "/api/beszel/log-out", headers=headers)
            return await first.ends(), await second.is_quiet()

    assert asyncio.run(run()) == (True, True)


def test_refreshing_prolongs_the_same_session(hub: RunningHub, client: httpx2.Client) -> None:
    token = log_in(client)
    day_ms = 86_400_000

    def age() -> None:
        Session.update(expires=Session.expires - day_ms, last_used=Session.last_used - day_ms).execute()

    hub.hub.database.write_now(age)
    again = client.post(f"{USERS}/auth-refresh", headers={"Authorization": token}).json()["token"]
    (session,) = hub.hub.database.read_now(lambda: list(Session.select()))
    assert session.expires > hub.hub.clock() + LOGIN_LIFETIME_SECONDS * 1000 - 60_000
    assert is_good(client, again)
    hub.hub.database.write_now(lambda: Session.update(expires=1).execute())
    assert not is_good(client, again)
    hub.call(hub.hub.desk.tidy())
    assert hub.hub.database.read_now(lambda: Session.select().count()) == 0


def test_the_least_used_of_too_many_sessions_goes(hub: RunningHub, client: httpx2.Client) -> None:
    first = log_in(client)

    def fill() -> None:
        template = dict(Session.get().__data__)
        for number in range(MAX_SESSIONS - 1):
            Session.insert({**template, "id": f"filler{number:09}", "last_used": number}).execute()

    hub.hub.database.write_now(fill)
    last = log_in(client)
    assert (is_good(client, first), is_good(client, last)) == (True, True)
    ids = hub.hub.database.read_now(lambda: {row.id for row in Session.select()})
    assert len(ids) == MAX_SESSIONS
    assert "filler000000000" not in ids


def test_api_tokens_are_made_once_and_narrow(hub: RunningHub, client: httpx2.Client) -> None:
    headers = {"Authorization": log_in(client)}
    system_id = client.post("/api/collections/systems/records", json={"name": "web"}, headers=headers).json()["id"]
    body = {"name": "script", "scope": "write", "systems": [system_id], "expires": "2099-01-01 00:00:00.000Z"}
    made = client.post(TOKENS, json=body, headers=headers).json()
    assert (made["name"], made["scope"], made["systems"]) == ("script", "write", [system_id])
    assert made["token"].startswith("ey")
    assert "token" not in client.get(f"{TOKENS}/{made['id']}", headers=headers).json()
    scripted = {"Authorization": made["token"]}
    assert client.get("/api/collections/systems/records", headers=scripted).json()["totalItems"] == 1
    assert client.post(TOKENS, json=body, headers=scripted).status_code == 400, "a token makes no other"
    assert client.get(SESSIONS, headers=scripted).json()["items"] == []
    for wrong in ({"scope": "full"}, {"expires": "2001-01-01"}, {"name": ""}):
        assert client.post(TOKENS, json={**body, **wrong}, headers=headers).status_code == 400
    assert client.delete(f"{TOKENS}/{made['id']}", headers=headers).status_code == 204
    assert not is_good(client, made["token"])


def test_a_superuser_is_an_administrator_by_another_name(client: httpx2.Client) -> None:
    body = {"identity": "ada", "password": PASSWORD}
    old = client.post("/api/admins/auth-with-password", json=body).json()
    assert set(old) == {"token", "admin"}
    headers = {"Authorization": old["token"]}
    assert old["admin"]["collectionName"] == "_superusers"
    assert client.get(f"{USERS}/records", headers=headers).json()["totalItems"] == 2
    assert client.post("/api/collections/_superusers/auth-refresh", headers=headers).status_code == 200
    assert client.post(f"{USERS}/auth-refresh", headers=headers).status_code == 403
