"""The spool in files against a naive model of it, through kills and power cuts at any byte."""

import os
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from beszel_agent.spool.disk import DiskSpool
from beszel_agent.spool.interface import SpooledRecord
from beszel_agent.spool.syncing import SyncJob
from beszel_protocol.messages import encode
from beszel_protocol.ranges import SequenceRanges
from tests.support.samples import NOON_MS, make_sample

ALL_BYTES = 1 << 30


class SpoolMachine(RuleBasedStateMachine):
    """The model: what was appended, less what the hub has stored."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="spool-"))
        self.directory = self.root / "0"
        self.crashes = 0
        self.boot = 1
        self.at_ms = 0
        self.appended: dict[int, bytes] = {}
        self.boots: dict[int, str] = {}
        self.given: set[int] = set()
        """Every sequence that was ever given out, also of records that a power cut took."""
        self.durable: set[int] = set()
        self.synced_sizes: dict[str, int] = {}
        self.spool = self.open()
        self.id = self.spool.id

    def open(self) -> DiskSpool:
        return DiskSpool(
            self.directory, boot_id=f"boot-{self.boot}", instant_ms=NOON_MS + self.at_ms, boot_ms=self.at_ms
        )

    @rule(count=st.integers(1, 300), cpu_percent=st.floats(0, 100))
    def append(self, count: int, cpu_percent: float) -> None:
        record: SpooledRecord | None = None
        for _ in range(count):
            self.at_ms += 1000
            record = self.spool.append(
                lambda sequence: encode(make_sample(sequence, NOON_MS + self.at_ms, cpu_percent=cpu_percent)),
                instant_ms=NOON_MS + self.at_ms,
                boot_ms=self.at_ms,
            )
            assert record.sequence not in self.given
            self.given.add(record.sequence)
            self.appended[record.sequence] = record.data
            self.boots[record.sequence] = f"boot-{self.boot}"
        assert self.spool.newest() == record

    @rule(data=st.data())
    def store(self, data: st.DataObject) -> None:
        """The hub stores what it was sent."""
        assume(self.appended)
        sequences = sorted(self.appended)
        ends = data.draw(st.lists(st.sampled_from(sequences), min_size=2, max_size=4))
        ranges = [(min(pair), max(pair)) for pair in pairwise(ends)]
        self.spool.drop(ranges)
        for first, last in ranges:
            for sequence in [sequence for sequence in self.appended if first <= sequence <= last]:
                del self.appended[sequence]

    @rule(limit_bytes=st.integers(1, 100_000), batches=st.integers(1, 5))
    def send(self, limit_bytes: int, batches: int) -> None:
        sent = SequenceRanges()
        left = sorted(self.appended)
        for _ in range(batches):
            batch = self.spool.oldest(limit_bytes, sent)
            expected, left = left[: len(batch)], left[len(batch) :]
            assert [record.sequence for record in batch] == expected
            assert sum(len(record.data) + 1 for record in batch[1:]) <= limit_bytes
            for sequence in expected:
                sent.add(sequence)

    @rule()
    def sync(self) -> None:
        """What `sync` does, without a loop."""
        self.spool._save_stored()
        archive = self.spool._archive
        assert self.spool._writer is not None
        SyncJob([self.spool._writer.descriptor], [], self.directory, [segment.path for segment in archive.doomed]).run()
        archive.doomed.clear()
        self.durable |= self.appended.keys()
        self.synced_sizes = {path.name: path.stat().st_size for path in self.directory.glob("*.segment")}

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = self.open()

    def crash(self) -> None:
        """The next process finds a copy of the files; this one is gone without a word."""
        self.crashes += 1
        copy = self.root / str(self.crashes)
        shutil.copytree(self.directory, copy)
        self.spool._abandon_writer()
        self.directory = copy

    @rule(torn=st.binary(max_size=60))
    def kill(self, torn: bytes) -> None:
        """While it wrote a frame, of which any part may be there."""
        self.crash()
        newest = max(self.directory.glob("*.segment"))
        with newest.open("ab") as file:
            file.write(torn)
        self.come_back()

    @precondition(lambda self: self.synced_sizes)
    @rule(data=st.data(), garbage=st.binary(max_size=30))
    def cut_power(self, data: st.DataObject, garbage: bytes) -> None:
        """Of what was not synced any part is there, or something else in its place."""
        self.crash()
        for path in self.directory.glob("*.segment"):
            synced = self.synced_sizes.get(path.name, 0)
            length = data.draw(st.integers(synced, path.stat().st_size))
            os.truncate(path, length)
            if garbage and length > synced:
                with path.open("ab") as file:
                    file.write(garbage)
        self.boot += 1
        self.at_ms += 1000
        self.come_back(lossy=True)

    def come_back(self, *, lossy: bool = False) -> None:
        self.spool = self.open()
        found = {record.sequence: record.data for record in self.everything() if b'"gap"' not in record.data}
        if lossy:
            lost = self.appended.keys() - found.keys()
            assert not lost & self.durable
            for sequence in lost:
                del self.appended[sequence]
        # What was stored and not yet written down may come again: the hub knows it.
        again = [(sequence, sequence) for sequence in found if sequence not in self.appended]
        assert {sequence for sequence, _ in again} <= self.given
        gaps = [record.sequence for record in self.everything() if b'"gap"' in record.data]
        assert lossy or not gaps
        self.given.update(gaps)
        self.spool.drop(SequenceRanges([*again, *((gap, gap) for gap in gaps)]))
        self.synced_sizes = {path.name: path.stat().st_size for path in self.directory.glob("*.segment")}

    def everything(self) -> list[SpooledRecord]:
        found: list[SpooledRecord] = []
        skip = SequenceRanges()
        while batch := self.spool.oldest(ALL_BYTES, skip):
            found.extend(batch)
            for record in batch:
                skip.add(record.sequence)
        return found

    @invariant()
    def holds_exactly_what_is_not_stored(self) -> None:
        found = self.everything()
        assert {record.sequence: record.data for record in found} == self.appended
        assert len(found) == len(self.spool) == len(self.appended)
        assert [record.sequence for record in found] == sorted(self.appended)
        this_boot = f"boot-{self.boot}"
        for record in found:
            assert (record.boot_id or this_boot) == self.boots[record.sequence]
        assert self.spool.id == self.id
        assert self.spool.report().kind == "disk"

    def teardown(self) -> None:
        self.spool.close()
        shutil.rmtree(self.root)


TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(
    max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
