"""A stand-in for a hub that only feeds a fleet, every row of which changes each second: its work is not counted."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from beszel_protocol.feed import Fleet, FleetRow, Pace, client_decoder, encode

_FEED_PATH: Final = "/api/beszel/feed"


class FeedHub:
    """Made by `feed_hub`; `is_live` may be changed at any time."""

    def __init__(self, systems: int) -> None:
        self.systems = systems
        self.is_live = True
        self.port = 0
        self._random = random.Random(7)  # noqa: S311 (numbers to look at)
        self._sequence = 0
        self._stopped: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, started: threading.Event) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with serve(self._feed, "127.0.0.1", 0, process_request=_only_the_feed, compression=None) as server:
            self.port = _port(server)
            started.set()
            await self._stopped.wait()

    def stop(self) -> None:
        if self._loop is not None and self._stopped is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _feed(self, connection: ServerConnection) -> None:
        await connection.recv()  # what it subscribes to
        pace = Pace(seconds=1)

        async def listen() -> None:
            nonlocal pace
            async for message in connection:
                told = client_decoder.decode(message)
                pace = told if isinstance(told, Pace) else pace

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(listen())
                await self._tell(connection, lambda: pace.seconds)
        except* ConnectionClosed:
            pass

    async def _tell(self, connection: ServerConnection, pace_seconds: Callable[[], int]) -> None:
        passed = 0
        await connection.send(self._frame(), text=True)
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            passed += 1
            if self.is_live and passed >= pace_seconds():
                passed = 0
                await connection.send(self._frame(), text=True)

    def _frame(self) -> bytes:
        """Every row, every number of it another one than before."""
        self._sequence += 1
        now_ms = time.time_ns() // 1_000_000
        rows = [self._row(number, now_ms) for number in range(self.systems)]
        return encode(Fleet(sequence=self._sequence, hub_ms=now_ms, systems=rows))

    def _row(self, number: int, now_ms: int) -> FleetRow:
        pick = self._random.uniform
        return FleetRow(
            id=f"system{number:09}", name=f"host-{number:04}", status="up", host=f"10.0.{number // 250}.{number % 250}",
            updated_ms=now_ms, cpu_percent=pick(5, 60), memory_percent=pick(40, 42), disk_percent=pick(30, 32),
            sent_bytes_per_second=pick(1e5, 9e5), recv_bytes_per_second=pick(1e5, 9e5),
            load_average=[pick(0.5, 3), 1.0, 1.0], temperature_celsius=pick(40, 60), services_total=60,
            uptime_seconds=1e6, cores=8, agent_version="0.1.0", encrypted=True, tags=["prod"],
        )  # fmt: skip


def _only_the_feed(connection: ServerConnection, request: Request) -> Response | None:
    return None if request.path == _FEED_PATH else connection.respond(HTTPStatus.NOT_FOUND, "no history here\n")


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


@contextmanager
def feed_hub(systems: int) -> Iterator[FeedHub]:
    """Serve from a thread until the block ends."""
    hub, started = FeedHub(systems), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(hub.run(started)), daemon=True)
    thread.start()
    if not started.wait(10):
        raise SystemExit("the stand-in for a hub did not start")
    try:
        yield hub
    finally:
        hub.stop()
        thread.join(10)
