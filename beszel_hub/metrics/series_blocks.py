"""The history of many systems, each part of it read with one query. The functions run inside `Database.read`."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from beszel_hub.metrics.series_codec import Chunk, DamagedChunk, unseal
from beszel_hub.metrics.tables import ChunkRow, HotSample, RollupRow
from beszel_hub.metrics.tier_codec import TierChunk, unseal_tier
from beszel_hub.metrics.tiers import HOUR_MS, Tier

log = logging.getLogger(__name__)


def read_hot_block(froms_ms: Mapping[str, int], to_ms: int) -> Iterator[tuple[str, int, bytes]]:
    """System, instant and document of samples that are in no chunk yet, system by system in the order of time.

    `froms_ms` says of each system from when on.
    """
    if not froms_ms:
        return
    rows: Iterable[tuple[str, int, bytes]] = (
        HotSample.select(HotSample.system_id, HotSample.instant, HotSample.document)
        .where(HotSample.system_id.in_(sorted(froms_ms)) & HotSample.instant.between(min(froms_ms.values()), to_ms - 1))
        .order_by(HotSample.system_id, HotSample.instant)
        .tuples()
        .iterator()
    )
    for system_id, instant_ms, document in rows:
        if instant_ms >= froms_ms[system_id]:
            yield system_id, instant_ms, document


def read_chunk_block(froms_ms: Mapping[str, int], to_ms: int) -> Iterator[tuple[str, Chunk]]:
    """Likewise the chunks that overlap the time; damaged ones are reported and left out."""
    if not froms_ms:
        return
    from_ms = min(froms_ms.values())
    rows: Iterable[tuple[int, str, int, bytes]] = (
        ChunkRow.select(ChunkRow.id, ChunkRow.system_id, ChunkRow.last, ChunkRow.data)
        .where(
            ChunkRow.system_id.in_(sorted(froms_ms))
            & ChunkRow.first.between(from_ms - HOUR_MS, to_ms - 1)  # no chunk is longer than an hour
            & (ChunkRow.last >= from_ms)
        )
        .order_by(ChunkRow.system_id, ChunkRow.first)
        .tuples()
        .iterator()
    )
    for chunk_id, system_id, last_ms, data in rows:
        if last_ms < froms_ms[system_id]:
            continue
        try:
            yield system_id, unseal(bytes(data))
        except DamagedChunk as damage:
            log.error("chunk %d of the history of system %s is damaged and left out: %s", chunk_id, system_id, damage)


def read_tier_block(
    system_ids: Sequence[str], tier: Tier, from_ms: int, to_ms: int
) -> Iterator[tuple[str, int, TierChunk]]:
    """System, where it ends, and chunk: those of a tier that overlap the time, likewise."""
    rows: Iterable[tuple[int, str, int, bytes]] = (
        RollupRow.select(RollupRow.id, RollupRow.system_id, RollupRow.last, RollupRow.data)
        .where(
            RollupRow.system_id.in_(system_ids)
            & (RollupRow.tier == tier.seconds)
            & RollupRow.first.between(from_ms - tier.span_ms, to_ms - 1)
            & (RollupRow.last > from_ms)
        )
        .order_by(RollupRow.system_id, RollupRow.first)
        .tuples()
        .iterator()
    )
    for row_id, system_id, last_ms, data in rows:
        try:
            yield system_id, last_ms, unseal_tier(bytes(data))
        except DamagedChunk as damage:
            log.error("roll-up %d of the history of system %s is damaged and left out: %s", row_id, system_id, damage)
