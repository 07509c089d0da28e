"""Thousands of agents in one process: real handshakes over real WebSockets, then frames that were made beforehand.

All of them take turns on one event loop; each sends once an interval, at a moment of its own. For every
sample it is noted when it was sent, and when the hub said that it is stored.
"""

import asyncio
import contextlib
import os
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from recordedhosts import Frames
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from beszel_protocol.handshake import NONCE_BYTES, make_enrol, make_hello
from beszel_protocol.messages import Ack, Welcome, decode_from_hub
from beszel_protocol.version import LINK_SUBPROTOCOL
from tests.support.bareagent import LinkAgent
from tests.support.keys import prove

HANDSHAKES: Final = 32
"""At a time; the hub takes eight strangers from one address."""
ADDRESSES: Final = 8
_TURN_SECONDS: Final = 0.004
_HANDSHAKE_SECONDS: Final = 60.0
_PATIENCE_SECONDS: Final = 8.0


class SimulatedAgent(asyncio.Protocol):
    def __init__(self, identity: LinkAgent, frames: Frames) -> None:
        self.identity = identity
        self.frames = frames
        self.sent_at = array("d")
        """When each sequence went out, the first being 1."""
        self.stored_at = array("d")
        """When the hub said that it is committed; 0 until then."""
        self.stored = 0
        self.is_lost = False
        self._incoming: asyncio.Queue[bytes] | None = asyncio.Queue(8)
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._websocket = ClientProtocol(
            parse_uri(identity.url),
            subprotocols=[Subprotocol(LINK_SUBPROTOCOL)],
            extensions=[ClientPerMessageDeflateFactory(client_max_window_bits=True)],
            max_size=1 << 20,
        )

    async def enrol(self, source_address: str) -> None:
        uri = parse_uri(self.identity.url)
        await self._loop.create_connection(lambda: self, uri.host, uri.port, local_addr=(source_address, 0))
        await self._opened
        self._send(make_hello(os.urandom(NONCE_BYTES), "0.1.0"))
        identity, challenge = self.identity, await self._receive()
        self._send(
            make_enrol(
                identity.body(), challenge_frame=challenge, token=identity.token, prove=prove, sign=identity.key.sign
            )
        )
        welcome = decode_from_hub(await self._receive())
        assert isinstance(welcome, Welcome), welcome
        self._incoming = None

    def send_next(self) -> int:
        """Send the next sample; its size as JSON."""
        assert self._transport is not None
        number = len(self.sent_at)
        self.sent_at.append(self._loop.time())
        self.stored_at.append(0.0)
        self._transport.write(self.frames.wire[number])
        return self.frames.payload_bytes[number]

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        request = self._websocket.connect()
        request.headers["X-Beszel"] = "0.1.0"
        request.headers["X-Token-Id"] = self.identity.shown_token_id
        self._websocket.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._websocket.receive_data(data)
        for event in self._websocket.events_received():
            if isinstance(event, Frame):
                if event.opcode is Opcode.TEXT:
                    self._take(bytes(event.data))
            elif not self._opened.done():
                self._opened.set_result(None)
                assert self._websocket.state is State.OPEN, self._websocket.handshake_exc
        self._flush()  # answers to pings

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if self._incoming is not None:
            self._incoming.put_nowait(b"")
        if not self._opened.done():
            self._opened.set_exception(exc or ConnectionError("closed"))

    def _take(self, frame: bytes) -> None:
        if self._incoming is not None:
            self._incoming.put_nowait(frame)
            return
        message = decode_from_hub(frame)
        if isinstance(message, Ack):
            now = self._loop.time()
            for first, last in message.stored:
                for sequence in range(first, last + 1):
                    self.stored_at[sequence - 1] = now
                    self.stored += 1

    async def _receive(self) -> bytes:
        assert self._incoming is not None
        frame = await self._incoming.get()
        if not frame:
            raise ConnectionError("the hub has closed the connection during the handshake")
        return frame

    def _send(self, frame: bytes) -> None:
        self._websocket.send_text(frame)
        self._flush()

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._websocket.data_to_send():
            if data:
                self._transport.write(data)


class Crowd:
    """Agents that are connected, and those of them that send."""

    def __init__(self) -> None:
        self.agents: list[SimulatedAgent] = []
        self.payload_bytes = 0
        self.interval_seconds = 1.0
        self.late_seconds = 0.0
        """By how much the crowd itself was behind at worst: more than a little, and it is what was measured."""

    async def connect(self, identities: Sequence[LinkAgent], frames: Sequence[Frames]) -> None:
        places = asyncio.Semaphore(HANDSHAKES)

        async def enrol(number: int, agent: SimulatedAgent) -> None:
            async with places:
                await agent.enrol(f"127.0.0.{2 + number % ADDRESSES}")

        new = [SimulatedAgent(identity, frames[number % len(frames)]) for number, identity in enumerate(identities)]
        async with asyncio.timeout(_HANDSHAKE_SECONDS), asyncio.TaskGroup() as group:
            for number, agent in enumerate(new):
                group.create_task(enrol(number, agent))
        self.agents += new

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._stream())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _stream(self) -> None:
        """Spread over the second; who is connected later takes part from the next second on."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while True:
            agents = list(self.agents)
            for number, agent in enumerate(agents):
                due = begin + self.interval_seconds * number / len(agents)
                if due > (now := loop.time()):
                    await asyncio.sleep(max(due - now, _TURN_SECONDS))
                else:
                    self.late_seconds = max(self.late_seconds, now - due)
                    if number % 32 == 0:
                        await asyncio.sleep(0)
                if agent.is_lost:
                    raise ConnectionError("the hub has closed the connection of an agent")
                self.payload_bytes += agent.send_next()
            begin += self.interval_seconds
            await asyncio.sleep(max(0.0, begin - loop.time()))

    @property
    def sent(self) -> int:
        return sum(len(agent.sent_at) for agent in self.agents)

    @property
    def stored(self) -> int:
        return sum(agent.stored for agent in self.agents)

    async def until_stored(self, before_seconds: float) -> None:
        """Until what was sent by then is acknowledged, or for as long as nobody should have to wait."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while float("inf") in self.waits_seconds(before_seconds - _PATIENCE_SECONDS, before_seconds)[-1:]:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)

    def waits_seconds(self, from_seconds: float, to_seconds: float) -> list[float]:
        """Of every sample sent in that time, from its sending to the ack that covers it; endless if none has come."""
        return sorted(
            stored - sent if stored else float("inf")
            for agent in self.agents
            for sent, stored in zip(agent.sent_at, agent.stored_at, strict=True)
            if from_seconds <= sent < to_seconds
        )
