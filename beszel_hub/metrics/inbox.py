"""What waits to be stored: one bounded inbox a connection, so that an agent's flood fills nothing but its own."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from beszel_protocol.messages import MAX_RANGES, Range
from beszel_protocol.ranges import SequenceRanges

CAPACITY: Final = 512
"""Records; an agent whose inbox is full is not read from until there is room."""
MAX_STORED_RANGES: Final = 1024
"""Of one spool; the oldest holes are closed beyond that, so that no agent grows the hub's memory."""


class Arrival(NamedTuple):
    """A record on its way into history; with neither document nor happening only its sequence is taken."""

    sequence: int
    instant_ms: int = 0
    mark: int = 0
    document: bytes | None = None
    happening: bytes | None = None


class Ledger:
    """The stored sequences of one spool, shared by all connections that deliver it. Changes only after a commit."""

    __slots__ = ("inboxes", "is_doubtful", "spool_id", "stored", "system_id")

    def __init__(self, system_id: str, spool_id: str, stored: SequenceRanges) -> None:
        self.system_id = system_id
        self.spool_id = spool_id
        self.stored = stored
        self.inboxes = 0
        self.is_doubtful = False
        """Set after a commit of which nobody knows whether it took place: the database must be asked."""


class Inbox:
    """Records of one connection. `on_stored` hears which sequences are committed, `on_lost` that a commit failed."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        on_waiting: Callable[[], None],
        on_stored: Callable[[SequenceRanges], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.ledger = ledger
        self.on_stored = on_stored
        self.on_lost = on_lost
        self._on_waiting = on_waiting
        self._waiting: deque[Arrival] = deque()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, arrival: Arrival) -> None:
        """Queue a record, once there is room for it."""
        await self._has_room.wait()
        self._waiting.append(arrival)
        if len(self._waiting) >= CAPACITY:
            self._has_room.clear()
        self._on_waiting()

    def take(self, limit: int) -> list[Arrival]:
        """Remove and return up to `limit` records, oldest first."""
        taken = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        if len(self._waiting) < CAPACITY:
            self._has_room.set()
        return taken


def bounded(ranges: SequenceRanges, limit: int = MAX_STORED_RANGES) -> SequenceRanges:
    """`ranges` with its oldest holes closed until there are at most `limit`."""
    surplus = len(ranges) - limit
    if surplus <= 0:
        return ranges
    runs = list(ranges)
    return SequenceRanges([(runs[0][0], runs[surplus][1]), *runs[surplus + 1 :]])


def split_ranges(ranges: Iterable[Range], size: int = MAX_RANGES) -> Iterator[list[Range]]:
    """Runs in portions that fit one `ack`."""
    remaining = iter(ranges)
    while portion := list(islice(remaining, size)):
        yield portion
