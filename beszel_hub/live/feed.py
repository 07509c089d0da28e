"""`GET /api/beszel/feed`: the WebSocket by which clients hear at once what happens.

A program sends its token in the `Authorization` header; a browser, which cannot, in a first frame within five seconds.
Tokens are looked at again from time to time and whenever something was revoked: the stream ends with its token.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from beszel_hub.actions import Action
from beszel_hub.errors import HubError
from beszel_hub.gate import Gate, GateFull
from beszel_hub.live.broker import Broker, Client, TooManyClients
from beszel_hub.live.frames import share
from beszel_hub.permissions import Actor, Decision, decide
from beszel_protocol.feed import (
    MAX_CLIENT_FRAME_BYTES,
    Auth,
    ClientFrame,
    FeedError,
    Pace,
    Subscribe,
    Unsubscribe,
    client_decoder,
)
from beszel_protocol.messages import CLOSE_INVALID_PAYLOAD, CLOSE_TOO_BIG, CLOSE_UNAUTHENTICATED

Authenticate = Callable[[str | None], Awaitable[Actor]]

AUTH_TIMEOUT_SECONDS: Final = 5.0
SEND_TIMEOUT_SECONDS: Final = 20.0
TOKEN_CHECK_SECONDS: Final = 30.0
"""How often a token is looked at without a reason; what is revoked ends its stream at once."""
MAX_UNAUTHENTICATED: Final = 128
MAX_UNAUTHENTICATED_OF_ADDRESS: Final = 8
"""So that one stranger keeps no browser out."""
CLOSE_TRY_AGAIN: Final = 1013
_PAUSE_SECONDS: Final = 0.02
"""After each frame of a client, so that a flood of them costs nobody else."""


class Ending(NamedTuple):
    """Why the hub closes a connection."""

    code: int
    reason: str
    sequence: int = 1
    """Of the `error` frame that says it."""


NOT_AUTHENTICATED: Final = Ending(CLOSE_UNAUTHENTICATED, "this needs a valid token")
TOO_MANY_CLIENTS: Final = Ending(CLOSE_TRY_AGAIN, "too many clients")
BUSY: Final = Ending(CLOSE_TRY_AGAIN, "the hub is too busy; try again")


class _Session:
    """A client, its token, and whether that is in doubt."""

    __slots__ = ("client", "doubt", "token")

    def __init__(self, client: Client, token: str) -> None:
        self.client = client
        self.token = token
        self.doubt = asyncio.Event()


class FeedEndpoint:
    def __init__(self, broker: Broker, authenticate: Authenticate) -> None:
        self._broker = broker
        self._authenticate = authenticate
        self._gate = Gate(MAX_UNAUTHENTICATED, MAX_UNAUTHENTICATED_OF_ADDRESS)
        self._sessions: set[_Session] = set()

    @property
    def unauthenticated(self) -> int:
        """How many connections have not said yet who they are."""
        return self._gate.waiting

    def doubt(self, user_id: str) -> None:
        """Tokens of this user may have stopped to hold: their streams look at once."""
        for session in self._sessions:
            if session.client.actor.user_id == user_id:
                session.doubt.set()

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one client, already accepted, until it leaves."""
        with suppress(WebSocketDisconnect):
            ending = await self._serve(websocket)
            if ending is not None:
                await _close(websocket, ending)

    async def _serve(self, websocket: WebSocket) -> Ending | None:
        try:
            token = websocket.headers.get("authorization") or await self._await_token(websocket)
            actor = await self._authenticate(token)
            if token is None or not _may_read(actor):
                return NOT_AUTHENTICATED
            client = self._broker.add(actor)
        except HubError:
            return BUSY
        except (TooManyClients, GateFull):
            return TOO_MANY_CLIENTS
        session = _Session(client, token)
        self._sessions.add(session)
        try:
            ending = await self._stream(websocket, session)
            return None if ending is None else ending._replace(sequence=client.outbox.sequence + 1)
        finally:
            self._sessions.discard(session)
            self._broker.remove(client)

    async def _await_token(self, websocket: WebSocket) -> str | None:
        address = websocket.client.host if websocket.client is not None else ""
        try:
            with self._gate.admit(address):
                async with asyncio.timeout(AUTH_TIMEOUT_SECONDS):
                    frame = _decode(await _receive(websocket))
        except TimeoutError:
            return None
        return frame.token if isinstance(frame, Auth) else None

    async def _stream(self, websocket: WebSocket, session: _Session) -> Ending | None:
        """Run until the client leaves, misbehaves, stops reading, or loses its token."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._read(websocket, session.client)),
                group.create_task(_write(websocket, session.client)),
                group.create_task(self._watch_token(session)),
            ]
            done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
        return next((task.result() for task in done if task.result() is not None), None)

    async def _watch_token(self, session: _Session) -> Ending:
        """Return once the token holds no longer."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TOKEN_CHECK_SECONDS):
                    await session.doubt.wait()
            session.doubt.clear()
            try:
                actor = await self._authenticate(session.token)
            except HubError:  # the database is busy: ask again soon
                session.doubt.set()
                await asyncio.sleep(1.0)
                continue
            if not _may_read(actor):
                return NOT_AUTHENTICATED
            session.client.actor = actor

    async def _read(self, websocket: WebSocket, client: Client) -> Ending | None:
        while True:
            try:
                text = await _receive(websocket)
            except WebSocketDisconnect:
                return None
            if text is None or len(text) > MAX_CLIENT_FRAME_BYTES:
                return Ending(CLOSE_TOO_BIG, f"frames are text of at most {MAX_CLIENT_FRAME_BYTES} bytes")
            match _decode(text):
                case Subscribe(topics=topics):
                    self._broker.subscribe(client, topics)
                case Unsubscribe(topics=topics):
                    self._broker.unsubscribe(client, topics)
                case Pace(seconds=seconds):
                    client.pace.set(seconds)
                case None:
                    return Ending(CLOSE_INVALID_PAYLOAD, "not a frame of the feed")
                case _:
                    pass  # who sent a header may send the same token again
            await asyncio.sleep(_PAUSE_SECONDS)


def _may_read(actor: Actor) -> bool:
    return decide(actor, Action.FEED) is Decision.ALLOW


async def _write(websocket: WebSocket, client: Client) -> Ending | None:
    while True:
        text = await client.outbox.get()
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await websocket.send_text(text)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return None


async def _receive(websocket: WebSocket) -> str | None:
    """The next frame, None for a binary one; raise `WebSocketDisconnect` at the end."""
    event = await websocket.receive()
    if event["type"] != "websocket.receive":
        raise WebSocketDisconnect(event.get("code", 1005))
    text: str | None = event.get("text")
    return text


def _decode(text: str | None) -> ClientFrame | None:
    try:
        return None if text is None else client_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


async def _close(websocket: WebSocket, ending: Ending) -> None:
    error = FeedError(sequence=0, code=_CODES.get(ending.code, "closed"), message=ending.reason)
    with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await websocket.send_text(share(error, "").numbered(ending.sequence))
            await websocket.close(ending.code, ending.reason)


_CODES: Final = {
    CLOSE_UNAUTHENTICATED: "unauthorized",
    CLOSE_TRY_AGAIN: "try_again",
    CLOSE_TOO_BIG: "too_big",
    CLOSE_INVALID_PAYLOAD: "invalid_frame",
}
