"""Single readings of a system, from sealed hours and from what is not sealed yet; runs inside `Database.read`."""

import logging
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from beszel_hub.export.queries import chunk_ids
from beszel_hub.export.selection import Names
from beszel_hub.metrics.series import read_chunks, read_hot_entries
from beszel_hub.metrics.series_codec import Chunk, DamagedChunk
from beszel_hub.metrics.strands import Strand, join_strands, strands_of
from beszel_hub.metrics.tiers import HOUR_MS
from beszel_protocol.addresses import flatten
from beszel_protocol.sample import Metrics

log: Final = logging.getLogger(__name__)


class Value(NamedTuple):
    instant_ms: int
    value: float


class _Hour(NamedTuple):
    """The sealed series of one hour, kept while its pages are read."""

    system_id: str
    chunks: tuple[int, ...]
    strands: dict[str, Strand]


class SampleReader:
    """Gives the readings of a span that lies within one hour, by series."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._hour = _Hour("", (), {})

    def read(self, system_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[str, list[Value]]]:
        """Every series that is asked for and has readings with `from_ms <= instant < to_ms`, sealed ones first."""
        for name, strand in self._sealed(system_id, from_ms).items():
            part = strand.cut(from_ms, to_ms)
            if part is not None:
                divisor = 10 ** (part.places or 0)
                values = part.values if divisor == 1 else [value / divisor for value in part.values]
                yield name, [Value(*pair) for pair in zip(part.instants_ms, values, strict=True)]
        yield from self._hot(system_id, from_ms, to_ms)

    def _hot(self, system_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[str, list[Value]]]:
        for entry in read_hot_entries(system_id, from_ms, to_ms, self._names.parts):
            try:
                metrics = msgspec.convert(entry.document, Metrics)
            except msgspec.ValidationError:
                continue
            for address, value in flatten(metrics):
                name = self._names.of(address)
                if name is not None:
                    yield name, [Value(entry.instant_ms, value)]

    def _sealed(self, system_id: str, instant_ms: int) -> dict[str, Strand]:
        """The series of the hour around an instant; read again when its chunks are no longer the same."""
        start_ms = instant_ms - instant_ms % HOUR_MS
        chunks = chunk_ids(system_id, start_ms, start_ms + HOUR_MS)
        if (system_id, chunks) != self._hour[:2]:
            found: dict[str, list[Strand]] = {}
            for _, chunk in read_chunks(system_id, start_ms, start_ms + HOUR_MS):
                for name, strand in _strands(system_id, chunk).items():
                    if self._names.address(name) is not None:
                        found.setdefault(name, []).append(strand)
            joined = {name: join_strands(strands) for name, strands in found.items()}
            self._hour = _Hour(system_id, chunks, joined)
        return self._hour.strands


def _strands(system_id: str, chunk: Chunk) -> dict[str, Strand]:
    try:
        return strands_of(chunk)
    except DamagedChunk as damage:
        log.error("a part of the history of system %s is damaged and left out: %s", system_id, damage)
        return {}
