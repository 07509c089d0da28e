"""Where history has something; runs inside `Database.read`."""

from collections.abc import Collection
from typing import Any, Final

import peewee

from beszel_hub.metrics.tables import ChunkRow, HotSample, RollupRow
from beszel_hub.metrics.tiers import HOUR_MS, Tier

LONGEST_CHUNK_MS: Final = HOUR_MS
"""No chunk of samples spans more, which bounds the search from below."""


def next_instant(system_id: str, from_ms: int, to_ms: int, tiers: Collection[Tier] = ()) -> int | None:
    """A lower bound of the first instant with `from_ms <= instant < to_ms` of a sample or a bucket, None without one.

    An export skips what is empty by it, so that asking from 1970 on costs nothing.
    """
    if from_ms >= to_ms:
        return None
    found = [
        _least(HotSample.instant, (HotSample.system_id == system_id) & HotSample.instant.between(from_ms, to_ms - 1)),
        _least(ChunkRow.first, _chunks(system_id, from_ms, to_ms)),
    ]
    for tier in tiers:
        mine = (RollupRow.system_id == system_id) & (RollupRow.tier == tier.seconds)
        reaches = RollupRow.first.between(from_ms - tier.span_ms, to_ms - 1) & (RollupRow.last > from_ms)
        found.append(_least(RollupRow.first, mine & reaches))
    return min((max(from_ms, instant) for instant in found if instant is not None), default=None)


def chunk_ids(system_id: str, from_ms: int, to_ms: int) -> tuple[int, ...]:
    """Which chunks of samples overlap a range of time."""
    query = ChunkRow.select(ChunkRow.id).where(_chunks(system_id, from_ms, to_ms)).order_by(ChunkRow.id)
    return tuple(int(chunk_id) for (chunk_id,) in query.tuples().iterator())


def _chunks(system_id: str, from_ms: int, to_ms: int) -> Any:
    reaches = ChunkRow.first.between(from_ms - LONGEST_CHUNK_MS, to_ms - 1) & (ChunkRow.last >= from_ms)
    return (ChunkRow.system_id == system_id) & reaches


def _least(column: Any, condition: Any) -> int | None:
    least = column.model.select(peewee.fn.MIN(column)).where(condition).scalar()
    return None if least is None else int(least)
