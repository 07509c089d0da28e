"""Where history has something; runs inside `Database.read`."""

from typing import Any, Final

import peewee

from beszel_hub.metrics.tables import ChunkRow, HotSample

LONGEST_CHUNK_MS: Final = 3_600_000
"""More than the samples of any chunk span, which bounds the search from below."""


def next_instant(system_id: str, from_ms: int, to_ms: int) -> int | None:
    """A lower bound of the first instant with `from_ms <= instant < to_ms` that has a sample, None without one.

    An export skips what is empty by it, so that asking from 1970 on costs nothing.
    """
    if from_ms >= to_ms:
        return None
    hot = _least(HotSample.instant, (HotSample.system_id == system_id) & HotSample.instant.between(from_ms, to_ms - 1))
    sealed = _least(
        ChunkRow.first,
        (ChunkRow.system_id == system_id)
        & ChunkRow.first.between(from_ms - LONGEST_CHUNK_MS, to_ms - 1)
        & (ChunkRow.last >= from_ms),
    )
    found = [max(from_ms, instant) for instant in (hot, sealed) if instant is not None]
    return min(found, default=None)


def _least(column: Any, condition: Any) -> int | None:
    least = column.model.select(peewee.fn.MIN(column)).where(condition).scalar()
    return None if least is None else int(least)
