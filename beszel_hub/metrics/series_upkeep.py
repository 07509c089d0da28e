"""Sealing samples, and removing deleted systems' history. The functions run inside `Database.read` or `.write`."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import peewee

from beszel_hub.metrics.series import WINDOW_MS, SealedWindow, insert_chunk
from beszel_hub.metrics.series_codec import MAX_CHUNK_SAMPLES, Entry, seal_counted
from beszel_hub.metrics.series_rollup import mark_due
from beszel_hub.metrics.series_space import DELETE_STEP
from beszel_hub.metrics.tables import (
    ChunkRow,
    Happening,
    HistoryFloor,
    HistoryRemoval,
    HotSample,
    RollupDue,
    RollupRow,
    SpoolRow,
)
from beszel_hub.metrics.tiers import HOUR_SECONDS


class Window(NamedTuple):
    system_id: str
    start_ms: int


def find_due(before_ms: int) -> list[Window]:
    """Windows with hot samples that had ended by `before_ms`."""
    number = (HotSample.instant / WINDOW_MS).alias("number")  # a division of integers, which rounds down
    rows: Iterable[tuple[str, int]] = (
        HotSample.select(HotSample.system_id, number)
        .where(HotSample.instant < before_ms - before_ms % WINDOW_MS)
        .distinct()
        .tuples()
        .iterator()
    )
    return [Window(system_id, number * WINDOW_MS) for system_id, number in rows]


def seal_window(window: Window) -> SealedWindow | None:
    """Read and compress a window's hot samples, at most what one chunk takes."""
    rows: list[tuple[int, int, int, bytes]] = list(
        HotSample.select(HotSample.id, HotSample.instant, HotSample.mark, HotSample.document)
        .where(
            (HotSample.system_id == window.system_id)
            & HotSample.instant.between(window.start_ms, window.start_ms + WINDOW_MS - 1)
        )
        .order_by(HotSample.instant)
        .limit(MAX_CHUNK_SAMPLES)
        .tuples()
        .iterator()
    )
    if not rows:
        return None
    entries = [Entry(instant, msgspec.json.decode(bytes(document)), mark) for _, instant, mark, document in rows]
    sealed = seal_counted(entries)
    return SealedWindow(
        window.system_id, rows[0][1], rows[-1][1], len(rows), sealed.readings, sealed.data,
        [row_id for row_id, *_ in rows],
    )  # fmt: skip


def replace_by_chunk(sealed: SealedWindow) -> None:
    """Store the chunk and delete its hot rows, unless some of them are gone: then nothing happens."""
    rows = HotSample.id.in_(sealed.row_ids)
    if HotSample.delete().where(rows).execute() != sealed.samples:
        raise peewee.IntegrityError("hot samples vanished while they were sealed")
    insert_chunk(sealed)
    mark_due(sealed.system_id, HOUR_SECONDS, sealed.first)


def request_removal(system_id: str, now_ms: int) -> None:
    """Note that the history of a system must go."""
    HistoryRemoval.insert(system_id=system_id, requested=now_ms).on_conflict_ignore().execute()


def remove_step() -> int:
    """Delete up to a step of history of deleted systems; how many rows went, 0 once there is nothing left."""
    removal = HistoryRemoval.select().order_by(HistoryRemoval.requested).first()
    if removal is None:
        return 0
    for table in (HotSample, ChunkRow, RollupRow, Happening):
        deleted = _delete_step(table, table.system_id == removal.system_id)
        if deleted:
            return deleted
    for others in (SpoolRow, RollupDue, HistoryFloor):
        others.delete().where(others.system_id == removal.system_id).execute()
    return int(HistoryRemoval.delete().where(HistoryRemoval.system_id == removal.system_id).execute())


def _delete_step(table: Any, condition: Any) -> int:
    step = table.select(table.id).where(condition).limit(DELETE_STEP)
    return int(table.delete().where(table.id.in_(step)).execute())
