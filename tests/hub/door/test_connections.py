"""Connections that are slow on purpose end; those that are only slow do not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from beszel_hub.door import connections
from beszel_hub.door.connections import PatientHttpProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE_BYTES = 30 << 20


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """As many bytes as the path says, once the body is here."""
    while (await receive())["more_body"]:
        pass
    length = int(scope["path"][1:] or 2)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % length)]})
    await send({"type": "http.response.body", "body": b"x" * length})


@asynccontextmanager
async def server() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of this protocol."""
    config = uvicorn.Config(answer, lifespan="off", log_config=None, timeout_keep_alive=1)
    config.load()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: PatientHttpProtocol(config, ServerState(), {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.sockets[0].getsockname()[1])
    try:
        async with asyncio.timeout(20):
            yield reader, writer
    finally:
        writer.close()
        listening.close()


async def ends(reader: asyncio.StreamReader) -> bool:
    """Whether the connection ends without another byte."""
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(connections, "STALL_SECONDS", 0.3)


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_come_is_not_awaited(sent: bytes) -> None:
    async def run() -> None:
        async with server() as (reader, writer):
            writer.write(sent)
            assert await ends(reader)

    asyncio.run(run())


def test_a_head_that_comes_drop_by_drop_is_not_awaited_either() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in HEAD[:-2] + b"X: " + b"x" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    async def run() -> None:
        async with server() as (reader, writer):
            dripping = asyncio.create_task(drip(writer))
            assert await ends(reader)
            dripping.cancel()

    asyncio.run(run())


def test_every_request_of_a_connection_has_its_time() -> None:
    async def run() -> None:
        async with server() as (reader, writer):
            for _ in range(5):
                await asyncio.sleep(0.1)
                writer.write(HEAD)
                assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
            writer.write(HEAD[:10])
            assert await ends(reader)

    asyncio.run(run())


def test_a_body_may_take_longer_than_a_head() -> None:
    async def run() -> None:
        async with server() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
            for byte in b"body":
                await asyncio.sleep(0.1)
                writer.write(bytes([byte]))
            assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")

    asyncio.run(run())


def test_an_answer_that_nobody_reads_is_dropped() -> None:
    async def run() -> None:
        async with server() as (reader, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % LARGE_BYTES)
            await asyncio.sleep(2)
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(LARGE_BYTES)

    asyncio.run(run())


def test_a_slow_reader_gets_everything() -> None:
    async def run() -> None:
        async with server() as (reader, writer):
            writer.write(b"GET /%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % LARGE_BYTES)
            received = 0
            while data := await reader.read(1 << 20):
                received += len(data)
                await asyncio.sleep(0.02)
            assert received > LARGE_BYTES

    asyncio.run(run())
