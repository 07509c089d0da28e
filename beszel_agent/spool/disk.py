"""A spool in files: it goes on where the process before it ended, across restarts and reboots.

A record is in a file before anybody may send it, so a SIGKILL loses nothing; what the hub does not have within
`SYNC_SECONDS` is synced by then, so a power cut loses no more than that. The event loop only ever writes to the page
cache, and not even that while a sync is under way, when a file system may hold a writer up: then records wait in memory
to be written. A disk that fails, is full or hangs is left for memory, and tried again.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from beszel_agent.errors import SpoolError, describe
from beszel_agent.spool.archive import Archive
from beszel_agent.spool.entries import Entry, OpenGap, entry_of
from beszel_agent.spool.frames import Header, Kind
from beszel_agent.spool.interface import (
    MAX_AGE_MS,
    MAX_BYTES,
    SPOOL_DAMAGED,
    SPOOL_FULL,
    SpooledRecord,
    SpoolReport,
    make_gap,
)
from beszel_agent.spool.memory import MemorySpool
from beszel_agent.spool.recovery import recover, remove_marker, write_marker
from beszel_agent.spool.segments import Segment, SegmentWriter
from beszel_agent.spool.syncing import DiskWorker, SyncJob
from beszel_agent.ticks import sleep_to_tick
from beszel_protocol.messages import MAX_SEQUENCE, Range
from beszel_protocol.ranges import SequenceRanges

SYNC_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = SYNC_SECONDS / 2.5
"""The second look finds a record that the first one left, and looks may be half as long again apart."""
DISK_TIMEOUT_SECONDS: Final = 30.0

_SEGMENT_BYTES: Final = 512 << 10
_SEGMENT_RECORDS: Final = 1024
_SEGMENTS: Final = 24
"""The least number into which the bounds are cut: what goes when they are reached goes by the segment."""
_FRESH_RECORDS: Final = 32
_MOVE_BYTES: Final = 64 << 10
_PROBE_BYTES: Final = 4096
_MAX_TAKEN: Final = MAX_SEQUENCE // 2
_NOTHING: Final = SequenceRanges()

log = logging.getLogger(__name__)


class DiskSpool:
    """A `Spool`. Raise OSError if the directory cannot be written to. Only one process at a time may have it."""

    def __init__(
        self, directory: Path, *, boot_id: str, instant_ms: int, boot_ms: int,
        max_age_ms: int = MAX_AGE_MS, max_bytes: int = MAX_BYTES,
    ) -> None:  # fmt: skip
        self._directory, self._boot_id, self._boot_ms = directory, boot_id, boot_ms
        self._max_age_ms, self._max_bytes = max_age_ms, max_bytes
        found = recover(directory, boot_id, instant_ms)
        self._id = found.spool_id
        self._archive = Archive(found.segments, found.stored, found.last_sequence)
        self._synced = 0
        self._written_before = 0
        """What was written when it was looked last whether there is something to sync."""
        self._inherited = [segment.path for segment in found.segments]
        """Segments that this process does not write to, and of which nobody knows whether they were synced."""
        self._writer = SegmentWriter.reopen(found.segments[-1]) if found.may_go_on else None
        self._full: list[SegmentWriter] = []
        """Segments that are written and not yet synced."""
        self._waiting: deque[Entry] = deque()
        self._newest: SpooledRecord | None = None
        self._fresh: deque[SpooledRecord] = deque(maxlen=_FRESH_RECORDS)
        self._refuge: MemorySpool | None = None
        self._problem: str | None = None
        self._worker = DiskWorker()
        self._is_syncing = False
        self._stored_changed = True
        self._open_gap: OpenGap | None = None
        self._begin(instant_ms)
        for span_ms in found.losses:
            self._append_gap(span_ms, SPOOL_DAMAGED)
        if self._refuge is None:
            # Without it the next process only leaves out more sequences than it would have to.
            with contextlib.suppress(OSError):
                write_marker(directory, boot_id)

    @property
    def id(self) -> str:
        return self._id

    def __len__(self) -> int:
        return len(self._archive) + len(self._waiting) + (0 if self._refuge is None else len(self._refuge))

    def append(self, make: Callable[[int], bytes], *, instant_ms: int, boot_ms: int) -> SpooledRecord:
        self._boot_ms = boot_ms
        if self._refuge is not None:
            record = self._refuge.append(make, instant_ms=instant_ms, boot_ms=boot_ms)
        else:
            sequence = self._last_sequence + 1
            record = SpooledRecord(sequence, make(sequence))
            self._enter(Entry(Kind.RECORD, record, instant_ms, boot_ms))
        self._shed()
        return record

    def newest(self) -> SpooledRecord | None:
        return self._newest if self._refuge is None else self._refuge.newest()

    def oldest(self, limit_bytes: int, skip: SequenceRanges) -> list[SpooledRecord]:
        found = self._oldest_on_disk(limit_bytes, skip)
        self._tell_losses()
        if self._open_gap is not None and found and found[-1].sequence >= self._open_gap.sequence:
            self._open_gap = None
        size = sum(len(record.data) + 1 for record in found)
        if self._refuge is not None and size < limit_bytes and not (found and found[0].boot_id):
            found.extend(self._refuge.oldest(limit_bytes - size, skip))
        return found

    def drop(self, stored: Iterable[Range]) -> None:
        stored = list(stored)
        self._heed_later(max((last for _, last in stored), default=0))
        self._archive.drop(stored)
        self._stored_changed = True
        if self._refuge is not None:
            self._refuge.drop(stored)
        if self._newest is not None and self._newest.sequence not in self._archive:
            self._newest = None

    def report(self) -> SpoolReport:
        return SpoolReport(
            kind="disk" if self._refuge is None else "memory",
            records=len(self),
            size_bytes=self._archive.size_bytes + (0 if self._refuge is None else self._refuge.size_bytes),
            problem=self._problem,
        )

    async def run(self, on_ready: Callable[[], None]) -> None:
        try:
            while True:
                # More often, since what is younger than one look is left for the next.
                await sleep_to_tick(_LOOK_SECONDS)
                if self._refuge is not None:
                    await self.return_to_disk()
                elif self._is_sync_due():
                    await self.sync()
                on_ready()
        finally:
            self.close()

    def _is_sync_due(self) -> bool:
        """Only then is a thread worth it: a hub that confirms what it gets leaves nothing to sync."""
        self._save_stored()
        before, self._written_before = self._written_before, self._archive.written
        return bool(self._archive.doomed) or self._archive.needs_between(self._synced, before)

    async def sync(self) -> None:
        """Make what the hub does not have outlive a power cut. Never raises; a disk that fails is left."""
        self._save_stored()
        archive = self._archive
        if self._writer is None or not (archive.doomed or archive.needs_between(self._synced, archive.written)):
            return
        full, doomed, written = list(self._full), list(archive.doomed), archive.written
        writers, inherited = (*full, self._writer), list(self._inherited)
        job = SyncJob(
            descriptors=[writer.descriptor for writer in writers],
            paths=inherited,
            directory=self._directory,
            doomed=[segment.path for segment in doomed],
        )
        self._is_syncing = True
        try:
            await self._worker.run(job.run, DISK_TIMEOUT_SECONDS)
        except SpoolError as error:
            # A thread has these descriptors, and may have them for ever.
            self._inherited.extend(writer.segment.path for writer in writers)
            self._writer, self._full = None, []
            self._flee(str(error), disk_hangs=True)
        except OSError as error:
            self._flee(describe(error))
        else:
            self._synced, self._inherited = written, self._inherited[len(inherited) :]
            archive.doomed = archive.doomed[len(doomed) :]
            for writer in full:
                self._full.remove(writer)
                writer.close()
        finally:
            self._is_syncing = False
            self._write_waiting()

    async def return_to_disk(self) -> None:
        """Try whether the disk can be written to again; if so, bring there what went to memory meanwhile."""
        refuge = self._refuge
        if refuge is None:
            return
        try:
            await self._worker.run(self._probe, DISK_TIMEOUT_SECONDS)
            while records := refuge.oldest(_MOVE_BYTES, _NOTHING):
                try:
                    for record in records:
                        self._write(entry_of(record, self._boot_ms))
                finally:
                    refuge.drop([(records[0].sequence, self._archive.written)])
                await asyncio.sleep(0)
            # There was no pause since the last look, so nothing can have come in between.
            self._archive.skip_to(refuge.last_sequence)
            write_marker(self._directory, self._boot_id)
        except (OSError, SpoolError) as error:
            self._problem = describe(error)
            self._abandon_writer()
            return
        self._refuge = self._problem = None
        log.info("the spool is on the disk again")

    def close(self) -> None:
        """The process ends; the next one goes on from here."""
        self._save_stored()
        self._abandon_writer()
        for writer in self._full:
            writer.close()
        self._full = []
        self._archive.close()

    @property
    def _last_sequence(self) -> int:
        return self._waiting[-1].record.sequence if self._waiting else self._archive.written

    def _oldest_on_disk(self, limit_bytes: int, skip: SequenceRanges) -> list[SpooledRecord]:
        found: list[SpooledRecord] = []
        size = 0
        for record in self._archive.records(skip, self._fresh):
            if record.boot_id == self._boot_id:
                record = SpooledRecord(record.sequence, record.data)  # noqa: PLW2901 - the same, as it is told
            size += len(record.data) + 1
            if found and (size > limit_bytes or record.boot_id != found[0].boot_id):
                break
            found.append(record)
        return found

    def _enter(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._write_waiting()

    def _write_waiting(self) -> None:
        try:
            while self._waiting and not self._is_syncing:
                self._write(self._waiting[0])
                self._waiting.popleft()
        except OSError as error:
            self._flee(describe(error))

    def _write(self, entry: Entry) -> None:
        """Raise OSError."""
        kind, record, instant_ms, boot_ms = entry
        if kind == Kind.RECORD and self._archive.is_nearly_sent:
            kind = Kind.PLAIN
        writer = self._writer
        if writer is None or self._is_full(writer.segment, boot_ms):
            writer = self._begin_segment(record.sequence, instant_ms, boot_ms)
        writer.write(writer.encode(kind, record.sequence, instant_ms, boot_ms, record.data))
        writer.segment.note(kind, record.sequence, instant_ms, boot_ms)
        self._archive.advance(record.sequence)
        self._fresh.append(record)
        if kind != Kind.GAP:
            self._newest = record

    def _is_full(self, segment: Segment, boot_ms: int) -> bool:
        return (
            segment.size_bytes >= min(_SEGMENT_BYTES, self._max_bytes // _SEGMENTS)
            or segment.records >= _SEGMENT_RECORDS
            or boot_ms - segment.header.boot_ms >= self._max_age_ms // _SEGMENTS
        )

    def _begin_segment(self, sequence: int, instant_ms: int, boot_ms: int) -> SegmentWriter:
        """Raise OSError."""
        writer = SegmentWriter.create(self._directory, Header(self._id, self._boot_id, sequence, instant_ms, boot_ms))
        if self._writer is not None:
            self._full.append(self._writer)
        self._writer = writer
        self._archive.add(writer.segment)
        self._stored_changed = True
        return writer

    def _heed_later(self, sequence: int) -> None:
        """The hub has sequences that were not given out yet: these files are a copy from before, as of a snapshot."""
        if self._last_sequence < sequence <= _MAX_TAKEN and not self._waiting and self._refuge is None:
            log.warning("the hub has later records of this spool than this spool; it goes on behind them")
            self._archive.skip_to(sequence)

    def _begin(self, instant_ms: int) -> None:
        """From now on the next process finds the id of this spool, even if this one never gets a record."""
        if self._writer is None and self._refuge is None:
            try:
                self._begin_segment(self._archive.written + 1, instant_ms, self._boot_ms)
            except OSError as error:
                self._flee(describe(error))
        self._archive.retire()

    def _append_gap(self, span_ms: tuple[int, int], reason: str) -> None:
        """A gap is not what `newest` tells of: it can wait."""
        if self._refuge is not None:
            self._refuge.append(
                lambda sequence: make_gap(sequence, span_ms, reason), instant_ms=span_ms[0], boot_ms=self._boot_ms
            )
            return
        sequence = self._last_sequence + 1
        record = SpooledRecord(sequence, make_gap(sequence, span_ms, reason))
        self._enter(Entry(Kind.GAP, record, span_ms[0], self._boot_ms))

    def _save_stored(self) -> None:
        if self._writer is None or not self._stored_changed or self._is_syncing:
            return
        self._stored_changed = False
        try:
            self._writer.write(self._writer.encode_stored(self._archive.stored_ranges()))
        except OSError as error:
            self._flee(describe(error))

    def _shed(self) -> None:
        """Let go of the oldest segments until what is left fits in time and in bytes."""
        archive = self._archive
        size_bytes = archive.size_bytes
        while len(archive.segments) > 1:
            segment = archive.segments[0]
            age_ms = self._boot_ms - segment.last_boot_ms - segment.shift_ms
            if size_bytes <= self._max_bytes and age_ms <= self._max_age_ms:
                return
            size_bytes -= segment.size_bytes
            span_ms = archive.span_of(segment, segment.first)
            archive.remove(segment)
            if span_ms is not None:
                self._tell_shed(segment, span_ms)

    def _tell_shed(self, segment: Segment, span_ms: tuple[int, int]) -> None:
        """One gap for what goes bit by bit, as long as nobody has seen it: a longer one takes its place."""
        before = self._open_gap
        if before is not None and before.next_sequence == segment.first and self._refuge is None:
            span_ms = min(before.span_ms[0], span_ms[0]), max(before.span_ms[1], span_ms[1])
        else:
            before = None
        self._append_gap(span_ms, SPOOL_FULL)
        if before is not None:
            self._archive.drop([(before.sequence, before.sequence)])
        if self._refuge is None:
            self._open_gap = OpenGap(self._last_sequence, span_ms, segment.last + 1)

    def _tell_losses(self) -> None:
        losses, self._archive.losses = self._archive.losses, []
        for segment, span_ms in losses:
            if self._writer is not None and self._writer.segment is segment:
                self._abandon_writer()
            self._stored_changed = True
            self._append_gap(span_ms, SPOOL_DAMAGED)

    def _flee(self, why: str, *, disk_hangs: bool = False) -> None:
        """Go on in memory. The marker goes first: sequences given out from now on are written down nowhere."""
        log.warning("the spool is kept in memory, where a restart loses it: %s: %s", self._directory, why)
        self._problem, self._open_gap = why, None
        if disk_hangs:
            self._worker.leave(lambda: remove_marker(self._directory))
        else:
            remove_marker(self._directory)
        self._abandon_writer()
        self._refuge = MemorySpool(
            self._id, max_age_ms=self._max_age_ms, max_bytes=self._max_bytes, last_sequence=self._archive.written
        )
        for _, record, instant_ms, boot_ms in self._waiting:
            self._refuge.append(lambda _, data=record.data: data, instant_ms=instant_ms, boot_ms=boot_ms)  # type: ignore[misc]
        self._waiting.clear()

    def _abandon_writer(self) -> None:
        if self._writer is not None:
            self._inherited.append(self._writer.segment.path)
            self._writer.close()
            self._writer = None

    def _probe(self) -> None:
        """Raise OSError."""
        path = self._directory / "probe"
        path.write_bytes(bytes(_PROBE_BYTES))
        path.unlink()
