"""History of samples: hot rows, one a sample, and the chunks they are sealed into.

The functions run inside `Database.read` or `Database.write`. Callers see entries and readings, not how they are kept.
"""

import logging
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import peewee

from beszel_hub.metrics.buckets import spacing_of
from beszel_hub.metrics.series_codec import Chunk, DamagedChunk, Entry, seal, unseal
from beszel_hub.metrics.series_lookup import readings_of_document
from beszel_hub.metrics.strands import Strand, gather, join_strands, make_strand, strand_of
from beszel_hub.metrics.tables import ChunkRow, HotSample
from beszel_hub.store.bulk import execute_many
from beszel_hub.store.prepared import Prepared
from beszel_hub.store.tables import bound_dialect
from beszel_protocol.addresses import Address

WINDOW_MS: Final = 300_000
"""Samples are sealed window by window; windows begin at multiples of this. Later, those of an hour become one chunk."""

_LONGEST_CHUNK_MS: Final = 3_600_000

_SAMPLED_FOR_SPACING: Final = 60
log = logging.getLogger(__name__)


class NewSample(NamedTuple):
    system_id: str
    instant: int
    mark: int
    document: bytes


class SealedWindow(NamedTuple):
    """A chunk that is ready to take the place of hot rows, or of other chunks."""

    system_id: str
    first: int
    last: int
    samples: int
    readings: int
    data: bytes
    row_ids: list[int]


def insert_samples(samples: Sequence[NewSample]) -> None:
    if samples:
        execute_many(HotSample.insert_many(samples[:1], fields=_HOT_FIELDS), samples)


def insert_chunk(sealed: SealedWindow) -> None:
    bound_dialect().provide_partition("chunks", sealed.first)
    ChunkRow.insert(
        system_id=sealed.system_id, first=sealed.first, last=sealed.last, samples=sealed.samples,
        readings=sealed.readings, data=sealed.data,
    ).execute()  # fmt: skip


def replace_chunks(sealed: SealedWindow) -> None:
    """Store a chunk in place of others, unless some of them are gone: then nothing happens."""
    if ChunkRow.delete().where(ChunkRow.id.in_(sealed.row_ids)).execute() != len(sealed.row_ids):
        raise peewee.IntegrityError("chunks vanished while they were joined")
    insert_chunk(sealed)


def read_strands(system_id: str, addresses: Sequence[Address], from_ms: int, to_ms: int) -> list[Strand | None]:
    """The readings of each series with `from_ms <= instant < to_ms`, in the order of time."""
    found: list[list[Strand]] = [[] for _ in addresses]
    for _, chunk in read_chunks(system_id, from_ms, to_ms):
        for strands, address in zip(found, addresses, strict=True):
            strand = _strand_or_none(chunk, address)
            if strand is not None:
                strands.append(strand)
    instants, columns = _hot_readings(system_id, addresses, from_ms, to_ms)
    for strands, address, column in zip(found, addresses, columns, strict=True):
        strand = make_strand(address, instants, column)
        if strand is not None:
            strands.append(strand)
    return [join_strands(strands).cut(from_ms, to_ms) if strands else None for strands in found]


def read_all_strands(system_id: str, parts: Container[str], from_ms: int, to_ms: int) -> dict[str, Strand]:
    """Every series of these members of a sample with `from_ms <= instant < to_ms`, by address."""
    chunks = [chunk for _, chunk in read_chunks(system_id, from_ms, to_ms)]
    hot = [Entry(*row) for row in _hot_entries(system_id, parts, from_ms, to_ms)]
    if hot:
        chunks.append(unseal(seal(hot)))  # transposing them is most of the work, whoever does it
    try:
        strands = gather(chunks, parts)
    except DamagedChunk as damage:
        log.error("a part of the history of system %s is damaged and left out: %s", system_id, damage)
        return {}
    cut = ((address, strand.cut(from_ms, to_ms)) for address, strand in strands.items())
    return {address: strand for address, strand in cut if strand is not None}


def _hot_entries(
    system_id: str, parts: Container[str], from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any], int]]:
    for instant, mark, document in _hot_rows(system_id, from_ms, to_ms):
        members: dict[str, Any] = msgspec.json.decode(document)
        yield instant, {name: member for name, member in members.items() if name in parts}, mark


def find_spacing_ms(system_id: str, before_ms: int) -> float | None:
    """The usual time between two samples, at the end of what there is before an instant."""
    instants = [instant for (instant,) in _NEWEST_INSTANTS.rows(system_id, before_ms)]
    if len(instants) > 1:
        return spacing_of(instants)
    row = next(_CHUNK_BEFORE.rows(system_id, before_ms), None) or next(_FIRST_CHUNK.rows(system_id), None)
    if row is None:
        return None
    first_ms, last_ms, samples = map(int, row)
    return (last_ms - first_ms) / (samples - 1)


def read_entries(system_id: str, from_ms: int, to_ms: int, parts: Container[str] | None = None) -> Iterator[Entry]:
    """Samples with `from_ms <= instant < to_ms`, in no order; with `parts`, no more of each than these members."""
    for _, chunk in read_chunks(system_id, from_ms, to_ms):
        try:
            yield from (entry for entry in chunk.entries(parts) if from_ms <= entry.instant_ms < to_ms)
        except DamagedChunk as damage:
            log.error("a part of the history of system %s is damaged and left out: %s", system_id, damage)
    yield from read_hot_entries(system_id, from_ms, to_ms, parts)


def read_hot_entries(system_id: str, from_ms: int, to_ms: int, parts: Container[str] | None = None) -> Iterator[Entry]:
    """Likewise, only those that are in no chunk yet, in the order of time."""
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


def read_chunks(system_id: str, from_ms: int, to_ms: int) -> list[tuple[int, Chunk]]:
    """The chunks that overlap a range, decoded, with the ids of their rows; damaged ones are reported and left out."""
    rows = _OVERLAPPING.rows(system_id, from_ms - _LONGEST_CHUNK_MS, to_ms - 1, from_ms)
    return list(_decoded(system_id, rows))


def _decoded(system_id: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Chunk]]:
    for chunk_id, data in rows:
        try:
            yield chunk_id, unseal(bytes(data))
        except DamagedChunk as damage:
            log.error("chunk %d of the history of system %s is damaged and left out: %s", chunk_id, system_id, damage)


def _overlaps(from_ms: int, to_ms: int) -> Any:
    """No chunk is longer than an hour, which bounds the search from below."""
    return _lies_in(from_ms - _LONGEST_CHUNK_MS, to_ms - 1, from_ms)


def _chunks_with_spacing(system_id: Any) -> Any:
    return ChunkRow.select(ChunkRow.first, ChunkRow.last, ChunkRow.samples).where(
        (ChunkRow.system_id == system_id) & (ChunkRow.samples > 1)
    )


def _lies_in(earliest: Any, latest: Any, from_ms: Any) -> Any:
    return ChunkRow.first.between(earliest, latest) & (ChunkRow.last >= from_ms)


def _strand_or_none(chunk: Chunk, address: Address) -> Strand | None:
    try:
        return strand_of(chunk, address)
    except DamagedChunk as damage:
        log.error("the series %s is damaged in a chunk and left out there: %s", address, damage)
        return None


def _hot_readings(
    system_id: str, addresses: Sequence[Address], from_ms: int, to_ms: int
) -> tuple[list[int], list[list[float | None]]]:
    instants: list[int] = []
    columns: list[list[float | None]] = [[] for _ in addresses]
    for instant, _, document in _hot_rows(system_id, from_ms, to_ms):
        instants.append(instant)
        for column, reading in zip(columns, readings_of_document(document, addresses), strict=True):
            column.append(reading)
    return instants, columns


def _hot_rows(system_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, bytes]]:
    for instant, mark, document in _HOT_SAMPLES.rows(system_id, from_ms, to_ms - 1):
        yield instant, mark, bytes(document)


_OVERLAPPING: Final = Prepared(
    4,
    lambda system_id, earliest, latest, from_ms: (
        ChunkRow.select(ChunkRow.id, ChunkRow.data)
        .where((ChunkRow.system_id == system_id) & _lies_in(earliest, latest, from_ms))
        .order_by(ChunkRow.first)
    ),
)
_HOT_SAMPLES: Final = Prepared(
    3,
    lambda system_id, from_ms, last_ms: (
        HotSample.select(HotSample.instant, HotSample.mark, HotSample.document)
        .where((HotSample.system_id == system_id) & HotSample.instant.between(from_ms, last_ms))
        .order_by(HotSample.instant)
    ),
)
_NEWEST_INSTANTS: Final = Prepared(
    2,
    lambda system_id, before_ms: (
        HotSample.select(HotSample.instant)
        .where((HotSample.system_id == system_id) & (HotSample.instant < before_ms))
        .order_by(HotSample.instant.desc())
        .limit(_SAMPLED_FOR_SPACING)
    ),
)
_CHUNK_BEFORE: Final = Prepared(
    2,
    lambda system_id, before_ms: (
        _chunks_with_spacing(system_id).where(ChunkRow.first < before_ms).order_by(ChunkRow.first.desc()).limit(1)
    ),
)
_FIRST_CHUNK: Final = Prepared(1, lambda system_id: _chunks_with_spacing(system_id).order_by(ChunkRow.first).limit(1))
_HOT_FIELDS: Final = [HotSample.system_id, HotSample.instant, HotSample.mark, HotSample.document]
