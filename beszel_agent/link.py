"""The link to the hub: dials, proves, serves a session, and comes back when it is gone."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response

from beszel_agent.backoff import Backoff
from beszel_agent.endpoint import Endpoint
from beszel_agent.errors import HubRefused, HubSilent, LinkError, describe
from beszel_agent.host import read_boot
from beszel_agent.identity import Identity
from beszel_agent.linkstate import LinkState
from beszel_agent.paths import HostPaths
from beszel_agent.proofs import Answer, Question
from beszel_agent.prover import answer_challenge
from beszel_agent.session import Duties, Session, check_ranges
from beszel_agent.websocket import WebSocket, dialled
from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import NONCE_BYTES, encode_bytes, make_hello
from beszel_protocol.hygiene import clean_text
from beszel_protocol.messages import (
    CLOSE_REPLACED,
    HANDSHAKE_TIMEOUT_SECONDS,
    EnrolBody,
    MessageError,
    Refused,
    Welcome,
    decode_from_hub,
)
from beszel_protocol.version import LINK_SUBPROTOCOL, VERSION

_START_ID_BYTES: Final = 16
_MAX_NAME_LENGTH: Final = 255
"""A hub takes none that is longer."""

log = logging.getLogger(__name__)


class Credentials(NamedTuple):
    """What proves this agent to its hub and the hub to it."""

    token: str
    trusted_keys: tuple[bytes, ...]
    identity: Identity
    name: str


class Link:
    """Holds the agent's one connection."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        duties: Duties,
        paths: HostPaths,
        *,
        backoff: Backoff,
        on_change: Callable[[LinkState], None],
        answer: Callable[[Question], Awaitable[Answer]] = answer_challenge,
    ) -> None:
        self._endpoint, self._credentials, self._duties, self._paths = endpoint, credentials, duties, paths
        self._backoff, self._on_change, self._answer = backoff, on_change, answer
        self._start_id = encode_bytes(os.urandom(_START_ID_BYTES))
        self._session: Session | None = None
        self._last_problem: str | None = None

    def wake(self) -> None:
        """The spool has something new."""
        if self._session is not None:
            self._session.wake()

    def tell_containers(self) -> None:
        """Something of the inventory of containers may have changed."""
        if self._session is not None:
            self._session.tell_containers()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                await self._connect_and_serve()
            except (LinkError, MessageError, OSError, WebSocketException) as error:
                self._tell_problem(explain(error))
            delay = self._backoff.next_delay()
            log.debug("next try in %.1f s", delay)
            await asyncio.sleep(delay)

    async def _connect_and_serve(self) -> None:
        endpoint = self._endpoint
        async with dialled(endpoint.url, headers=endpoint.headers, tls=endpoint.tls) as connection:
            if connection.subprotocol != LINK_SUBPROTOCOL:
                raise LinkError(f"what answers at {self._endpoint.hub} speaks no {LINK_SUBPROTOCOL}")
            details = self._duties.details()
            welcome = await self._enrol(connection, details)
            await self._serve(connection, details, welcome)

    async def _enrol(self, connection: WebSocket, details: HostDetails) -> Welcome:
        """The four steps of the handshake. Raise `LinkError`, `MessageError` or ConnectionClosed."""
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_SECONDS):
                hello = make_hello(os.urandom(NONCE_BYTES), VERSION)
                await connection.send(hello)
                challenge = await connection.receive()
                _raise_if_refused(challenge)
                enrol = await self._prove(hello, challenge, details)
                await connection.send(enrol)
                answer = await connection.receive()
        except TimeoutError as error:
            raise HubSilent(f"the handshake took longer than {HANDSHAKE_TIMEOUT_SECONDS:g} s") from error
        welcome = _raise_if_refused(answer)
        if not isinstance(welcome, Welcome):
            raise LinkError("the hub ended the handshake with neither a welcome nor a refusal")
        return welcome

    async def _prove(self, hello: bytes, challenge: bytes, details: HostDetails) -> bytes:
        boot = read_boot(self._paths)
        question = Question(
            hello_frame=hello,
            challenge_frame=challenge,
            token=self._credentials.token,
            trusted_keys=self._credentials.trusted_keys,
            seed=self._credentials.identity.seed,
            body=EnrolBody(
                fingerprint=self._credentials.identity.fingerprint,
                agent_key="",
                name=clean_text(self._credentials.name, _MAX_NAME_LENGTH),
                details=details,
                spool_id=self._duties.spool.id,
                boot_id=boot.id,
                boot_ms=boot.ms,
                start_id=self._start_id,
            ),
        )
        answer = await self._answer(question)
        if answer.enrol_frame is None:
            raise LinkError(f"this is not our hub: {answer.refused}")
        return answer.enrol_frame

    async def _serve(self, connection: WebSocket, details: HostDetails, welcome: Welcome) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        check_ranges(welcome.stored)
        self._duties.spool.drop(welcome.stored)
        self._duties.ask_interval(welcome.interval_seconds)
        self._duties.configure(welcome.configuration)
        session = self._session = Session(connection, self._duties, details, welcome.padding_bytes)
        self._tell_connected(welcome)
        try:
            ended = await session.run()
        finally:
            self._session = None
            self._backoff.connected_for(loop.time() - started)
            if session.ignored:
                log.info("of what the hub said was ignored: %s", dict(session.ignored))
        self._tell_problem(explain(ended))

    def _tell_connected(self, welcome: Welcome) -> None:
        kept = len(self._duties.spool)
        log.info(
            "connected as system %s%s", clean_text(welcome.system_id, 64), f", {kept} records to send" if kept else ""
        )
        self._last_problem = None
        self._on_change(LinkState(connected=True, since_ms=_now_ms(), problem=None))

    def _tell_problem(self, problem: str) -> None:
        """In the log once, however often the same is tried again."""
        if problem != self._last_problem:
            log.warning("not connected to %s: %s", self._endpoint.hub, problem)
            self._on_change(LinkState(connected=False, since_ms=_now_ms(), problem=problem))
        self._last_problem = problem


def explain(error: BaseException) -> str:
    """Why there is no connection, in words for whoever reads the log."""
    match error:
        case HubRefused():
            return _REFUSALS.get(error.code, f"the hub refuses this agent ({error.code})") + f": {error}"
        case InvalidStatus():
            return _explain_status(error.response)
        case ConnectionClosed():
            return _explain_close(error)
        case MessageError():
            return f"what the hub says is not understood: {error}"
        case OSError():
            return _explain_network(error)
        case _:
            return describe(error)


def _explain_network(error: OSError) -> str:
    match error:
        case TimeoutError():
            return "the hub does not answer"
        case ConnectionRefusedError():
            return "nothing listens at HUB_URL"
        case socket.gaierror():
            return f"the name of the hub does not resolve: {describe(error)}"
        case _ if (reason := getattr(error, "verify_message", None)) is not None:
            return f"the hub's certificate is not trusted: {reason}; CA_FILE adds an authority"
        case _:
            return describe(error)


def _explain_status(response: Response) -> str:
    elsewhere = clean_text(", ".join(response.headers.get_all("Location")))
    said = f"HTTP {response.status_code}" + (f" and points to {elsewhere}" if elsewhere else "")
    return f"the hub answers {said}; does HUB_URL lead to it?"


def _explain_close(closed: ConnectionClosed) -> str:
    received, sent = closed.rcvd, closed.sent
    if received is None:
        why = "" if sent is None else clean_text(sent.reason)
        return "the connection to the hub broke" + (f": {why}" if why else "")
    if received.code == CLOSE_REPLACED:
        return "another agent connected as this system; was this machine cloned?"
    return f"the hub closed the connection, {' '.join([str(received.code), clean_text(received.reason)]).strip()}"


_REFUSALS: Final = {
    "unknown_token": "the hub does not know TOKEN",
    "bad_proof": "the hub does not believe this agent",
    "fingerprint_mismatch": "TOKEN belongs to another host",
    "key_mismatch": "TOKEN is bound to a key that this agent no longer has",
    "duplicate_host": "two machines use the same TOKEN and identity; run `beszel-agent fingerprint reset` on the clone",
    "agent_too_old": "this agent is too old for the hub",
    "tls_required": "the hub only accepts https://",
    "too_many_connections": "the hub has too many connections at the moment",
}


def _raise_if_refused(frame: bytes) -> object:
    """The message in `frame`. Raise `HubRefused` if that is what it says."""
    message = decode_from_hub(frame)
    if isinstance(message, Refused):
        raise HubRefused(clean_text(message.code, 64), clean_text(message.message))
    return message


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
