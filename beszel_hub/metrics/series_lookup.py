"""The readings of one series, found in a chunk's columns or in a single sample's document."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from beszel_hub.metrics.series_codec import Chunk, Path
from beszel_protocol.addresses import Address, read_value
from beszel_protocol.metrics import shape_of
from beszel_protocol.sample import Metrics

Readings: TypeAlias = list[float | None]
"""One per sample; None where the sample has no such series."""

_decoder: Final = msgspec.json.Decoder(Metrics)


class _Place(NamedTuple):
    """Where a series may lie: a column, and for an item of a named list the column that must hold its name."""

    path: Path
    name_path: Path | None = None
    name: str = ""


def readings_of_chunk(chunk: Chunk, address: Address) -> Readings:
    merged: Readings = [None] * chunk.count
    for place in _places(chunk, address):
        _merge(merged, chunk, place)
    return merged


def readings_of_document(document: bytes, addresses: Sequence[Address]) -> Readings:
    """One value per address; all None if the document cannot be read."""
    try:
        metrics = _decoder.decode(document)
    except msgspec.DecodeError:
        return [None] * len(addresses)
    return [read_value(metrics, address) for address in addresses]


def _merge(merged: Readings, chunk: Chunk, place: _Place) -> None:
    """Take over the readings of a place for samples that have none yet."""
    column = chunk.readings(place.path)
    names = None if place.name_path is None else chunk.readings(place.name_path)
    if column is None or (place.name_path is not None and names is None):
        return
    for index, value in enumerate(column):
        if not isinstance(value, int | float) or isinstance(value, bool) or merged[index] is not None:
            continue
        if names is None or names[index] == place.name:
            merged[index] = value


def _places(chunk: Chunk, address: Address) -> Iterator[_Place]:
    """Every place of the series; items of a list that are named by a field can stand anywhere in it."""
    struct: type[msgspec.Struct] | None = Metrics
    path: Path = ()
    for position, (name, key) in enumerate(address):
        shape = shape_of(struct).get(name) if struct is not None else None
        if shape is None:
            return
        path = (*path, name)
        struct = shape.struct
        if key is None:
            continue
        if shape.container == "list" and shape.key_field is not None:
            rest: Path = tuple(step.name for step in address[position + 1 :])
            for index in _positions(chunk, path):
                yield _Place((*path, index, *rest), (*path, index, shape.key_field), key)
            return
        if shape.container == "list" and not (key.isascii() and key.isdecimal()):
            return
        path = (*path, int(key) if shape.container == "list" else key)
    yield _Place(path)


def _positions(chunk: Chunk, prefix: Path) -> list[int]:
    depth = len(prefix)
    found: set[Any] = {path[depth] for path in chunk.paths if len(path) > depth and path[:depth] == prefix}
    return sorted(index for index in found if isinstance(index, int))
