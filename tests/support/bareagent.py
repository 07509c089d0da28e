"""An agent reduced to its end of the link: a real WebSocket, the real handshake, and every step open to a test."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import NONCE_BYTES, encode_bytes, make_enrol, make_hello, token_id
from beszel_protocol.messages import (
    Ack,
    EnrolBody,
    FromHub,
    Message,
    Refused,
    Sample,
    Samples,
    Welcome,
    decode_from_hub,
    encode,
)
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.version import LINK_SUBPROTOCOL
from tests.support.keys import prove, public_bytes
from tests.support.samples import make_sample

T = TypeVar("T")
REPLY_SECONDS = 10.0


class LinkAgent:
    """An identity; `connect` opens one connection of it."""

    def __init__(self, url: str, token: str, *, fingerprint: str | None = None, name: str = "host") -> None:
        self.url = url
        self.token = token
        self.key = Ed25519PrivateKey.generate()
        self.fingerprint = fingerprint or os.urandom(24).hex()
        self.name = name
        self.spool_id = encode_bytes(os.urandom(16))
        self.boot_id = "boot-1"
        self.start_id = encode_bytes(os.urandom(16))
        self.boot_ms = 3_600_000
        self.shown_token_id = token_id(token)
        self.headers: dict[str, str] = {}
        """Beside those of the link."""
        self._made_ms = time.time_ns() // 1_000_000

    def body(self) -> EnrolBody:
        return EnrolBody(
            fingerprint=self.fingerprint,
            agent_key=encode_bytes(public_bytes(self.key)),
            name=self.name,
            details=HostDetails(hostname=self.name, os="linux", cores=2, threads=4, agent_version="0.1.0"),
            spool_id=self.spool_id,
            boot_id=self.boot_id,
            boot_ms=self.boot_ms,
            start_id=self.start_id,
        )

    def sample(self, sequence: int, *, cpu_percent: float = 12.5) -> Sample:
        """One just made, whose clocks agree with the hub's and go on by at least a millisecond a sequence."""
        instant_ms = time.time_ns() // 1_000_000 + sequence
        made = make_sample(sequence, instant_ms, cpu_percent=cpu_percent)
        return msgspec.structs.replace(made, boot_ms=self.boot_ms + instant_ms - self._made_ms)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Connection"]:
        """Open a WebSocket; nothing is said yet."""
        async with connect(
            self.url,
            subprotocols=[Subprotocol(LINK_SUBPROTOCOL)],
            additional_headers={"X-Beszel": "0.1.0", "X-Token-Id": self.shown_token_id, **self.headers},
            max_size=1 << 20,
            proxy=None,
        ) as websocket:
            yield Connection(self, websocket)

    @asynccontextmanager
    async def enrolled(self) -> AsyncIterator["Connection"]:
        """Open a connection that the hub has welcomed."""
        async with self.connect() as connection:
            reply = await connection.enrol()
            assert isinstance(reply, Welcome), reply
            connection.stored = SequenceRanges(reply.stored)
            yield connection


class Connection:
    def __init__(self, agent: LinkAgent, websocket: ClientConnection) -> None:
        self.agent = agent
        self.websocket = websocket
        self.stored = SequenceRanges()
        self.challenge_frame = b""

    async def enrol(self, *, tamper: Callable[[bytes], bytes] = lambda frame: frame) -> FromHub | None:
        """Say hello, read the challenge, send the enrol that `tamper` makes of a good one, and return the answer."""
        await self.hello()
        await self.send_frame(tamper(self.make_enrol(self.challenge_frame)))
        return await self.receive()

    async def hello(self) -> None:
        await self.send_frame(make_hello(os.urandom(NONCE_BYTES), "0.1.0"))
        self.challenge_frame = await self.receive_frame()

    def make_enrol(self, challenge_frame: bytes) -> bytes:
        agent = self.agent
        return make_enrol(
            agent.body(), challenge_frame=challenge_frame, token=agent.token, prove=prove, sign=agent.key.sign
        )

    async def send(self, message: Message) -> None:
        await self.send_frame(encode(message))

    async def send_frame(self, frame: bytes) -> None:
        await self.websocket.send(frame, text=True)

    async def send_batch(self, *records: Sample, boot_id: str = "") -> None:
        await self.send(Samples(records=[msgspec.Raw(encode(record)) for record in records], boot_id=boot_id))

    async def receive_frame(self) -> bytes:
        async with asyncio.timeout(REPLY_SECONDS):
            return await self.websocket.recv(decode=False)

    async def receive(self) -> FromHub | None:
        return decode_from_hub(await self.receive_frame())

    async def receive_forever(self) -> FromHub | None:
        """The next message, whenever it comes."""
        return decode_from_hub(await self.websocket.recv(decode=False))

    async def receive_until(self, kind: type[T]) -> T:
        """The next message of a kind; acknowledgements on the way are noted."""
        while True:
            message = await self.receive()
            if isinstance(message, Ack):
                for first, last in message.stored:
                    self.stored.add_range(first, last)
            if isinstance(message, kind):
                return message

    async def await_stored(self, *ranges: tuple[int, int]) -> None:
        """Read until all of these have been acknowledged."""
        while any(list(self.stored.missing_between(first, last)) for first, last in ranges):
            await self.receive_until(Ack)

    async def close_code(self) -> int | None:
        """Read to the end of the connection, and say how the hub ended it."""
        try:
            while True:
                await self.receive_frame()
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code

    async def refusal(self) -> tuple[str, int | None]:
        """The code of the `refused` that comes next, and that of the close after it."""
        message = await self.receive()
        assert isinstance(message, Refused), message
        return message.code, await self.close_code()
