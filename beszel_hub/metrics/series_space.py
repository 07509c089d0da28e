"""What history takes and how it gets smaller: retention by tier, the size limit, and how much is where.

Nothing is deleted that has not been rolled up, and no step takes long. The functions run inside `Database.read` or
`Database.write`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import peewee

from beszel_hub.metrics.series_tiers import raise_floor
from beszel_hub.metrics.tables import ChunkRow, Happening, HotSample, RollupDue, RollupRow, SpoolRow
from beszel_hub.metrics.tiers import DAY_MS, DAY_SECONDS, HOUR_MS, HOUR_SECONDS, RAW, TIERS, Retention
from beszel_hub.store.tables import bound_dialect
from beszel_hub.systems.retention import TIER_NAMES

DELETE_STEP: Final = 500
"""Rows a transaction deletes, so that a writer never waits long."""
SPOOL_KEEP_MS: Final = 90 * DAY_MS
_SPANS_MS: Final = {RAW: HOUR_MS} | {tier.seconds: tier.span_ms for tier in TIERS}
"""History is deleted span by span, so that what is left of one is whole."""


class Place(NamedTuple):
    """A tier of one system."""

    system_id: str
    tier: int


class Expired(NamedTuple):
    """Chunks that go together, and before which instant nothing of theirs is left."""

    place: Place
    ids: list[int]
    before_ms: int


def find_oldest() -> dict[Place, int]:
    """The beginning of what is stored, of each tier of each system."""
    chunks: Iterable[tuple[str, int]] = (
        ChunkRow.select(ChunkRow.system_id, peewee.fn.MIN(ChunkRow.first))
        .group_by(ChunkRow.system_id)
        .tuples()
        .iterator()
    )
    rollups: Iterable[tuple[str, int, int]] = (
        RollupRow.select(RollupRow.system_id, RollupRow.tier, peewee.fn.MIN(RollupRow.first))
        .group_by(RollupRow.system_id, RollupRow.tier)
        .tuples()
        .iterator()
    )
    oldest = {Place(system_id, RAW): first for system_id, first in chunks}
    return oldest | {Place(system_id, tier): first for system_id, tier, first in rollups}


def find_expired(place: Place, cutoff_ms: int) -> Expired | None:
    """The oldest chunks that ended by `cutoff_ms` and are rolled up, no more than a step; None if there are none."""
    span_ms = _SPANS_MS[place.tier]
    cutoff_ms = _rolled_up_until(place, cutoff_ms - cutoff_ms % span_ms)
    table: Any = ChunkRow if place.tier == RAW else RollupRow
    condition: Any = (table.system_id == place.system_id) & (table.first < cutoff_ms)
    if place.tier != RAW:
        condition &= RollupRow.tier == place.tier
    rows: list[tuple[int, int]] = list(
        table.select(table.id, table.first)
        .where(condition)
        .order_by(table.first)
        .limit(DELETE_STEP)
        .tuples()
        .iterator()
    )
    if not rows:
        return None
    before_ms = cutoff_ms
    if len(rows) == DELETE_STEP:
        newest = rows[-1][1]
        before_ms = newest - newest % span_ms
    ids = [row_id for row_id, first in rows if first < before_ms]
    if not ids:  # one span has more chunks than a step
        before_ms += span_ms
        ids = [
            row_id
            for (row_id,) in table.select(table.id).where(condition & (table.first < before_ms)).tuples().iterator()
        ]
    return Expired(place, ids, before_ms)


def delete_expired(expired: Expired) -> int:
    """How many rows went. What comes later than this is added to the roll-ups, which can no longer be made again."""
    tier = expired.place.tier
    raise_floor(expired.place.system_id, tier, expired.before_ms)
    table = ChunkRow if tier == RAW else RollupRow
    deleted = int(table.delete().where(table.id.in_(expired.ids)).execute())
    if tier == RAW:
        bound_dialect().drop_partitions("chunks", expired.before_ms)
    else:
        bound_dialect().drop_partitions("rollups", expired.before_ms, tier)
    return deleted


def delete_happenings(cutoff_ms: int, now_ms: int) -> int:
    """Up to a step of events and gaps before `cutoff_ms`, and spools nobody has written to for long."""
    SpoolRow.delete().where(SpoolRow.updated < now_ms - SPOOL_KEEP_MS).execute()
    step = Happening.select(Happening.id).where(Happening.instant < cutoff_ms).limit(DELETE_STEP)
    return int(Happening.delete().where(Happening.id.in_(step)).execute())


def find_finest() -> tuple[int, int] | None:
    """The finest tier with something rolled up to delete, and the end of its oldest such span."""
    oldest = find_oldest()
    for tier, span_ms in _SPANS_MS.items():
        ends = [(place, first - first % span_ms + span_ms) for place, first in oldest.items() if place.tier == tier]
        done = [end_ms for place, end_ms in ends if _rolled_up_until(place, end_ms) == end_ms]
        if done:
            return tier, min(done)
    return None


def _rolled_up_until(place: Place, instant_ms: int) -> int:
    """`instant_ms`, or an earlier one if what lies before still has to be rolled up."""
    span = {RAW: HOUR_SECONDS}.get(place.tier, DAY_SECONDS)
    oldest: int | None = (
        RollupDue.select(peewee.fn.MIN(RollupDue.start))
        .where((RollupDue.system_id == place.system_id) & (RollupDue.span <= span))
        .scalar()
    )
    return instant_ms if oldest is None else min(instant_ms, oldest - oldest % _SPANS_MS[place.tier])


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one tier takes, of one system or of all."""

    bytes: int = 0
    numbers: int = 0
    rows: int = 0
    oldest_ms: int | None = None

    @property
    def bytes_per_value(self) -> float | None:
        return self.bytes / self.numbers if self.numbers else None

    def __add__(self, other: "Usage") -> "Usage":
        oldest = [instant for instant in (self.oldest_ms, other.oldest_ms) if instant is not None]
        return Usage(
            bytes=self.bytes + other.bytes,
            numbers=self.numbers + other.numbers,
            rows=self.rows + other.rows,
            oldest_ms=min(oldest, default=None),
        )


def measure_usage() -> dict[tuple[str, str], Usage]:
    """By system and name of the tier; `hot` are the samples that are not sealed yet."""
    size, count, oldest = peewee.fn.SUM, peewee.fn.COUNT, peewee.fn.MIN
    length = peewee.fn.LENGTH
    chunks = ChunkRow.select(
        ChunkRow.system_id, peewee.Value(RAW), size(length(ChunkRow.data)), size(ChunkRow.readings),
        count(ChunkRow.id), oldest(ChunkRow.first),
    ).group_by(ChunkRow.system_id)  # fmt: skip
    rollups = RollupRow.select(
        RollupRow.system_id, RollupRow.tier, size(length(RollupRow.data)), size(RollupRow.numbers),
        count(RollupRow.id), oldest(RollupRow.first),
    ).group_by(RollupRow.system_id, RollupRow.tier)  # fmt: skip
    hot = HotSample.select(
        HotSample.system_id, peewee.Value(-1), size(length(HotSample.document)), peewee.Value(0), count(HotSample.id),
        oldest(HotSample.instant),
    ).group_by(HotSample.system_id)  # fmt: skip
    queries: tuple[Any, ...] = (hot, chunks, rollups)
    names: Mapping[int, str] = {-1: "hot", **dict(zip(_SPANS_MS, TIER_NAMES, strict=True))}
    return {
        (system_id, names.get(tier, str(tier))): Usage(
            bytes=int(used), numbers=int(numbers), rows=rows, oldest_ms=first
        )
        for query in queries
        for system_id, tier, used, numbers, rows, first in query.tuples().iterator()
    }


def cutoff_of(place: Place, retention: Retention, now_ms: int) -> int | None:
    """Before when a tier of a system is deleted; None for never."""
    seconds = retention.seconds(place.tier)
    return None if seconds is None else now_ms - seconds * 1000
