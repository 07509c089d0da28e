"""What lies in the segments of a spool, and which of it the hub still needs."""

import errno
import logging
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from beszel_agent.errors import SpoolError, describe
from beszel_agent.spool.frames import RECORDS, decode_head, read_frames
from beszel_agent.spool.interface import SpooledRecord
from beszel_agent.spool.segments import Segment, SegmentReader, read_file
from beszel_protocol.messages import Range
from beszel_protocol.ranges import SequenceRanges

_MAX_SAVED_RANGES: Final = 1024
_FEW_RECORDS: Final = 8
"""More than a hub that keeps up has not confirmed yet."""
_GONE: Final = frozenset({errno.EIO, errno.ENOENT, errno.ESTALE})
"""Reading that fails with one of these will not succeed another time."""

log = logging.getLogger(__name__)


class Loss(NamedTuple):
    """Records that cannot be read any more."""

    segment: Segment
    span_ms: tuple[int, int]


class Archive:
    """Segments, oldest first, and the set of sequences that need not be sent."""

    def __init__(self, segments: list[Segment], stored: SequenceRanges, written: int) -> None:
        self.segments = segments
        self.written = written
        """The last sequence that was written; all below are in a segment or need not be sent."""
        self.doomed: list[Segment] = []
        """Nobody needs them; the next sync deletes them."""
        self.losses: list[Loss] = []
        """What was found to be damaged and is not told yet."""
        self._stored = stored
        self._reader: SegmentReader | None = None

    def __contains__(self, sequence: int) -> bool:
        """Whether it is to be sent."""
        return sequence not in self._stored

    def __len__(self) -> int:
        if not self.segments:
            return 0
        missing = self._stored.missing_between(self.segments[0].first, self.written)
        return sum(last - first + 1 for first, last in missing)

    @property
    def size_bytes(self) -> int:
        return sum(segment.size_bytes for segment in self.segments)

    @property
    def is_nearly_sent(self) -> bool:
        """Whether the hub keeps up: it has the record that was written a few before the last."""
        before = self.written - _FEW_RECORDS
        return before in self._stored or not self.segments or before < self.segments[0].first

    def needs_any(self, first: int, last: int) -> bool:
        return next(self._stored.missing_between(first, last), None) is not None

    def needs_between(self, before: int, last: int) -> bool:
        """Whether something that was written after `before`, up to `last`, is still to be sent."""
        return bool(self.segments) and self.needs_any(max(before + 1, self.segments[0].first), last)

    def add(self, segment: Segment) -> None:
        """It takes the place of one of the same name, which then never got a record."""
        self.segments = [*(other for other in self.segments if other.path != segment.path), segment]
        self.doomed = [other for other in self.doomed if other.path != segment.path]
        self.retire()

    def advance(self, sequence: int) -> None:
        """`sequence` was written."""
        self.skip_to(sequence - 1)
        self.written = sequence

    def skip_to(self, sequence: int) -> None:
        """Up to here, what was not written is not waited for."""
        if sequence > self.written:
            self._stored.add_range(self.written + 1, sequence)
            self.written = sequence

    def drop(self, stored: Iterable[Range]) -> None:
        for first, last in stored:
            if first <= min(last, self.written):
                self._stored.add_range(first, min(last, self.written))
        self.retire()

    def stored_ranges(self) -> list[Range]:
        """What the next process should know of what the hub has."""
        lowest = self._lowest()
        return [(first, last) for first, last in self._stored.newest(_MAX_SAVED_RANGES) if last >= lowest]

    def retire(self) -> None:
        """Segments of which everything is stored go; the last one stays, as it holds the sequence."""
        for segment in [segment for segment in self.segments[:-1] if not self.needs_any(segment.first, segment.last)]:
            self.remove(segment)

    def remove(self, segment: Segment) -> None:
        """One of several segments."""
        self.segments = [other for other in self.segments if other is not segment]
        self.doomed.append(segment)
        if segment.first <= segment.last:
            self._stored.add_range(segment.first, segment.last)
        lowest = self._lowest()
        self._stored = SequenceRanges((first, last) for first, last in self._stored if last >= lowest)

    def records(self, skip: SequenceRanges, fresh: Iterable[SpooledRecord]) -> Iterator[SpooledRecord]:
        """What is to be sent and not in `skip`, oldest first; `fresh` holds the newest of it, in memory.

        What turns out to be damaged goes to `losses`.
        """
        fresh = list(fresh)
        for segment in list(self.segments):
            first = self._first_wanted(segment, skip)
            if first is None:
                continue
            if fresh and first >= fresh[0].sequence:
                for record in fresh:
                    if record.sequence >= first and record.sequence in self and record.sequence not in skip:
                        yield record
                return
            try:
                yield from self._read(self._reader_at(segment, first), skip)
            except SpoolError as error:
                self._lose_rest(segment, str(error))
            except OSError as error:
                if error.errno not in _GONE:
                    log.warning("spool: %s", describe(error))
                    return
                self._lose_rest(segment, describe(error))

    def span_of(self, segment: Segment, first: int) -> tuple[int, int] | None:
        """From when to when the records from `first` on are that are to be sent; None if none is."""
        if not self.needs_any(first, segment.last):
            return None
        instants_ms = [segment.header.instant_ms, segment.last_instant_ms]
        try:
            data = read_file(segment.path)
            header, offset = decode_head(data)
        except (OSError, SpoolError):
            return min(instants_ms), max(instants_ms)
        found_ms = [
            frame.instant_ms
            for frame in read_frames(data, offset, header)
            if frame.kind in RECORDS and frame.sequence >= first and frame.sequence in self
        ]
        return min(found_ms or instants_ms), max(found_ms or instants_ms)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _lowest(self) -> int:
        """The first sequence that the next process may find."""
        return min((segment.first for segment in (*self.segments, *self.doomed)), default=0)

    def _read(self, reader: SegmentReader, skip: SequenceRanges) -> Iterator[SpooledRecord]:
        """A reader that is left in the middle goes on there the next time."""
        while (current := reader.peek()) is not None:
            if current[0] in self and current[0] not in skip:
                yield SpooledRecord(*current, reader.segment.header.boot_id)
            reader.advance()

    def _first_wanted(self, segment: Segment, skip: SequenceRanges) -> int | None:
        for first, last in self._stored.missing_between(segment.first, segment.last):
            for sequence, _ in skip.missing_between(first, last):
                return sequence
        return None

    def _reader_at(self, segment: Segment, sequence: int) -> SegmentReader:
        """Raise OSError."""
        reader = self._reader
        if reader is None or reader.segment is not segment or reader.position > sequence:
            self.close()
            reader = self._reader = SegmentReader(segment)
        return reader

    def _lose_rest(self, segment: Segment, why: str) -> None:
        """What comes after the point at which the reader stands cannot be read."""
        log.warning("spool: a part of %s is lost: %s", segment.path.name, why)
        reader = self._reader
        first = reader.position if reader is not None and reader.segment is segment else segment.first
        self.close()
        span_ms = self.span_of(segment, first)
        if span_ms is not None:
            self._stored.add_range(first, segment.last)
            self.losses.append(Loss(segment, span_ms))
