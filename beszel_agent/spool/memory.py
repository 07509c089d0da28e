"""A spool that ends with the process: for when there is no disk to write to."""

import asyncio
import heapq
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from beszel_agent.spool.interface import (
    MAX_AGE_MS,
    MAX_BYTES,
    SPOOL_FULL,
    SpooledRecord,
    SpoolReport,
    make_gap,
)
from beszel_protocol.messages import Range
from beszel_protocol.ranges import SequenceRanges

_BLOCK_RECORDS: Final = 64
_MAX_LOSSES: Final = 16
_SEPARATOR: Final = b"\n"
"""JSON as it is encoded here has no line breaks."""


class _Entry(NamedTuple):
    sequence: int
    instant_ms: int
    boot_ms: int
    data: bytes


class _Block:
    """Old records compressed together, since one sample is much like the next."""

    __slots__ = ("_kept", "_sequences", "boot_ms", "data", "instants_ms")

    def __init__(self, entries: list[_Entry]) -> None:
        self._sequences = array("Q", [entry.sequence for entry in entries])
        self._kept = bytearray(b"\1" * len(entries))
        self.instants_ms = entries[0].instant_ms, entries[-1].instant_ms
        self.boot_ms = entries[-1].boot_ms
        self.data = zlib.compress(_SEPARATOR.join(entry.data for entry in entries))

    def __len__(self) -> int:
        return sum(self._kept)

    @property
    def first(self) -> int:
        return self._sequences[0]

    @property
    def last(self) -> int:
        return self._sequences[-1]

    def drop(self, first: int, last: int) -> None:
        for index, sequence in enumerate(self._sequences):
            if first <= sequence <= last:
                self._kept[index] = 0

    def records(self) -> Iterator[SpooledRecord]:
        parts = zlib.decompress(self.data).split(_SEPARATOR)
        for sequence, kept, data in zip(self._sequences, self._kept, parts, strict=True):
            if kept:
                yield SpooledRecord(sequence, data)


class _Loss(NamedTuple):
    """Records that went before they were stored."""

    sequence: int
    from_ms: int
    to_ms: int

    def record(self) -> SpooledRecord:
        return SpooledRecord(self.sequence, make_gap(self.sequence, (self.from_ms, self.to_ms), SPOOL_FULL))


class _Losses:
    """The gaps of a spool, few however long the hub is away: losses run together until one is sent."""

    def __init__(self) -> None:
        self._items: list[_Loss] = []
        self._sent_up_to = 0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, instants_ms: tuple[int, int], next_sequence: Callable[[], int]) -> None:
        if self._items and self._items[-1].sequence > self._sent_up_to:
            open_loss = self._items[-1]
            self._items[-1] = open_loss._replace(to_ms=instants_ms[1])
            return
        self._items.append(_Loss(next_sequence(), *instants_ms))
        if len(self._items) > _MAX_LOSSES:
            first, second, *rest = self._items
            self._items = [second._replace(from_ms=first.from_ms), *rest]

    def records(self) -> Iterator[SpooledRecord]:
        return (loss.record() for loss in self._items)

    def mark_sent(self, sequence: int) -> None:
        """What was said up to here cannot be taken back; a later loss is another gap."""
        self._sent_up_to = max(self._sent_up_to, sequence)

    def drop(self, first: int, last: int) -> None:
        self._items = [loss for loss in self._items if not first <= loss.sequence <= last]


class MemorySpool:
    """A `Spool` that ends with the process. Fresh records lie as they are; older ones in compressed blocks."""

    def __init__(
        self,
        spool_id: str,
        *,
        max_age_ms: int = MAX_AGE_MS,
        max_bytes: int = MAX_BYTES,
        last_sequence: int = 0,
        problem: str | None = None,
    ) -> None:
        """`last_sequence` was given out already; `problem` says why this is not on a disk."""
        self._id = spool_id
        self._max_age_ms, self._max_bytes = max_age_ms, max_bytes
        self._last_sequence = last_sequence
        self._problem = problem
        self._newest: SpooledRecord | None = None
        self._blocks: deque[_Block] = deque()
        self._fresh: dict[int, _Entry] = {}
        self._losses = _Losses()
        self._size_bytes = 0

    @property
    def id(self) -> str:
        return self._id

    @property
    def last_sequence(self) -> int:
        return self._last_sequence

    @property
    def size_bytes(self) -> int:
        """What the records take as they lie in memory."""
        return self._size_bytes

    def __len__(self) -> int:
        return len(self._fresh) + sum(map(len, self._blocks)) + len(self._losses)

    def append(self, make: Callable[[int], bytes], *, instant_ms: int, boot_ms: int) -> SpooledRecord:
        sequence = self._next_sequence()
        record = SpooledRecord(sequence, make(sequence))
        self._fresh[sequence] = _Entry(sequence, instant_ms, boot_ms, record.data)
        self._newest = record
        self._size_bytes += len(record.data)
        if len(self._fresh) >= 2 * _BLOCK_RECORDS:
            self._seal()
        self._shed(boot_ms)
        return record

    def newest(self) -> SpooledRecord | None:
        return self._newest

    def oldest(self, limit_bytes: int, skip: SequenceRanges) -> list[SpooledRecord]:
        found: list[SpooledRecord] = []
        size = 0
        for record in heapq.merge(self._kept_records(), self._losses.records()):
            if record.sequence in skip:
                continue
            size += len(record.data) + 1
            if found and size > limit_bytes:
                break
            found.append(record)
        if found:
            self._losses.mark_sent(found[-1].sequence)
        return found

    def drop(self, stored: Iterable[Range]) -> None:
        for first, last in stored:
            for sequence in [sequence for sequence in self._fresh if first <= sequence <= last]:
                self._size_bytes -= len(self._fresh.pop(sequence).data)
            for block in self._blocks:
                if block.first > last:
                    break
                if block.last >= first:
                    block.drop(first, last)
            self._losses.drop(first, last)
        while self._blocks and not len(self._blocks[0]):
            self._size_bytes -= len(self._blocks.popleft().data)
        if self._newest is not None and self._newest.sequence not in self._fresh:
            self._newest = None

    def report(self) -> SpoolReport:
        return SpoolReport(kind="memory", records=len(self), size_bytes=self._size_bytes, problem=self._problem)

    async def run(self, on_ready: Callable[[], None]) -> None:  # noqa: ARG002 - nothing here has to wait
        await asyncio.get_running_loop().create_future()

    def _next_sequence(self) -> int:
        self._last_sequence += 1
        return self._last_sequence

    def _kept_records(self) -> Iterator[SpooledRecord]:
        for block in self._blocks:
            yield from block.records()
        for entry in self._fresh.values():
            yield SpooledRecord(entry.sequence, entry.data)

    def _seal(self) -> None:
        """Compress the older half of the fresh records."""
        entries = [self._fresh.pop(sequence) for sequence in list(self._fresh)[:_BLOCK_RECORDS]]
        block = _Block(entries)
        self._blocks.append(block)
        self._size_bytes += len(block.data) - sum(len(entry.data) for entry in entries)

    def _shed(self, boot_ms: int) -> None:
        """Drop the oldest records until what is left fits in time and in bytes. The newest always stays."""
        oldest_ms = boot_ms - self._max_age_ms
        while self._blocks and (self._size_bytes > self._max_bytes or self._blocks[0].boot_ms < oldest_ms):
            block = self._blocks.popleft()
            self._size_bytes -= len(block.data)
            if len(block):
                self._losses.add(block.instants_ms, self._next_sequence)
        while len(self._fresh) > 1:
            entry = next(iter(self._fresh.values()))
            if self._size_bytes <= self._max_bytes and entry.boot_ms >= oldest_ms:
                break
            del self._fresh[entry.sequence]
            self._size_bytes -= len(entry.data)
            self._losses.add((entry.instant_ms, entry.instant_ms), self._next_sequence)
