"""Statistics into history: for every time the finest of Beszel's intervals that has it, so nothing counts twice."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from beszel_hub.metrics.series import NewSample, insert_samples, read_entries
from beszel_hub.metrics.series_tiers import read_summaries
from beszel_hub.metrics.tiers import MINUTE
from beszel_hub.store.database import Database
from beszel_hub.takeover.report import Report, TableReport
from beszel_hub.takeover.source import SourceDatabase
from beszel_hub.takeover.statistics import metrics_of_containers, metrics_of_system
from beszel_hub.takeover.values import instant_of, json_of
from beszel_protocol.sample import Metrics

INTERVALS: Final = ("1m", "10m", "20m", "120m", "480m")
"""Finest first; each is kept longer than the one before."""
MAX_ROWS: Final = 100_000
"""Of one system, table and interval; Beszel keeps 90."""
_BATCH: Final = 500
_NOTHING: Final = Metrics()
_encoder: Final = msgspec.json.Encoder()


def take_statistics(
    database: Database, source: SourceDatabase, system_ids: list[str], report: Report, *, now_ms: int, dry_run: bool
) -> None:
    """As samples at their times, from which the hub makes minutes and longer buckets as from any that come late."""
    for name in ("system_stats", "container_stats"):
        table = report.table(name)
        total = source.count(name)
        for system_id in system_ids:
            for kind in INTERVALS:
                _take(database, source, system_id, kind, table, now_ms, dry_run=dry_run)
        others = total - table.found
        if others > 0:
            table.leave_out("their system was not taken over, or their interval is unknown", others)
    if any(table.taken for table in report.tables[-2:]):
        report.notes.append(
            "Statistics stand in history at their own times, as means over 1, 10, 20, 120 or 480 minutes; their peaks"
            " are not taken over."
        )


def _take(
    database: Database, source: SourceDatabase, system_id: str, kind: str, table: TableReport, now_ms: int,
    *, dry_run: bool,
) -> None:  # fmt: skip
    batch: list[NewSample] = []
    for sample in _samples(source, system_id, kind, table, now_ms):
        batch.append(sample)
        if len(batch) == _BATCH:
            _store(database, batch, table, dry_run=dry_run)
            batch = []
    if batch:
        _store(database, batch, table, dry_run=dry_run)


def _samples(source: SourceDatabase, system_id: str, kind: str, table: TableReport, now_ms: int) -> Iterator[NewSample]:
    finer_ms = _first_finer(source, table.table, system_id, kind)
    for number, row in enumerate(source.statistics(table.table, system_id, kind)):
        instant_ms = instant_of(row, "created")
        if number >= MAX_ROWS:
            table.leave_out(f"a system has more than {MAX_ROWS:,} of one interval")
        elif instant_ms is None or instant_ms > now_ms:
            table.leave_out("its time cannot be")
        elif finer_ms is not None and instant_ms >= finer_ms:
            table.leave_out("a finer interval covers the same time")
        else:
            stats = json_of(row, "stats")
            metrics = metrics_of_system(stats) if isinstance(stats, dict) else metrics_of_containers(stats)
            if metrics == _NOTHING:
                table.leave_out("nothing in it can be read")
            else:
                yield NewSample(system_id, instant_ms, 0, _encoder.encode(metrics))


def _first_finer(source: SourceDatabase, table: str, system_id: str, kind: str) -> int | None:
    """From when on a finer interval has rows."""
    finer = INTERVALS[: INTERVALS.index(kind)]
    firsts = [instant_of(row, "created") for each in finer for row in _first(source, table, system_id, each)]
    return min((first for first in firsts if first is not None), default=None)


def _first(source: SourceDatabase, table: str, system_id: str, kind: str) -> Iterator[dict[str, object]]:
    for row in source.statistics(table, system_id, kind):
        yield row
        return


def _store(database: Database, batch: list[NewSample], table: TableReport, *, dry_run: bool) -> None:
    """Add what history does not have yet."""
    wants_containers = table.table == "container_stats"
    present = database.read_now(lambda: _present(batch, wants_containers=wants_containers))
    new: list[NewSample] = []
    for sample in batch:
        if sample.instant in present or sample.instant // MINUTE.bucket_ms in present:
            table.skip_present()
        else:
            present.add(sample.instant)
            new.append(sample)
            table.take()
    if new and not dry_run:
        database.write_now(lambda: insert_samples(new))


def _present(batch: list[NewSample], *, wants_containers: bool) -> set[int]:
    """Instants of samples that are here, and the numbers of minutes that are, once their samples are gone.

    Beszel writes the rows of a system and of its containers at once, so they may stand at the very same instant.
    """
    system_id, instants = batch[0].system_id, [sample.instant for sample in batch]
    from_ms, to_ms = min(instants), max(instants) + 1
    entries = read_entries(system_id, from_ms, to_ms)
    found = {entry.instant_ms for entry in entries if _has(entry.document.keys(), wants_containers=wants_containers)}
    for name, summary in read_summaries(system_id, MINUTE, from_ms, to_ms).items():
        if name.startswith("containers[") == wants_containers:
            found |= {number for number, bucket in enumerate(summary.buckets, summary.start) if bucket.readings}
    return found


def _has(parts: AbstractSet[str], *, wants_containers: bool) -> bool:
    return "containers" in parts if wants_containers else bool(parts - {"containers"})
