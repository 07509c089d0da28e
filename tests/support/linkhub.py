"""A minimal hub: the agent link over real sockets, and what came over it in lists. It stores in memory."""

import asyncio
import base64
import hmac
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response as HttpResponse
from websockets.typing import Subprotocol

from beszel_protocol.handshake import (
    NONCE_BYTES,
    AgentRefused,
    Enrolment,
    check_binding,
    check_enrol,
    make_challenge,
    read_enrol,
)
from beszel_protocol.messages import (
    CLOSE_FORBIDDEN,
    CLOSE_RESTARTING,
    MAX_FRAME_BYTES,
    MAX_RANGES,
    REFUSAL_CLOSE_CODES,
    Ack,
    Event,
    FromAgent,
    FromHub,
    Gap,
    Record,
    Refused,
    Sample,
    Samples,
    Welcome,
    decode_from_agent,
    decode_record,
    encode,
)
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.version import LINK_SUBPROTOCOL
from tests.support.keys import prove, public_bytes, verify

PATH = "/api/beszel/agent-connect"
TOKEN = "a token of some length"
DEADLINE_SECONDS = 20.0

T = TypeVar("T")


@dataclass
class LinkHub:
    """What the hub knows and has heard, across connections and restarts. Tests turn its knobs."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    token: str = TOKEN
    port: int = 0
    path: str = PATH
    interval_seconds: float = 1.0
    padding_bytes: int = 0
    """Promised in the welcome; `send` does not pad."""
    tls: ssl.SSLContext | None = None

    # Knobs
    alter_challenge: Callable[[bytes], bytes] = bytes
    refuse_with: Refused | None = None
    acknowledges: bool = True
    is_deaf: bool = False
    """Accept connections and then say nothing."""

    # What was heard
    headers: list[dict[str, str]] = field(default_factory=list)
    hellos: list[bytes] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)
    records: list[tuple[str, Record]] = field(default_factory=list)
    """With the spool that each came from, in the order of arrival, repetitions included."""
    batches: list[list[int]] = field(default_factory=list)
    batch_boots: list[str] = field(default_factory=list)
    batch_bytes: list[int] = field(default_factory=list)
    messages: list[FromAgent] = field(default_factory=list)
    frame_bytes: int = 0
    close_codes: list[int] = field(default_factory=list)
    stored: dict[str, SequenceRanges] = field(default_factory=dict)

    connections: set[ServerConnection] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def public_key(self) -> bytes:
        return public_bytes(self.key)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{self.path.removesuffix(PATH)}"

    @property
    def samples(self) -> list[Sample]:
        return [record for _, record in self.records if isinstance(record, Sample)]

    def sequences(self) -> list[int]:
        return [record.sequence for _, record in self.records]

    async def until(self, what: str, probe: Callable[[], T | None], timeout_seconds: float = DEADLINE_SECONDS) -> T:
        """The first answer of `probe` that is true; it is asked whenever something happened here."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    answer = probe()
                    if answer:
                        return answer
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {timeout_seconds} s: {what}") from None

    async def send(self, *messages: FromHub) -> None:
        await self.send_raw(*map(encode, messages))

    async def send_raw(self, *frames: bytes) -> None:
        for connection in self.connections:
            for frame in frames:
                await connection.send(frame, text=True)

    async def acknowledge(self) -> None:
        """Confirm everything heard so far."""
        for ranges in self.stored.values():
            await self.send(Ack(stored=ranges.newest(MAX_RANGES)))

    def reset_connections(self) -> None:
        """End every connection with a TCP reset, as a killed machine or a firewall does."""
        for connection in self.connections:
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.transport.abort()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LinkHub"]:
        """Listen on the same port every time."""
        async with serve(
            self._serve,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol(LINK_SUBPROTOCOL)],
            process_request=self._check_path,
            max_size=MAX_FRAME_BYTES,
            close_timeout=0.2,
            ssl=self.tls,
        ) as server:
            self.port = _port_of(server)
            yield self
            for connection in set(self.connections):
                await connection.close(CLOSE_RESTARTING)

    def _check_path(self, connection: ServerConnection, request: HttpRequest) -> HttpResponse | None:
        if request.path != self.path:
            return connection.respond(HTTPStatus.NOT_FOUND, "nothing here\n")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        try:
            await self._converse(connection)
        except AgentRefused as refused:
            await connection.send(encode(Refused(code=refused.code, message=str(refused))), text=True)
            await connection.close(REFUSAL_CLOSE_CODES.get(refused.code, CLOSE_FORBIDDEN))
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)
            self.close_codes.append(connection.close_code or 0)
            self._changed.set()

    async def _converse(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.headers.append({name.lower(): value for name, value in connection.request.headers.raw_items()})
        hello = await connection.recv(decode=False)
        self.hellos.append(hello)
        self._changed.set()
        if self.is_deaf:
            await connection.wait_closed()
            return
        challenged = make_challenge(
            hello,
            nonce=os.urandom(NONCE_BYTES),
            public_key=self.public_key,
            token_id=connection.request.headers["X-Token-Id"],
            sign=self.key.sign,
        )
        await connection.send(self.alter_challenge(challenged.frame), text=True)
        enrolment = read_enrol(await connection.recv(decode=False), challenged)
        check_enrol(enrolment, token=self.token, prove=prove, verify=verify, compare=hmac.compare_digest)
        self._check_host(enrolment)
        self.enrolments.append(enrolment)
        stored = self.stored.setdefault(enrolment.body.spool_id, SequenceRanges())
        await connection.send(
            encode(
                Welcome(
                    system_id="system00000001",
                    interval_seconds=self.interval_seconds,
                    stored=stored.newest(MAX_RANGES),
                    padding_bytes=self.padding_bytes,
                )
            ),
            text=True,
        )
        self.connections.add(connection)
        self._changed.set()
        while True:
            self._hear(await connection.recv(decode=False), enrolment.body.spool_id, stored)
            if self.acknowledges:
                await connection.send(encode(Ack(stored=stored.newest(MAX_RANGES))), text=True)

    def _check_host(self, enrolment: Enrolment) -> None:
        if self.refuse_with is not None:
            raise AgentRefused(self.refuse_with.code, self.refuse_with.message)  # type: ignore[arg-type]
        if self.enrolments:
            first = self.enrolments[0].body
            check_binding(
                enrolment,
                fingerprint=first.fingerprint,
                agent_key=first.agent_key,
                compare=hmac.compare_digest,
            )

    def _hear(self, frame: bytes, spool_id: str, stored: SequenceRanges) -> None:
        self.frame_bytes += len(frame)
        message = decode_from_agent(frame)
        assert message is not None
        records = list(_records_in(message))
        if isinstance(message, Samples):
            self.batches.append([record.sequence for record in records])
            self.batch_boots.append(message.boot_id)
            self.batch_bytes.append(len(frame))
        elif not records:
            self.messages.append(message)
        for record in records:
            self.records.append((spool_id, record))
            stored.add(record.sequence)
        self._changed.set()


def _records_in(message: FromAgent) -> Iterator[Record]:
    if isinstance(message, Samples):
        yield from map(decode_record, message.records)
    elif isinstance(message, Sample | Event | Gap):
        yield message


def _port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


def openssh_key(public_key: bytes) -> str:
    """As `authorized_keys` has it."""
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", public_key))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} hub"
