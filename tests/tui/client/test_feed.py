"""The feed against a real WebSocket server that does what a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from beszel_protocol.feed import (
    ClientFrame,
    Fleet,
    Pace,
    Resync,
    Subscribe,
    SystemSample,
    Unsubscribe,
    client_decoder,
    encode,
)
from beszel_protocol.sample import CpuMetrics, Metrics
from beszel_tui.client.feed import FEED_PATH, Feed, feed_url
from beszel_tui.state.events import Connected, Disconnected, FeedEvent, Received, Refused
from tests.support.scriptedsource import make_row

Handler = Callable[[ServerConnection], Awaitable[None]]
LIMIT_SECONDS = 5.0


class Hub:
    """Sees who connects; refuses or talks as the test wants."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self.handler = handler
        self.port = port
        self.paths: list[str] = []
        self.tokens: list[str | None] = []
        self.refuse_with: HTTPStatus | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Hub"]:
        async with serve(self.handler, "127.0.0.1", self.port, process_request=self._look) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _look(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        self.tokens.append(request.headers.get("Authorization"))
        return connection.respond(self.refuse_with, "no") if self.refuse_with else None


async def next_event(feed: Feed) -> FeedEvent:
    async with asyncio.timeout(LIMIT_SECONDS):
        return await feed.events.get()


@contextlib.asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[Feed]:
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def receive(connection: ServerConnection) -> ClientFrame:
    async with asyncio.timeout(LIMIT_SECONDS):
        frame: ClientFrame = client_decoder.decode(await connection.recv())
    return frame


async def send_fleet(connection: ServerConnection, *names: str) -> None:
    rows = [make_row(name) for name in names]
    await connection.send(encode(Fleet(sequence=1, hub_ms=1, systems=rows)), text=True)


async def wait_closed(connection: ServerConnection) -> None:
    await connection.wait_closed()


@pytest.mark.parametrize(
    ("hub", "url"),
    [
        ("http://hub:8090", f"ws://hub:8090{FEED_PATH}"),
        ("https://hub.example.net", f"wss://hub.example.net{FEED_PATH}"),
        ("https://example.net/beszel", f"wss://example.net/beszel{FEED_PATH}"),
    ],
)
def test_where_the_feed_is(hub: str, url: str) -> None:
    assert feed_url(hub) == url


def test_connected_with_the_first_frame_and_the_token_in_the_header() -> None:
    async def talk(connection: ServerConnection) -> None:
        assert await receive(connection) == Subscribe(topics=["fleet", "alerts"])
        await send_fleet(connection, "web-1")
        await wait_closed(connection)

    async def main() -> None:
        async with Hub(talk).running() as hub, running(Feed(hub.url, "secret", lambda: 77)) as feed:
            assert await next_event(feed) == Connected(at_ms=77)
            received = await next_event(feed)
            assert isinstance(received, Received)
            assert isinstance(received.frame, Fleet)
            assert received.frame.systems[0].name == "web-1"
            assert hub.tokens == ["Bearer secret"]
            assert hub.paths == [FEED_PATH]

    asyncio.run(main())


def test_it_reconnects_and_subscribes_to_the_same_again() -> None:
    subscribed: list[ClientFrame] = []

    async def talk(connection: ServerConnection) -> None:
        subscribed.append(await receive(connection))
        await send_fleet(connection, "web-1")
        if len(subscribed) == 1:
            await connection.close(1012)
        await wait_closed(connection)

    async def main() -> None:
        async with Hub(talk).running() as hub:
            feed = Feed(hub.url, "secret")
            feed.watch("abc")
            async with running(feed):
                events = [await next_event(feed) for _ in range(5)]
        assert [type(event) for event in events] == [Connected, Received, Disconnected, Connected, Received]
        assert isinstance(events[2], Disconnected)
        assert events[2].reason == "the hub is restarting"
        assert events[2].retry_at_ms > events[2].at_ms
        assert subscribed == [Subscribe(topics=["fleet", "alerts", "system:abc"])] * 2

    asyncio.run(main())


def test_a_pace_survives_a_reconnect() -> None:
    heard: list[ClientFrame] = []

    async def talk(connection: ServerConnection) -> None:
        heard.append(await receive(connection))
        await send_fleet(connection, "web-1")
        heard.append(await receive(connection))
        await connection.close(1012)

    async def main() -> None:
        async with Hub(talk).running() as hub, running(Feed(hub.url, "secret")) as feed:
            await next_event(feed)
            feed.pace(7)
            while len(heard) < 4:
                await next_event(feed)
        assert heard == [Subscribe(topics=["fleet", "alerts"]), Pace(seconds=7)] * 2

    asyncio.run(main())


def test_watching_changes_the_subscription() -> None:
    heard: list[ClientFrame] = []

    async def talk(connection: ServerConnection) -> None:
        await receive(connection)
        await send_fleet(connection, "web-1")
        heard.extend([await receive(connection) for _ in range(4)])
        await connection.close()

    async def main() -> None:
        async with Hub(talk).running() as hub, running(Feed(hub.url, "secret")) as feed:
            await next_event(feed)
            feed.watch("a")
            feed.watch("b")
            feed.watch("b")
            feed.watch(None)
            while not isinstance(await next_event(feed), Disconnected):
                pass
        assert heard == [
            Subscribe(topics=["system:a"]),
            Unsubscribe(topics=["system:a"]),
            Subscribe(topics=["system:b"]),
            Unsubscribe(topics=["system:b"]),
        ]

    asyncio.run(main())


def test_a_resync_is_answered_by_subscribing_anew() -> None:
    heard: list[ClientFrame] = []

    async def talk(connection: ServerConnection) -> None:
        await receive(connection)
        await connection.send(encode(Resync(sequence=9, topics=["fleet"])), text=True)
        heard.extend([await receive(connection), await receive(connection)])
        await send_fleet(connection, "web-1")
        await wait_closed(connection)

    async def main() -> None:
        async with Hub(talk).running() as hub, running(Feed(hub.url, "secret")) as feed:
            events = [await next_event(feed) for _ in range(3)]
        assert heard == [Unsubscribe(topics=["fleet"]), Subscribe(topics=["fleet"])]
        assert isinstance(events[1], Received)
        assert isinstance(events[1].frame, Resync)

    asyncio.run(main())


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
def test_a_token_refused_at_the_door_is_final(status: HTTPStatus) -> None:
    async def main() -> None:
        hub = Hub(wait_closed)
        hub.refuse_with = status
        async with hub.running():
            feed = Feed(hub.url, "secret")
            async with asyncio.timeout(LIMIT_SECONDS):
                await feed.run()
            assert isinstance(await next_event(feed), Refused)
            assert len(hub.paths) == 1

    asyncio.run(main())


@pytest.mark.parametrize("code", [4401, 1008])
def test_a_session_that_ends_is_final_and_never_looks_live(code: int) -> None:
    async def talk(connection: ServerConnection) -> None:
        error = msgspec.json.encode({"type": "error", "sequence": 1, "code": "unauthorized", "message": "no"})
        await connection.send(error, text=True)
        await connection.close(code, "this needs a valid token")

    async def main() -> None:
        async with Hub(talk).running() as hub:
            feed = Feed(hub.url, "secret")
            async with asyncio.timeout(LIMIT_SECONDS):
                await feed.run()
            event = await next_event(feed)
            assert isinstance(event, Refused)
            assert event.reason == "this needs a valid token"

    asyncio.run(main())


def test_no_hub_is_said_in_plain_words() -> None:
    async def main() -> None:
        async with Hub(wait_closed).running() as hub:
            port = hub.port
        async with running(Feed(f"http://127.0.0.1:{port}", "secret")) as feed:
            event = await next_event(feed)
            assert isinstance(event, Disconnected)
            assert event.reason == "connection refused"

    asyncio.run(main())


def test_something_else_than_a_hub() -> None:
    async def main() -> None:
        hub = Hub(wait_closed)
        hub.refuse_with = HTTPStatus.NOT_FOUND
        async with hub.running(), running(Feed(hub.url, "secret")) as feed:
            event = await next_event(feed)
            assert isinstance(event, Disconnected)
            assert event.reason == "the hub answers 404"

    asyncio.run(main())


def test_retry_now_does_not_wait() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(1012)

    async def main() -> None:
        async with Hub(talk).running() as hub, running(Feed(hub.url, "secret")) as feed:
            for attempt in range(1, 8):
                assert isinstance(await next_event(feed), Disconnected)
                assert len(hub.paths) == attempt
                await asyncio.sleep(0)
                feed.retry_now()

    asyncio.run(main())


def test_garbage_and_frames_of_a_newer_hub_are_passed_over() -> None:
    async def talk(connection: ServerConnection) -> None:
        await receive(connection)
        for frame in ("{}", "not json", '{"type":"alerts","sequence":4}', '{"type":"fleet","sequence":"x"}'):
            await connection.send(frame)
        await send_fleet(connection, "web-1")
        await wait_closed(connection)

    async def main() -> None:
        async with Hub(talk).running() as hub, running(Feed(hub.url, "secret")) as feed:
            assert isinstance(await next_event(feed), Connected)
            assert isinstance(await next_event(feed), Received)

    asyncio.run(main())


def test_names_are_cleaned_before_anything_sees_them() -> None:
    async def talk(connection: ServerConnection) -> None:
        await receive(connection)
        row = make_row("web\x1b[2J\u202e-1", tags=["\x07beep"])
        metrics = Metrics(cpu=CpuMetrics(usage_percent=4e9))
        await connection.send(encode(Fleet(sequence=1, hub_ms=1, systems=[row])), text=True)
        sample = SystemSample(sequence=2, system="a", timestamp="2026-11-22T10:30:00.000Z", metrics=metrics)
        await connection.send(encode(sample), text=True)
        await wait_closed(connection)

    async def main() -> None:
        async with Hub(talk).running() as hub, running(Feed(hub.url, "secret")) as feed:
            await next_event(feed)
            fleet, sample = await next_event(feed), await next_event(feed)
        assert isinstance(fleet, Received)
        assert isinstance(fleet.frame, Fleet)
        assert fleet.frame.systems[0].name == "web[2J-1"
        assert fleet.frame.systems[0].tags == ["beep"]
        assert isinstance(sample, Received)
        assert isinstance(sample.frame, SystemSample)
        assert sample.frame.metrics.cpu == CpuMetrics()

    asyncio.run(main())
