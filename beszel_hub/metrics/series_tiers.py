"""The chunks of tiers in the database. The functions run inside `Database.read` or `Database.write`."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import peewee

from beszel_hub.metrics.series_codec import DamagedChunk
from beszel_hub.metrics.summaries import Summary, add_late, join
from beszel_hub.metrics.tables import HistoryFloor, RollupRow
from beszel_hub.metrics.tier_codec import TierChunk, seal_tier, unseal_tier
from beszel_hub.metrics.tiers import Tier
from beszel_hub.store.prepared import Prepared
from beszel_hub.store.tables import bound_dialect

log = logging.getLogger(__name__)


class TierRow(NamedTuple):
    """One chunk as it is stored."""

    id: int
    first: int
    last: int
    data: bytes


class Replacement(NamedTuple):
    """A chunk that takes the place of others."""

    system_id: str
    tier: Tier
    old_ids: Sequence[int]
    first: int
    last: int
    numbers: int
    data: bytes


_OVERLAPPING: Final = Prepared(
    5,
    lambda system_id, tier, earliest, latest, from_ms: (
        RollupRow.select(RollupRow.id, RollupRow.first, RollupRow.last, RollupRow.data)
        .where(
            (RollupRow.system_id == system_id)
            & (RollupRow.tier == tier)
            & RollupRow.first.between(earliest, latest)
            & (RollupRow.last > from_ms)
        )
        .order_by(RollupRow.first)
    ),
)
_FLOORS: Final = Prepared(
    1,
    lambda system_id: HistoryFloor.select(HistoryFloor.tier, HistoryFloor.instant).where(
        HistoryFloor.system_id == system_id
    ),
)


def read_rows(system_id: str, tier: Tier, from_ms: int, to_ms: int) -> list[TierRow]:
    """The chunks that overlap a range of time, in the order of time."""
    rows = _OVERLAPPING.rows(system_id, tier.seconds, from_ms - tier.span_ms, to_ms - 1, from_ms)
    return [TierRow(row_id, first, last, bytes(data)) for row_id, first, last, data in rows]


def read_chunks(system_id: str, tier: Tier, from_ms: int, to_ms: int) -> Iterator[tuple[TierRow, TierChunk]]:
    """Likewise, decoded; damaged ones are reported and left out."""
    for row in read_rows(system_id, tier, from_ms, to_ms):
        chunk = _decode(system_id, row)
        if chunk is not None:
            yield row, chunk


def read_summaries(system_id: str, tier: Tier, from_ms: int, to_ms: int) -> dict[str, Summary]:
    """Every series between two borders of buckets."""
    return read_covered(system_id, tier, from_ms, to_ms)[0]


def read_covered(system_id: str, tier: Tier, from_ms: int, to_ms: int) -> tuple[dict[str, Summary], int]:
    """Likewise, and until when what could be read tells everything: `from_ms` if there was nothing."""
    parts: dict[str, list[Summary]] = {}
    start, end = from_ms // tier.bucket_ms, -(-to_ms // tier.bucket_ms)
    covered_ms = from_ms
    for row, chunk in read_chunks(system_id, tier, from_ms, to_ms):
        covered_ms = max(covered_ms, row.last)
        for address, summary in _summaries(system_id, chunk).items():
            inside = summary.cut(start, end)
            if inside is not None:
                parts.setdefault(address, []).append(inside)
    return _joined(parts), covered_ms


def splice(
    system_id: str, tier: Tier, from_ms: int, to_ms: int, summaries: Mapping[str, Summary], *,
    is_late: bool, reach_ms: int,
) -> Replacement | None:  # fmt: skip
    """A chunk with `summaries` in place of what `tier` has between two borders of buckets, or added to it if late.

    The other chunks of the stretch of `reach_ms` it lies in become part of it. None if there is nothing to store.
    """
    start, end = from_ms // tier.bucket_ms, to_ms // tier.bucket_ms
    rows = read_rows(system_id, tier, from_ms - from_ms % reach_ms, to_ms + -to_ms % reach_ms)
    parts: dict[str, list[Summary]] = {address: [summary] for address, summary in summaries.items()}
    for row in rows:
        chunk = _decode(system_id, row)
        for address, summary in _summaries(system_id, chunk).items() if chunk is not None else ():
            outside = [summary.cut(summary.start, start), summary.cut(end, summary.end)]
            inside = summary.cut(start, end) if is_late else None
            found = parts.setdefault(address, [])
            if inside is not None:
                found[:1] = [add_late(inside, found[0])] if address in summaries and found else [inside]
            found.extend(part for part in outside if part is not None)
    joined = _joined(parts)
    if not joined:
        return None
    sealed = seal_tier(joined)
    first, last = min([from_ms, *(row.first for row in rows)]), max([to_ms, *(row.last for row in rows)])
    return Replacement(system_id, tier, [row.id for row in rows], first, last, sealed.numbers, sealed.data)


def compact(
    system_id: str, tier: Tier, from_ms: int, to_ms: int, summaries: Mapping[str, Summary]
) -> Replacement | None:
    """One chunk in place of the many of a span, which hold just these summaries."""
    rows = read_rows(system_id, tier, from_ms, to_ms)
    if len(rows) < 2 or not summaries:
        return None
    sealed = seal_tier(summaries)
    return Replacement(system_id, tier, [row.id for row in rows], from_ms, to_ms, sealed.numbers, sealed.data)


def replace_rows(replacement: Replacement) -> None:
    """Store a chunk and delete those it stands for; if some of them are gone, nothing happens."""
    if replacement.old_ids:
        deleted = RollupRow.delete().where(RollupRow.id.in_(replacement.old_ids)).execute()
        if deleted != len(replacement.old_ids):
            raise peewee.IntegrityError("chunks vanished while they were rolled up")
    bound_dialect().provide_partition("rollups", replacement.first, replacement.tier.seconds)
    RollupRow.insert(
        system_id=replacement.system_id, tier=replacement.tier.seconds, first=replacement.first, last=replacement.last,
        numbers=replacement.numbers, data=replacement.data,
    ).execute()  # fmt: skip


def find_first(system_id: str, tier: Tier) -> int | None:
    """Where a tier of a system begins; None if it has nothing."""
    mine = (RollupRow.system_id == system_id) & (RollupRow.tier == tier.seconds)
    first: int | None = RollupRow.select(peewee.fn.MIN(RollupRow.first)).where(mine).scalar()
    return first


def report_damage(system_id: str, damage: DamagedChunk) -> None:
    log.error("a roll-up of the history of system %s is damaged and left out: %s", system_id, damage)


def floors_of(system_id: str) -> dict[int, int]:
    """Before which instant parts of a tier (0: of single samples) have been deleted, where some have."""
    floors: Iterator[tuple[int, int]] = _FLOORS.rows(system_id)
    return dict(floors)


def floor_of(system_id: str, tier: int) -> int:
    """Likewise of one tier; 0 if nothing has been deleted."""
    return floors_of(system_id).get(tier, 0)


def raise_floor(system_id: str, tier: int, instant_ms: int) -> None:
    floor = max(instant_ms, floor_of(system_id, tier))
    HistoryFloor.insert(system_id=system_id, tier=tier, instant=floor).on_conflict(
        conflict_target=[HistoryFloor.system_id, HistoryFloor.tier], update={HistoryFloor.instant: floor}
    ).execute()


def _decode(system_id: str, row: TierRow) -> TierChunk | None:
    try:
        return unseal_tier(row.data)
    except DamagedChunk as damage:
        log.error("roll-up %d of the history of system %s is damaged and left out: %s", row.id, system_id, damage)
        return None


def _summaries(system_id: str, chunk: TierChunk) -> dict[str, Summary]:
    try:
        return chunk.summaries()
    except DamagedChunk as damage:
        report_damage(system_id, damage)
        return {}


def _joined(parts: Mapping[str, Iterable[Summary]]) -> dict[str, Summary]:
    joined = ((address, join(found)) for address, found in parts.items())
    return {address: summary for address, summary in joined if summary is not None}
