"""History of samples: hot rows, one a sample, and the chunks they are sealed into.

The functions run inside `Database.read` or `Database.write`. Callers see entries and readings, not how they are kept.
"""

import logging
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import peewee

from beszel_hub.metrics.series_codec import Chunk, DamagedChunk, Entry, unseal
from beszel_hub.metrics.series_lookup import Readings, readings_of_chunk, readings_of_document
from beszel_hub.metrics.tables import ChunkRow, HotSample
from beszel_protocol.addresses import Address

WINDOW_MS: Final = 300_000
"""A chunk holds samples of one window; windows begin at multiples of this."""

_INSERT_ROWS: Final = 200
log = logging.getLogger(__name__)


class NewSample(NamedTuple):
    system_id: str
    instant: int
    mark: int
    document: bytes


class Stretch(NamedTuple):
    """Consecutive instants with the readings of each asked series."""

    instants_ms: list[int]
    readings: list[Readings]


def insert_samples(samples: Sequence[NewSample]) -> None:
    for start in range(0, len(samples), _INSERT_ROWS):
        HotSample.insert_many(samples[start : start + _INSERT_ROWS], fields=_HOT_FIELDS).execute()


def read_readings(system_id: str, addresses: Sequence[Address], from_ms: int, to_ms: int) -> Iterator[Stretch]:
    """Readings with `from_ms <= instant < to_ms`; stretches may overlap in time."""
    for chunk in _chunks(system_id, from_ms, to_ms):
        readings = [_readings_or_none(chunk, address) for address in addresses]
        yield Stretch(chunk.instants_ms, readings)
    rows = list(_hot_rows(system_id, from_ms, to_ms))
    by_sample = [readings_of_document(document, addresses) for _, _, document in rows]
    yield Stretch([instant for instant, _, _ in rows], [list(column) for column in zip(*by_sample, strict=True)])


def read_entries(system_id: str, from_ms: int, to_ms: int, parts: Container[str] | None = None) -> Iterator[Entry]:
    """Samples with `from_ms <= instant < to_ms`, in no order; with `parts`, no more of each than these members."""
    for chunk in _chunks(system_id, from_ms, to_ms):
        try:
            yield from (entry for entry in chunk.entries(parts) if from_ms <= entry.instant_ms < to_ms)
        except DamagedChunk as damage:
            log.error("a part of the history of system %s is damaged and left out: %s", system_id, damage)
    for instant, mark, document in _hot_rows(system_id, from_ms, to_ms):
        members: dict[str, Any] = msgspec.json.decode(document)
        if parts is not None:
            members = {name: member for name, member in members.items() if name in parts}
        yield Entry(instant, members, mark)


def count_samples(system_ids: Sequence[str], from_ms: int, to_ms: int) -> int:
    """At least as many samples as `read_entries` would give for these systems."""
    hot = (
        HotSample.select()
        .where(HotSample.system_id.in_(system_ids) & HotSample.instant.between(from_ms, to_ms - 1))
        .count()
    )
    sealed = (
        ChunkRow.select(peewee.fn.SUM(ChunkRow.samples))
        .where(ChunkRow.system_id.in_(system_ids) & _overlaps(from_ms, to_ms))
        .scalar()
    )
    return hot + int(sealed or 0)


def read_newest(system_id: str) -> Entry | None:
    """The newest sample of a system."""
    hot = HotSample.select().where(HotSample.system_id == system_id).order_by(HotSample.instant.desc()).first()
    if hot is not None:
        return Entry(hot.instant, msgspec.json.decode(bytes(hot.document)), hot.mark)
    sealed = ChunkRow.select().where(ChunkRow.system_id == system_id).order_by(ChunkRow.first.desc()).first()
    try:
        return None if sealed is None else unseal(bytes(sealed.data)).newest()
    except DamagedChunk as damage:
        log.error("chunk %d of the history of system %s is damaged: %s", sealed.id, system_id, damage)
        return None


def _chunks(system_id: str, from_ms: int, to_ms: int) -> Iterator[Chunk]:
    rows: Iterable[tuple[int, bytes]] = (
        ChunkRow.select(ChunkRow.id, ChunkRow.data)
        .where((ChunkRow.system_id == system_id) & _overlaps(from_ms, to_ms))
        .order_by(ChunkRow.first)
        .tuples()
        .iterator()
    )
    for chunk_id, data in rows:
        try:
            yield unseal(bytes(data))
        except DamagedChunk as damage:
            log.error("chunk %d of the history of system %s is damaged and left out: %s", chunk_id, system_id, damage)


def _overlaps(from_ms: int, to_ms: int) -> Any:
    """No chunk is longer than a window, which bounds the search from below."""
    return ChunkRow.first.between(from_ms - WINDOW_MS, to_ms - 1) & (ChunkRow.last >= from_ms)


def _readings_or_none(chunk: Chunk, address: Address) -> Readings:
    try:
        return readings_of_chunk(chunk, address)
    except DamagedChunk as damage:
        log.error("the series %s is damaged in a chunk and left out there: %s", address, damage)
        return [None] * chunk.count


def _hot_rows(system_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, bytes]]:
    rows: Iterable[tuple[int, int, bytes]] = (
        HotSample.select(HotSample.instant, HotSample.mark, HotSample.document)
        .where((HotSample.system_id == system_id) & HotSample.instant.between(from_ms, to_ms - 1))
        .order_by(HotSample.instant)
        .tuples()
        .iterator()
    )
    for instant, mark, document in rows:
        yield instant, mark, bytes(document)


_HOT_FIELDS: Final = [HotSample.system_id, HotSample.instant, HotSample.mark, HotSample.document]
