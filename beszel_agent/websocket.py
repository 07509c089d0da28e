"""The agent's end of a WebSocket: websockets' protocol without I/O, straight on a transport of asyncio.

Between the socket and who takes what comes there is neither a task nor a future: each would wake once a sample, and
that is what this agent costs most. Nothing is read that nobody has room for.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, cast

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import enable_client_permessage_deflate
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from beszel_agent.lowwater import LowWaterMark
from beszel_agent.ticks import next_tick
from beszel_protocol.messages import (
    HANDSHAKE_TIMEOUT_SECONDS,
    MAX_FRAME_BYTES,
    PING_INTERVAL_SECONDS,
    PONG_TIMEOUT_SECONDS,
)
from beszel_protocol.version import LINK_SUBPROTOCOL, VERSION

if TYPE_CHECKING:
    import ssl

_CLOSE_SECONDS: Final = 0.5
_MAX_WAITING_MESSAGES: Final = 16
_MAX_UNSENT_BYTES: Final = 32 << 10
_SLICE_BYTES: Final = 1 << 10
"""Parsed at a time, as deflate makes at most about a megabyte of these."""
_READ_BYTES: Final = 64 << 10
_PING_BYTES: Final = 4
_NEXT_ADDRESS_SECONDS: Final = 0.25
"""With an address that does not answer before another one of the hub is tried too (RFC 8305 §5): where IPv6 leads
nowhere, the first would use up all the time there is."""


class WebSocket(asyncio.Protocol):
    """One connection, made by `dialled`."""

    def __init__(self, protocol: ClientProtocol) -> None:
        self.takes: Callable[[bytes], bool] = _takes_nothing
        """Offered each message that no other one waits before; True if that was all there is to do about it."""
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._unparsed = bytearray()
        self._fragments = bytearray()
        self._messages: deque[bytes] = deque()
        self._has_news = asyncio.Event()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._late_pongs: list[bytes] = []
        """For a peer that pings and does not read."""
        self._ping: bytes | None = None
        """The last one, until it is answered."""
        self._pinged_at = 0.0
        self._next_ping: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        """Goes off when closing takes too long."""
        self._doze_soon: asyncio.Handle | None = None

    @property
    def subprotocol(self) -> str | None:
        return self._protocol.subprotocol

    async def receive(self) -> bytes:
        """The next message, text or binary. Raise ConnectionClosed once there are no more."""
        while not self._messages:
            if self._lost.done():
                raise self._protocol.close_exc
            self._has_news.clear()
            await self._has_news.wait()
        message = self._messages.popleft()
        if self._unparsed:
            self._parse()
            self._balance()
        return message

    def push(self, message: bytes) -> bool:
        """Send text without waiting for room; False, and nothing is sent, if the connection closes."""
        if self._protocol.state is not State.OPEN:
            return False
        self._protocol.send_text(message)
        self._flush()
        return True

    async def send(self, message: bytes) -> None:
        """Send text, and wait until there is room for more. Raise ConnectionClosed if nothing can be sent any more."""
        is_sent = self.push(message)
        if is_sent:
            await self._can_write.wait()
        if self._lost.done() or not is_sent:
            await asyncio.shield(self._lost)
            raise self._protocol.close_exc

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Say why, and wait a moment for the peer's answer. Never raises."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()
        await asyncio.shield(self._lost)

    # How little wakes

    def read_waiting(self) -> None:
        """Read now, or in the next turn of the loop, what was too little to wake anybody."""
        if not self._mark.is_raised or self._unparsed or self._transport.is_closing():
            return
        if self._is_encrypted:
            self._mark.lower()
            return
        try:
            data = os.read(self._transport.get_extra_info("socket").fileno(), _READ_BYTES)
        except OSError:  # nothing there, or the transport will find out what is wrong
            return
        self._take(data)

    def doze(self, waiting_bytes: int) -> None:
        """Let no less than so much wake the process until it does, or until `attend`."""
        if not self._mark.can_move or self._doze_soon is not None or self._protocol.state is not State.OPEN:
            return
        if self._is_encrypted and not self._mark.is_raised:
            # What `read_waiting` has uncovered is read at the end of the next turn.
            self._doze_soon = self._loop.call_soon(self._doze_later, waiting_bytes)
        else:
            self._mark.raise_to(waiting_bytes)

    def attend(self) -> None:
        """Let everything wake the process at once."""
        self._mark.lower()
        if self._doze_soon is not None:
            self._doze_soon.cancel()
            self._doze_soon = None

    def _doze_later(self, waiting_bytes: int) -> None:
        self._doze_soon = self._loop.call_soon(self._doze_now, waiting_bytes)

    def _doze_now(self, waiting_bytes: int) -> None:
        self._doze_soon = None
        if not self._transport.is_closing():
            self._mark.raise_to(waiting_bytes)

    # Opening

    async def open(self, headers: tuple[tuple[str, str], ...]) -> None:
        """Shake hands. Raise InvalidHandshake if what answers is no WebSocket of ours."""
        request = self._protocol.connect()
        request.headers.update(headers)
        request.headers["User-Agent"] = f"beszel-agent/{VERSION}"
        self._protocol.send_request(request)
        self._flush()
        await self._opened
        self._schedule_ping(0.0)

    def abort(self) -> None:
        """End it without a word."""
        self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_MAX_UNSENT_BYTES)
        self._mark = LowWaterMark(transport.get_extra_info("socket"))
        self._is_encrypted = transport.get_extra_info("ssl_object") is not None

    def data_received(self, data: bytes) -> None:
        if self._mark.is_raised:
            self.attend()  # who woke the process may have more to say
        self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unparsed.clear()
        self._protocol.receive_eof()
        for timer in (self._next_ping, self._end, self._doze_soon):
            if timer is not None:
                timer.cancel()
        if not self._opened.done():
            self._opened.set_exception(self._protocol.handshake_exc or exc or ConnectionAbortedError())
        self._lost.set_result(None)
        self._has_news.set()
        self._can_write.set()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()
        if self._protocol.state is State.OPEN:
            self._transport.write(b"".join(self._late_pongs))
        self._late_pongs = []

    # What comes

    def _take(self, data: bytes) -> None:
        self._unparsed += data
        self._parse()
        self._balance()

    def _parse(self) -> None:
        while self._unparsed and len(self._messages) < _MAX_WAITING_MESSAGES:
            portion = bytes(self._unparsed[:_SLICE_BYTES])
            del self._unparsed[:_SLICE_BYTES]
            self._protocol.receive_data(portion)
            for event in self._protocol.events_received():
                if isinstance(event, Frame):
                    self._take_frame(event)
            self._reply()
        if not self._opened.done():
            self._take_answer()

    def _balance(self) -> None:
        """Read from the peer while there is room."""
        if self._unparsed:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _take_answer(self) -> None:
        if self._protocol.handshake_exc is not None:
            self._opened.set_exception(self._protocol.handshake_exc)
        elif self._protocol.state is not State.CONNECTING:
            self._opened.set_result(None)

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            if self._ping == frame.data:
                self._ping = None
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if frame.fin and not self._fragments:
                self._take_message(bytes(frame.data))
                return
            self._fragments += frame.data  # the protocol knows the order, and the limit
            if frame.fin:
                self._take_message(bytes(self._fragments))
                self._fragments.clear()

    def _take_message(self, message: bytes) -> None:
        if self._messages or not self.takes(message):
            self._messages.append(message)
            self._has_news.set()

    # What goes

    def _reply(self) -> None:
        """Send what is due to what came: while there is no room, of pongs the last only (RFC 6455 §5.5.3)."""
        if self._can_write.is_set() or self._protocol.state is not State.OPEN:
            self._flush()
        else:
            self._late_pongs = self._protocol.data_to_send() or self._late_pongs

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        if self._protocol.state is State.CLOSING and self._end is None:
            self.attend()
            self._end = self._loop.call_later(_CLOSE_SECONDS, self._transport.abort)

    def _schedule_ping(self, last_tick: float) -> None:
        at = next_tick(self._loop.time(), last_tick, PING_INTERVAL_SECONDS)
        self._next_ping = self._loop.call_at(at, self._keep_alive, at)

    def _keep_alive(self, tick: float) -> None:
        self.read_waiting()  # the peer's own ping, should nothing else read it
        if self._protocol.state is not State.OPEN:
            return
        if self._ping is None:
            self._ping, self._pinged_at = os.urandom(_PING_BYTES), tick
            self._protocol.send_ping(self._ping)
        elif tick - self._pinged_at >= PONG_TIMEOUT_SECONDS:
            self._protocol.fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        self._flush()
        self._schedule_ping(tick)


@asynccontextmanager
async def dialled(
    url: str, *, headers: tuple[tuple[str, str], ...], tls: "ssl.SSLContext | None"
) -> AsyncIterator[WebSocket]:
    """A connection to the hub, closed at the end of the block.

    Raise OSError or WebSocketException if there is none within `HANDSHAKE_TIMEOUT_SECONDS`.
    """
    uri = parse_uri(url)
    websocket = WebSocket(
        ClientProtocol(
            uri,
            subprotocols=[Subprotocol(LINK_SUBPROTOCOL)],
            extensions=enable_client_permessage_deflate(None),
            max_size=MAX_FRAME_BYTES,
        )
    )
    async with asyncio.timeout(HANDSHAKE_TIMEOUT_SECONDS):
        await asyncio.get_running_loop().create_connection(
            lambda: websocket, uri.host, uri.port, ssl=tls, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS
        )
        try:
            await websocket.open(headers)
        except BaseException:
            websocket.abort()
            raise
    try:
        yield websocket
    except BaseException:
        await websocket.close(CloseCode.INTERNAL_ERROR)
        raise
    else:
        await websocket.close()


def _takes_nothing(message: bytes) -> bool:  # noqa: ARG001
    return False
