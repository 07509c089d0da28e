"""The clients of the event stream: how many there may be, who each of them is, and what they asked to hear."""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeAlias

from beszel_hub.clock import Clock
from beszel_hub.errors import TooManyRequests
from beszel_hub.gate import network_of
from beszel_hub.live.eventqueue import EventQueue
from beszel_hub.live.sse import encode_data, encode_event
from beszel_hub.live.subscriptions import Subscription
from beszel_hub.permissions import Actor

MAX_STREAMS: Final = 1000
MAX_STREAMS_OF_USER: Final = 100
MAX_GUESTS: Final = 300
"""Browsers cannot send a token with the request that opens the stream: every one of them starts as a guest."""
MAX_GUESTS_OF_ADDRESS: Final = 30
GUEST_GRACE_MS: Final = 10_000
"""How long a guest may be sure of the place while others wait."""
RETRY_SECONDS: Final = 10
_ID_BYTES: Final = 30

Identify: TypeAlias = Callable[[], Awaitable[Actor]]
"""Looks again who it is that asked."""


class Stream:
    """One client. Whoever made it sends what the queue gives."""

    def __init__(self, actor: Actor, identify: Identify, address: str, now_ms: int) -> None:
        self.id = secrets.token_urlsafe(_ID_BYTES)
        self.actor = actor
        self.identify = identify
        self.address = address
        self.opened_ms = now_ms
        self.subscriptions: tuple[Subscription, ...] = ()
        self.queue = EventQueue()
        self.send("PB_CONNECT", {"clientId": self.id})

    @property
    def is_guest(self) -> bool:
        return not self.actor.is_authenticated

    def send(self, name: str, data: object, *, key: str | None = None) -> None:
        """Queue an event; one with a key replaces that of the same key which still waits."""
        self.queue.put(encode_event(self.id, name, encode_data(data)), key)

    def send_encoded(self, name: str, data: bytes) -> None:
        """As `send`; many streams may share what was encoded once."""
        self.queue.put(encode_event(self.id, name, data))

    def end(self) -> None:
        self.queue.end()


class Streams:
    """All clients by their id, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._streams: OrderedDict[str, Stream] = OrderedDict()

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams.values()))

    def find(self, client_id: str) -> Stream | None:
        return self._streams.get(client_id)

    def open(self, actor: Actor, identify: Identify, address: str) -> Stream:
        """Raise `TooManyRequests` if there is no room; of guests an old one gives way."""
        stream = Stream(actor, identify, address, self._clock())
        if stream.is_guest:
            self._make_room(address)
        if len(self._streams) >= MAX_STREAMS or self._count(lambda other: _is_same(other, actor)) >= _limit(actor):
            raise _too_many()
        self._streams[stream.id] = stream
        return stream

    def close(self, stream: Stream) -> None:
        stream.end()
        self._streams.pop(stream.id, None)

    def identify(self, stream: Stream, actor: Actor, identify: Identify) -> None:
        """A guest has said who they are; raise `TooManyRequests` if that user has too many streams."""
        is_new = stream.is_guest and actor.is_authenticated
        if is_new and self._count(lambda other: _is_same(other, actor)) >= MAX_STREAMS_OF_USER:
            raise _too_many()
        stream.actor, stream.identify = actor, identify

    def subscriptions_beside(self, stream: Stream, actor: Actor) -> int:
        """How many a user has on other streams."""
        return sum(len(other.subscriptions) for other in self if other is not stream and _is_same(other, actor))

    def _make_room(self, address: str) -> None:
        network = network_of(address)
        if self._count(lambda other: other.is_guest and network_of(other.address) == network) >= MAX_GUESTS_OF_ADDRESS:
            raise _too_many()
        if self._count(lambda other: other.is_guest) >= MAX_GUESTS:
            oldest = next(other for other in self if other.is_guest)
            if oldest.opened_ms > self._clock() - GUEST_GRACE_MS:
                raise _too_many()
            self.close(oldest)

    def _count(self, counts: Callable[[Stream], bool]) -> int:
        return sum(counts(stream) for stream in self._streams.values())


def _is_same(stream: Stream, actor: Actor) -> bool:
    return stream.actor.user_id == actor.user_id


def _limit(actor: Actor) -> int:
    return MAX_STREAMS_OF_USER if actor.is_authenticated else MAX_GUESTS


def _too_many() -> TooManyRequests:
    return TooManyRequests("Too many event streams at once.", retry_after_seconds=RETRY_SECONDS)
