"""Making the tiers: an hour of samples into minutes, a day of minutes into ten minutes and eight hours.

What has to be made stands in `rollups_due` from the moment its samples are sealed, so that nothing is forgotten while
the hub is down; whatever is made again replaces what was made before. Only samples so late that their neighbours are
deleted already are added to what is there. The functions run inside `Database.read` or `Database.write`.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import peewee

from beszel_hub.metrics.rollup import fold
from beszel_hub.metrics.series import SealedWindow, read_chunks, replace_chunks
from beszel_hub.metrics.series_codec import MAX_CHUNK_SAMPLES, Chunk, DamagedChunk, merge_chunks
from beszel_hub.metrics.series_tiers import (
    Replacement,
    compact,
    floor_of,
    read_rows,
    read_summaries,
    replace_rows,
    splice,
)
from beszel_hub.metrics.strands import gather
from beszel_hub.metrics.summaries import Summary
from beszel_hub.metrics.tables import ChunkRow, HotSample, RollupDue, RollupRow
from beszel_hub.metrics.tiers import DAY_SECONDS, EIGHT_HOURS, HOUR_MS, HOUR_SECONDS, MINUTE, RAW, TEN_MINUTES

LATENESS_MS: Final = 120_000
"""How long after its end an hour or a day is rolled up; longer than its last samples take to be sealed."""
_DUE_LIMIT: Final = 200
_SHARING_MS: Final = 4 * HOUR_MS

log = logging.getLogger(__name__)


class Due(NamedTuple):
    """An hour or a day of one system."""

    system_id: str
    span: int
    start_ms: int
    revision: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.span * 1000


class RolledUp(NamedTuple):
    """What is ready to be stored for a span."""

    due: Due
    replacements: list[Replacement]
    whole: SealedWindow | None
    """The samples of an hour as one chunk."""
    spent_chunks: list[int]
    """Late samples that are in the roll-ups now and must not be counted again."""
    spent_rollups: list[int]
    """Likewise, buckets."""


def mark_due(system_id: str, span: int, instant_ms: int) -> None:
    """Have the span in which the instant lies rolled up."""
    start = instant_ms - instant_ms % (span * 1000)
    RollupDue.insert(system_id=system_id, span=span, start=start, revision=0).on_conflict(
        conflict_target=[RollupDue.system_id, RollupDue.span, RollupDue.start],
        update={RollupDue.revision: RollupDue.revision + 1},
    ).execute()


def find_rollups(now_ms: int) -> list[Due]:
    """Spans that are over and whose samples are all sealed, hours first, oldest first; up to some hundred at a time.

    Roll-ups stand for all of their span, so what is still to be sealed would be hidden behind them meanwhile.
    """
    end_ms = RollupDue.start + RollupDue.span * 1000
    hot = HotSample.select(peewee.Value(1)).where(
        (HotSample.system_id == RollupDue.system_id)
        & (HotSample.instant >= RollupDue.start)
        & (HotSample.instant < end_ms)
    )
    rows: Iterable[tuple[str, int, int, int]] = (
        RollupDue.select(RollupDue.system_id, RollupDue.span, RollupDue.start, RollupDue.revision)
        .where((end_ms <= now_ms - LATENESS_MS) & ~peewee.fn.EXISTS(hot))
        .order_by(RollupDue.span, RollupDue.start)
        .limit(_DUE_LIMIT)
        .tuples()
        .iterator()
    )
    return [Due(*row) for row in rows]


def roll_up(due: Due) -> RolledUp:
    """Read and summarise a span; the work of a reader."""
    return _roll_hour(due) if due.span == HOUR_SECONDS else _roll_day(due)


def store_rollup(rolled: RolledUp) -> None:
    """Put the summaries of a span in place; a change since they were read leaves it due."""
    due = rolled.due
    for replacement in rolled.replacements:
        replace_rows(replacement)
    if rolled.whole is not None:
        replace_chunks(rolled.whole)
    if rolled.spent_chunks:
        ChunkRow.delete().where(ChunkRow.id.in_(rolled.spent_chunks)).execute()
    if rolled.spent_rollups:
        RollupRow.delete().where(RollupRow.id.in_(rolled.spent_rollups)).execute()
    RollupDue.delete().where(
        (RollupDue.system_id == due.system_id)
        & (RollupDue.span == due.span)
        & (RollupDue.start == due.start_ms)
        & (RollupDue.revision == due.revision)
    ).execute()
    if due.span == HOUR_SECONDS and rolled.replacements:
        mark_due(due.system_id, DAY_SECONDS, due.start_ms)


def _roll_hour(due: Due) -> RolledUp:
    is_late = due.end_ms <= floor_of(due.system_id, RAW)
    found = dict(read_chunks(due.system_id, due.start_ms, due.end_ms))
    try:
        summaries = fold(gather(found.values()), MINUTE.bucket_ms)
        whole = None if is_late else _join_hour(due.system_id, found)
    except DamagedChunk as damage:
        # A checksum held, and yet a column makes no sense: better no roll-up than one that is asked for every time.
        log.error("an hour of the history of system %s is damaged and not rolled up: %s", due.system_id, damage)
        return RolledUp(due, [], None, [], [])
    # Until the day is over a few hours share a chunk: what reading and what writing costs are balanced.
    replacement = splice(
        due.system_id, MINUTE, due.start_ms, due.end_ms, summaries, is_late=is_late, reach_ms=_SHARING_MS
    )
    replacements = [] if replacement is None else [replacement]
    return RolledUp(due, replacements, whole, list(found) if is_late else [], [])


def _join_hour(system_id: str, chunks: Mapping[int, Chunk]) -> SealedWindow | None:
    """Longer columns compress better, and there are fewer to read."""
    filled = [chunk for chunk in chunks.values() if chunk.count]
    count = sum(chunk.count for chunk in filled)
    if len(filled) < 2 or count > MAX_CHUNK_SAMPLES:
        return None
    sealed = merge_chunks(filled)
    first, last = min(chunk.instants_ms[0] for chunk in filled), max(chunk.instants_ms[-1] for chunk in filled)
    return SealedWindow(system_id, first, last, count, sealed.readings, sealed.data, list(chunks))


def _roll_day(due: Due) -> RolledUp:
    system_id, from_ms, to_ms = due.system_id, due.start_ms, due.end_ms
    is_late = to_ms <= floor_of(system_id, MINUTE.seconds)
    minutes = read_summaries(system_id, MINUTE, from_ms, to_ms)
    tens = _coarsened(minutes, TEN_MINUTES.seconds // MINUTE.seconds)
    eights = _coarsened(tens, EIGHT_HOURS.seconds // TEN_MINUTES.seconds)
    replacements = [
        None if is_late else compact(system_id, MINUTE, from_ms, to_ms, minutes),
        splice(system_id, TEN_MINUTES, from_ms, to_ms, tens, is_late=is_late, reach_ms=TEN_MINUTES.span_ms),
        splice(system_id, EIGHT_HOURS, from_ms, to_ms, eights, is_late=is_late, reach_ms=EIGHT_HOURS.span_ms),
    ]
    spent = [row.id for row in read_rows(system_id, MINUTE, from_ms, to_ms)] if is_late else []
    return RolledUp(due, [replacement for replacement in replacements if replacement is not None], None, [], spent)


def _coarsened(summaries: dict[str, Summary], factor: int) -> dict[str, Summary]:
    return {address: summary.coarsened(factor) for address, summary in summaries.items()}
