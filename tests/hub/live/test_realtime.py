"""The event stream over real sockets: who hears what, and when that ends."""

import asyncio
import itertools
import socket
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from beszel_hub.accounts import queries as account_queries
from beszel_hub.door import connections
from beszel_hub.live import realtime, routes, streams
from beszel_hub.systems import queries
from tests.support.bareagent import LinkAgent
from tests.support.eventstream import event_stream, with_options
from tests.support.programs import wait_until
from tests.support.runninghub import PASSWORD, RunningHub

SYSTEMS = "/api/collections/systems/records"
numbers = itertools.count(1)


def new_user(hub: RunningHub, role: Any = "user") -> tuple[str, str]:
    """A user's id and a login of theirs."""
    email = f"listener{next(numbers)}@example.org"
    user_id = hub.create_user(email, role)
    hub.refresh()
    return user_id, log_in(hub, email)


def log_in(hub: RunningHub, email: str) -> str:
    body = {"identity": email, "password": PASSWORD}
    token: str = httpx2.post(f"{hub.url}/api/collections/users/auth-with-password", json=body).json()["token"]
    return token


async def request(hub: RunningHub, method: str, path: str, token: str, body: object = None) -> Any:
    async with httpx2.AsyncClient(base_url=hub.url) as client:
        answer = await client.request(method, path, json=body, headers={"Authorization": token})
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


async def change(hub: RunningHub, write: Callable[[], object]) -> None:
    """Write past the hub, as the command line does, and let the hub see it."""
    await asyncio.to_thread(hub.hub.database.write_now, write)
    await asyncio.to_thread(hub.refresh)


def test_the_life_of_a_record(hub: RunningHub) -> None:
    _, token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            made = await request(hub, "POST", SYSTEMS, token, {"name": "nas", "host": "192.0.2.9"})
            event = await stream.receive()
            assert (event.id, event.name) == (stream.client_id, "systems/*")
            assert event.data == {"action": "create", "record": made}
            await request(hub, "PATCH", f"{SYSTEMS}/{made['id']}", token, {"port": "1"})
            event = await stream.receive()
            assert (event.data["action"], event.data["record"]["port"]) == ("update", "1")
            await request(hub, "DELETE", f"{SYSTEMS}/{made['id']}", token)
            event = await stream.receive()
            assert (event.data["action"], event.data["record"]["name"]) == ("delete", "nas")
            assert await stream.is_quiet()

    asyncio.run(run())


def test_events_of_one_record_and_in_the_way_that_was_asked_for(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    first, _ = hub.create_system("first", user_id)
    second, _ = hub.create_system("second", user_id)
    filtered = with_options("systems/*", filter="name ~ 'x'", fields="name,expand.users.id", expand="users")

    async def run() -> None:
        async with event_stream(hub.url, token, f"systems/{first}", filtered, "2hz5ncl8tizk5nx/*") as stream:
            await request(hub, "PATCH", f"{SYSTEMS}/{second}", token, {"name": "second x"})
            events = {event.name: event.data["record"] for event in [await stream.receive(), await stream.receive()]}
            assert events.keys() == {filtered, "2hz5ncl8tizk5nx/*"}
            assert events[filtered] == {"name": "second x", "expand": {"users": [{"id": user_id}]}}
            await request(hub, "PATCH", f"{SYSTEMS}/{first}", token, {"tags": ["a"]})
            names = {(await stream.receive()).name, (await stream.receive()).name}
            assert names == {f"systems/{first}", "2hz5ncl8tizk5nx/*"}
            assert await stream.is_quiet()

    asyncio.run(run())


def test_nobody_hears_of_what_is_not_theirs(hub: RunningHub) -> None:
    mine, my_token = new_user(hub)
    other, other_token = new_user(hub)
    _, admin_token = new_user(hub, "admin")
    hidden, _ = hub.create_system("hidden", other)
    shown, _ = hub.create_system("shown", mine, other)

    async def run() -> None:
        topics = [
            "systems/*",
            f"systems/{hidden}",
            "users/*",
            "api_tokens/*",
            with_options("rt_metrics", system=hidden),
        ]
        async with (
            event_stream(hub.url, my_token, *topics) as stream,
            event_stream(hub.url, None, *topics) as guest,
            event_stream(hub.url, admin_token, "systems/*") as admin,
        ):
            await request(hub, "PATCH", f"{SYSTEMS}/{hidden}", other_token, {"port": "9"})
            assert (await admin.receive()).data["action"] == "update"
            await request(hub, "PATCH", f"/api/collections/users/records/{other}", other_token, {"username": "someone"})
            await request(hub, "DELETE", f"{SYSTEMS}/{hidden}", other_token)
            await request(hub, "PATCH", f"{SYSTEMS}/{shown}", other_token, {"port": "9"})
            assert (await stream.receive()).data["record"]["id"] == shown
            assert await stream.is_quiet()
            assert await guest.is_quiet(0.1)
            assert {(await admin.receive()).data["action"] for _ in range(2)} == {"delete", "update"}

    asyncio.run(run())


def test_the_hubs_own_changes_are_told_too(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("streaming", user_id)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            async with LinkAgent(hub.link_url, agent_token).enrolled() as agent:
                await agent.send(agent.agent.sample(1, cpu_percent=42.0))
                while (event := await stream.receive()).data["record"]["status"] != "up":
                    assert event.data["action"] == "update"
            new_id = await asyncio.to_thread(
                hub.hub.database.write_now, lambda: queries.insert_system(name="by hand", now_ms=0, members=[user_id])
            )
            await asyncio.to_thread(hub.refresh)
            while (event := await stream.receive()).data["record"]["id"] != new_id:
                assert event.data["record"]["id"] == system_id
            assert event.data["action"] == "create"

    asyncio.run(run())


def test_samples_come_every_time_the_agent_sends_one(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    system_id, agent_token = hub.create_system("watched", user_id)
    topic = with_options("rt_metrics", system=system_id)

    async def run() -> None:
        async with LinkAgent(hub.link_url, agent_token).enrolled() as agent:
            async with event_stream(hub.url, token, topic) as stream:
                await agent.send(agent.agent.sample(1, cpu_percent=42.0))
                event = await stream.receive()
                assert (event.name, event.data["stats"]["cpu"], event.data["info"]["cpu"]) == (topic, 42.0, 42.0)
                assert event.data["container"] == []
                assert hub.hub.realtime.watched == {system_id}
                await change(hub, lambda: queries.set_members(system_id, []))
                assert await stream.ends()
            assert hub.hub.realtime.watched == frozenset()

    asyncio.run(run())


def test_a_stream_ends_with_a_membership(hub: RunningHub) -> None:
    user_id, token = new_user(hub)
    kept, token_of_other = new_user(hub)
    system_id, _ = hub.create_system("shared", user_id, kept)

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "systems/*") as stream,
            event_stream(hub.url, token_of_other, "systems/*") as other,
        ):
            await request(hub, "PATCH", f"{SYSTEMS}/{system_id}", token_of_other, {"users": [kept]})
            assert await stream.ends()
            assert (await other.receive()).data["record"]["users"] == [kept]

    asyncio.run(run())


def _lose_role(user_id: str) -> None:
    account_queries.update_user(user_id, {"role": "readonly"}, 0)


@pytest.mark.parametrize("lose", [account_queries.end_tokens, account_queries.delete_user, _lose_role])
@pytest.mark.parametrize("header", [True, False])
def test_a_stream_ends_with_its_token(hub: RunningHub, lose: Callable[[str], object], header: bool) -> None:
    user_id, token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*", header=header) as stream:
            await change(hub, lambda: lose(user_id))
            assert await stream.ends()

    asyncio.run(run())


def test_a_stream_ends_when_its_login_logs_out_and_others_go_on(hub: RunningHub) -> None:
    hub.create_user("twice@example.org")
    token, other_token = log_in(hub, "twice@example.org"), log_in(hub, "twice@example.org")

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "systems/*") as stream,
            event_stream(hub.url, other_token, "systems/*") as other,
        ):
            await request(hub, "POST", "/api/beszel/log-out", token)
            assert await stream.ends()
            assert await other.is_quiet(0.1)
            await request(hub, "POST", "/api/beszel/log-out", other_token, {"everywhere": True})
            assert await other.ends()

    asyncio.run(run())


def test_an_event_for_one_client_reaches_only_that(hub: RunningHub) -> None:
    """As somebody who signs in at a provider is waited for."""

    async def send(client_id: str, topic: str) -> bool:
        return hub.hub.realtime.send(client_id, topic, {"code": "c"})

    async def run() -> None:
        async with event_stream(hub.url, None, "@oauth2") as stream, event_stream(hub.url, None, "@oauth2") as other:
            assert not await asyncio.to_thread(hub.call, send(stream.client_id, "systems/*"))
            assert not await asyncio.to_thread(hub.call, send("nobody", "@oauth2"))
            assert await asyncio.to_thread(hub.call, send(stream.client_id, "@oauth2"))
            event = await stream.receive()
            assert (event.name, event.data) == ("@oauth2", {"code": "c"})
            assert await other.is_quiet(0.1)

    asyncio.run(run())


def test_a_stream_ends_with_its_api_token_only(hub: RunningHub) -> None:
    user_id, login = new_user(hub)
    token = hub.create_token(user_id)
    hub.refresh()

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "systems/*") as stream,
            event_stream(hub.url, login, "systems/*") as other,
        ):
            (row,) = await asyncio.to_thread(
                hub.hub.database.read_now, lambda: account_queries.list_api_tokens(user_id)
            )
            await request(hub, "DELETE", f"/api/collections/api_tokens/records/{row.id}", login)
            assert await stream.ends()
            assert await other.is_quiet(0.1)

    asyncio.run(run())


def test_what_one_user_may_listen_to_is_counted_over_all_streams(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "MAX_SUBSCRIPTIONS_OF_USER", 5)
    _, token = new_user(hub)
    _, other_token = new_user(hub)

    async def run() -> None:
        async with (
            event_stream(hub.url, token, "systems/*", "alerts/*", "users/*") as first,
            event_stream(hub.url, token) as second,
            event_stream(hub.url, other_token) as other,
        ):
            wanted = [f"systems/{number:015d}" for number in range(3)]
            assert (await second.subscribe(*wanted)).status_code == 429
            assert (await other.subscribe(*wanted)).status_code == 204
            assert (await first.subscribe("systems/*")).status_code == 204
            assert (await second.subscribe(*wanted)).status_code == 204

    asyncio.run(run())


def test_whose_stream_it_is_does_not_change(hub: RunningHub) -> None:
    _, token = new_user(hub)
    _, other_token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            for shown in (other_token, "garbage"):
                answer = await stream.subscribe("systems/*", token=shown)
                assert answer.status_code == answer.json()["status"] == 403
            assert (await stream.subscribe()).status_code == 204
            await request(hub, "POST", SYSTEMS, token, {"name": "unheard", "host": "h"})
            assert await stream.is_quiet()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"clientId": ""}, 400), ({"clientId": 5}, 400), ({"clientId": "x" * 300}, 404),
        ({"clientId": "nobody", "subscriptions": ["systems/*"]}, 404),
    ],
)  # fmt: skip
def test_unknown_clients(hub: RunningHub, body: object, status: int) -> None:
    answer = httpx2.post(f"{hub.url}/api/realtime", json=body)
    assert answer.status_code == answer.json()["status"] == status


@pytest.mark.parametrize(
    "topics",
    [
        ["x" * 2501], ["systems/*\ndata:forged"], ["systems/*\rid:x"], [""], [5], ["a\u2028b"], ["a"] * 0 + [None],
        ["systems/*?options={"], ["systems/*?options=[]"], ["systems/*?" + "a=1&" * 20],
        [with_options("systems/*", filter="nope = 1")], [with_options("systems/*", filter="users.email ~ 'x'")],
        [with_options("users/*", filter="password_hash ~ 'x'")], [f"systems/{number}" for number in range(201)],
        {"a": 1}, 7,
    ],
)  # fmt: skip
def test_subscriptions_that_cannot_be(hub: RunningHub, topics: Any) -> None:
    _, token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, token, "systems/*") as stream:
            body = {"clientId": stream.client_id, "subscriptions": topics}
            answer = await stream.client.post("/api/realtime", json=body, headers={"Authorization": token})
            assert answer.status_code == answer.json()["status"] == 400

    asyncio.run(run())


def test_too_many_subscriptions_are_counted_before_they_are_read(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with event_stream(hub.url, "") as stream:
            monkeypatch.setattr(realtime, "parse_subscription", _fail)
            body = {"clientId": stream.client_id, "subscriptions": [f"users/{number}" for number in range(201)]}
            answer = await stream.client.post("/api/realtime", json=body)
            assert answer.json()["data"]["subscriptions"]["code"] == "validation_length_too_long"

    asyncio.run(run())


def _fail(_: str) -> None:
    raise AssertionError("a subscription was read")


def test_guests_are_not_asked_about_when_records_change(hub: RunningHub) -> None:
    async def run() -> None:
        async with event_stream(hub.url, "", "systems/*"):
            assert ("systems", "*") not in hub.hub.realtime._listeners

    asyncio.run(run())


def test_web_pages_of_other_origins_get_no_stream(hub: RunningHub) -> None:
    answer = httpx2.get(f"{hub.url}/api/realtime", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert httpx2.head(f"{hub.url}/api/realtime").status_code == 200


def test_streams_that_ended_leave_nothing_behind(hub: RunningHub) -> None:
    _, token = new_user(hub)

    async def run() -> None:
        for _ in range(5):
            async with event_stream(hub.url, token, "systems/*"):
                pass
        async with asyncio.timeout(5):
            while len(hub.hub.realtime.streams):  # noqa: ASYNC110 - what is waited for is another thread's
                await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_client_that_does_not_read_is_let_go(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALL_SECONDS", 0.3)
    _, token = new_user(hub)

    async def fill() -> bool:
        """Whether the stream has ended by more than anybody holds."""
        (stream,) = hub.hub.realtime.streams
        for _ in range(300):
            stream.send("x", "x" * 100_000)
            await asyncio.sleep(0)
        return stream.queue.is_ended

    with socket.create_connection(("127.0.0.1", hub.port)) as client:
        client.sendall(f"GET /api/realtime HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        wait_until("the stream is there", lambda: len(hub.hub.realtime.streams) == 1)
        assert hub.call(fill())
        wait_until("the stream is gone", lambda: len(hub.hub.realtime.streams) == 0)


def test_guests_of_one_address_are_not_without_number(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_GUESTS_OF_ADDRESS", 2)
    _, token = new_user(hub)

    async def run() -> None:
        async with event_stream(hub.url, None), event_stream(hub.url, None):
            answer = httpx2.get(f"{hub.url}/api/realtime")
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
            async with event_stream(hub.url, token, header=True):
                pass

    asyncio.run(run())


def test_nothing_happening_ends_a_stream_and_until_then_comments_keep_it(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "KEEP_ALIVE_SECONDS", 0.05)
    monkeypatch.setattr(routes, "IDLE_SECONDS", 0.2)
    with httpx2.stream("GET", f"{hub.url}/api/realtime", timeout=5) as response:
        text = "".join(response.iter_text())
    assert text.startswith("id:")
    assert text.count(": still here\n\n") == 4
