"""How the sending of an export ends: whole, or cut off so that the client can tell; always with its place freed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from beszel_hub.export import routes
from beszel_hub.export.routes import ExportResponse

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Blocks:
    """A stream that tells whether it was closed."""

    def __init__(self, count: int) -> None:
        self.is_closed = False
        self._count = count

    async def stream(self) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(self._count):
                yield b"block %d" % number
                await asyncio.sleep(0.001)
        finally:
            self.is_closed = True


async def stay() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def holds() -> bool:
    return True


def send_all(
    blocks: Blocks,
    *,
    receive: Receive = stay,
    check: Callable[[], Awaitable[bool]] = holds,
    send: Callable[[dict[str, Any]], Awaitable[None]] | None = None,
) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def keep(message: Any) -> None:
        messages.append(message)

    async def run() -> None:
        stream = blocks.stream()
        response = ExportResponse(stream, await anext(stream), check, media_type="text/csv", file_name="x.csv")
        await asyncio.wait_for(response({"type": "http"}, receive, send or keep), 5)  # type: ignore[arg-type]

    asyncio.run(run())
    assert blocks.is_closed
    return messages


def test_a_whole_export_says_that_it_ends() -> None:
    messages = send_all(Blocks(3))
    assert [message.get("body") for message in messages[1:]] == [b"block 0", b"block 1", b"block 2", b""]
    assert [message["more_body"] for message in messages[1:]] == [True, True, True, False]
    assert messages[0]["status"] == 200


def test_a_token_that_no_longer_holds_cuts_the_export_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "ASK_AGAIN_SECONDS", 0.0)
    answers = iter([True, True, False])

    async def check() -> bool:
        return next(answers)

    messages = send_all(Blocks(1000), check=check)
    assert len(messages) == 4
    assert all(message["more_body"] for message in messages[1:])


def test_a_client_that_reads_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "SEND_TIMEOUT_SECONDS", 0.05)

    async def stall(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    send_all(Blocks(10), send=stall)


def test_a_client_that_leaves_is_not_sent_the_rest() -> None:
    async def leave() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    messages = send_all(Blocks(1_000_000), receive=leave)
    assert len(messages) < 1000
    assert all(message["more_body"] for message in messages[1:])


def test_a_failure_on_the_way_comes_out() -> None:
    async def fail() -> AsyncGenerator[bytes, None]:
        yield b"first"
        raise OSError("the disk is gone")

    async def run() -> None:
        stream = fail()
        response = ExportResponse(stream, await anext(stream), holds, media_type="text/csv", file_name="x.csv")

        async def send(_: Any) -> None:
            pass

        await response({"type": "http"}, stay, send)

    with pytest.raises(ExceptionGroup):
        asyncio.run(run())
