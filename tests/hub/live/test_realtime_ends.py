"""When a stream of events ends, over real sockets: with its right, its reader, or for want of news."""

import asyncio
import socket
from collections.abc import Callable

import httpx2
import pytest

from beszel_hub.accounts import queries as account_queries
from beszel_hub.door import connections
from beszel_hub.live import routes
from tests.support.eventstream import event_stream
from tests.support.listeners import SYSTEMS, change, log_in, new_user, request
from tests.support.programs import wait_until
from tests.support.runninghub import RunningHub


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


def test_nothing_happening_ends_a_stream_and_until_then_comments_keep_it(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "KEEP_ALIVE_SECONDS", 0.05)
    monkeypatch.setattr(routes, "IDLE_SECONDS", 0.2)
    with httpx2.stream("GET", f"{hub.url}/api/realtime", timeout=5) as response:
        text = "".join(response.iter_text())
    assert text.startswith("id:")
    assert text.count(": still here\n\n") == 4
