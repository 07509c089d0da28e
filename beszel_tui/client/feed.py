"""The live feed of one hub: connected, subscribed, and connected again whenever it is lost."""

import asyncio
import os
import random
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from beszel_protocol.containers import clean_containers
from beszel_protocol.feed import (
    ALERTS_TOPIC,
    FLEET_TOPIC,
    SYSTEM_TOPIC_PREFIX,
    Alerts,
    Containers,
    FeedError,
    Fleet,
    HostContainers,
    Jobs,
    Pace,
    Resync,
    ServerFrame,
    Subscribe,
    SystemSample,
    Unsubscribe,
    encode,
    server_decoder,
)
from beszel_protocol.hygiene import clean
from beszel_protocol.version import VERSION
from beszel_tui.client.source import EVENT_QUEUE_SIZE
from beszel_tui.state.events import Connected, Disconnected, FeedEvent, Received, Refused

FEED_PATH: Final = "/api/beszel/feed"
USER_AGENT: Final = f"beszel-tui/{VERSION}"
OPEN_TIMEOUT_SECONDS: Final = 10
PING_INTERVAL_SECONDS: Final = 20
MAX_FRAME_BYTES: Final = 16 << 20
"""A first fleet frame of ten thousand systems fits."""
_FIRST_DELAY_SECONDS: Final = 0.5
_LONGEST_DELAY_SECONDS: Final = 10.0
"""Short, as somebody is looking at the screen."""
_DELAY_GROWTH: Final = 1.5
_STEADY_SECONDS: Final = 30.0
"""A connection that lasted so long starts the back-off anew."""
_UNAUTHORIZED_STATUS: Final = frozenset({401, 403})
_UNAUTHORIZED_CLOSE: Final = frozenset({1008, 4401, 4403})

_CLOSE_REASONS: Final = {
    1001: "the hub is restarting",
    1012: "the hub is restarting",
    1013: "the hub has too many clients",
}


class _TokenRefused(Exception):
    """Trying again with the same token would not help."""


class Feed:
    """Fills `events` while `run` runs. Topics survive a reconnect."""

    def __init__(self, hub: str, token: str, clock: Callable[[], int] | None = None) -> None:
        self.events: asyncio.Queue[FeedEvent] = asyncio.Queue(EVENT_QUEUE_SIZE)
        self.token = token
        """For the next connection; one that ends with an older token is not the end."""
        self._url = feed_url(hub)
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)
        self._system: str | None = None
        self._containers: str | None = None
        self._topics: list[str] = [FLEET_TOPIC, ALERTS_TOPIC]
        self._connection: ClientConnection | None = None
        self._pace: Pace | None = None
        self._retry = asyncio.Event()
        self._changes: asyncio.Queue[Subscribe | Unsubscribe | Pace] = asyncio.Queue(64)

    def watch(self, system_id: str | None) -> None:
        """Want samples of one system, or of none."""
        self._system = None if system_id is None else SYSTEM_TOPIC_PREFIX + system_id
        self._want()

    def watch_containers(self, topic: str | None) -> None:
        """Want containers: of all systems, of one, or of none."""
        self._containers = topic
        self._want()

    def _want(self) -> None:
        wanted = [topic for topic in (FLEET_TOPIC, ALERTS_TOPIC, self._system, self._containers) if topic is not None]
        gone = [topic for topic in self._topics if topic not in wanted]
        new = [topic for topic in wanted if topic not in self._topics]
        self._topics = wanted
        if gone:
            self._change(Unsubscribe(topics=gone))
        if new:
            self._change(Subscribe(topics=new))

    def pace(self, seconds: int) -> None:
        """Want to hear of the fleet and of containers no more often than this."""
        self._pace = Pace(seconds=seconds)
        self._change(self._pace)

    def retry_now(self) -> None:
        self._retry.set()

    async def refuse(self, reason: str) -> None:
        """Tell that the token is of no use any more."""
        await self.events.put(Refused(at_ms=self._clock(), reason=reason))

    async def run(self) -> None:
        """Until cancelled, or until the hub does not accept the token."""
        delay_seconds = _FIRST_DELAY_SECONDS
        while True:
            began, token = time.monotonic(), self.token
            try:
                reason = await self._session()
            except _TokenRefused as refusal:
                if token != self.token:
                    continue  # a stream ends with the token that it began with
                await self.refuse(str(refusal))
                return
            if time.monotonic() - began > _STEADY_SECONDS:
                delay_seconds = _FIRST_DELAY_SECONDS
            wait_seconds = delay_seconds * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)
            now_ms = self._clock()
            retry_at_ms = now_ms + int(wait_seconds * 1000)
            await self.events.put(Disconnected(at_ms=now_ms, reason=reason, retry_at_ms=retry_at_ms))
            await self._pause(wait_seconds)
            delay_seconds = min(_LONGEST_DELAY_SECONDS, delay_seconds * _DELAY_GROWTH)

    async def _session(self) -> str:
        """One connection, from dialling to its end; returns why it ended."""
        try:
            async with connect(
                self._url,
                additional_headers={"Authorization": f"Bearer {self.token}"},
                user_agent_header=USER_AGENT,
                open_timeout=OPEN_TIMEOUT_SECONDS,
                ping_interval=PING_INTERVAL_SECONDS,
                ping_timeout=PING_INTERVAL_SECONDS,
                close_timeout=1,
                max_size=MAX_FRAME_BYTES,
            ) as connection:
                return await self._talk(connection)
        except InvalidStatus as error:
            if error.response.status_code in _UNAUTHORIZED_STATUS:
                raise _TokenRefused("the hub does not accept the token") from error
            return f"the hub answers {error.response.status_code}"
        except TimeoutError:
            return "no answer"
        except OSError as error:
            return _plain_reason(error)
        except WebSocketException as error:
            return f"not the feed of a hub ({type(error).__name__})"

    async def _talk(self, connection: ClientConnection) -> str:
        while not self._changes.empty():
            self._changes.get_nowait()
        try:
            async with asyncio.TaskGroup() as group:
                await connection.send(encode(Subscribe(topics=self._topics)), text=True)
                if self._pace is not None:
                    await connection.send(encode(self._pace), text=True)
                sender = group.create_task(self._send_changes(connection))
                await self._receive(connection)
                sender.cancel()
        except* ConnectionClosed:
            pass
        code = connection.close_code
        if code in _UNAUTHORIZED_CLOSE:
            raise _TokenRefused(connection.close_reason or "the hub ended the session")
        return _CLOSE_REASONS.get(code or 0, "the connection was lost")

    async def _receive(self, connection: ClientConnection) -> None:
        """Being connected begins with the first frame: a hub that refuses a token accepts the connection first."""
        is_admitted = False
        async for message in connection:
            try:
                frame = server_decoder.decode(message)
            except msgspec.DecodeError:
                continue  # a frame of a newer hub
            if not is_admitted and not isinstance(frame, FeedError):
                is_admitted = True
                await self.events.put(Connected(at_ms=self._clock()))
            await self._handle(frame)

    async def _handle(self, frame: ServerFrame) -> None:
        if isinstance(frame, Resync):
            # Subscribing again brings whole rows; what a system's charts missed is asked from history.
            self._change(Unsubscribe(topics=frame.topics))
            self._change(Subscribe(topics=[topic for topic in frame.topics if topic in self._topics]))
        elif isinstance(frame, FeedError | Jobs):  # jobs are nothing that is asked for here
            return
        await self.events.put(Received(at_ms=self._clock(), frame=_cleaned(frame)))

    async def _send_changes(self, connection: ClientConnection) -> None:
        while True:
            change = await self._changes.get()
            if isinstance(change, Pace) or change.topics:
                await connection.send(encode(change), text=True)

    def _change(self, change: Subscribe | Unsubscribe | Pace) -> None:
        # Full only while nothing is connected, and then all topics are sent on connecting anyway.
        if not self._changes.full():
            self._changes.put_nowait(change)

    async def _pause(self, seconds: float) -> None:
        self._retry.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._retry.wait()
        except TimeoutError:
            pass


def feed_url(hub: str) -> str:
    parts = urlsplit(hub)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + FEED_PATH, "", ""))


Told: TypeAlias = Fleet | SystemSample | Containers | Alerts | Resync


def _cleaned(frame: Told) -> Told:
    """A hub passes on what agents said; neither is believed to have taken the escape codes out."""
    if isinstance(frame, Fleet):
        return msgspec.structs.replace(frame, systems=[clean(row) for row in frame.systems])
    if isinstance(frame, Alerts):
        return msgspec.structs.replace(frame, alerts=[clean(alert) for alert in frame.alerts])
    if isinstance(frame, SystemSample):
        return msgspec.structs.replace(frame, metrics=clean(frame.metrics))
    if isinstance(frame, Containers):
        return msgspec.structs.replace(frame, hosts=[_cleaned_host(host) for host in frame.hosts])
    return frame


def _cleaned_host(host: HostContainers) -> HostContainers:
    return msgspec.structs.replace(
        host,
        facts=None if host.facts is None else clean_containers(host.facts),
        usage=None if host.usage is None else [clean(usage) for usage in host.usage],
    )


def _plain_reason(error: OSError) -> str:
    """`connection refused`, without addresses and error numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "no encrypted connection can be made"
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    return os.strerror(error.errno).lower() if error.errno else "no connection can be made"
