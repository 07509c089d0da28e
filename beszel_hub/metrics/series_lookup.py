"""The readings of one series, found in a chunk's columns or in a single sample's document."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from beszel_hub.metrics.series_codec import Chunk, Path
from beszel_hub.metrics.series_columns import Absent, Scalar
from beszel_protocol.addresses import Address, read_value
from beszel_protocol.metrics import shape_of
from beszel_protocol.sample import Metrics

Readings: TypeAlias = list[float | None]
"""One per sample; None where the sample has no such series."""

_decoder = msgspec.json.Decoder(Metrics)


def readings_of_chunk(chunk: Chunk, address: Address) -> Readings:
    merged: Readings = [None] * chunk.count
    for path, condition in _paths(chunk, address):
        column = chunk.readings(path)
        if column is None:
            continue
        chosen = None if condition is None else _names_of(chunk, condition[0])
        for index, value in enumerate(column):
            if merged[index] is not None or (chosen is not None and chosen[index] != condition[1]):  # type: ignore[index]
                continue
            if isinstance(value, int | float) and not isinstance(value, bool):
                merged[index] = value
    return merged


def readings_of_document(document: bytes, addresses: Sequence[Address]) -> Readings:
    """One value per address; all None if the document cannot be read."""
    try:
        metrics = _decoder.decode(document)
    except msgspec.DecodeError:
        return [None] * len(addresses)
    return [read_value(metrics, address) for address in addresses]


def _names_of(chunk: Chunk, path: Path) -> Sequence[Scalar | Absent]:
    return chunk.readings(path) or [None] * chunk.count


def _paths(chunk: Chunk, address: Address) -> Iterator[tuple[Path, tuple[Path, str] | None]]:
    """Where the series may lie, each with the column that must hold a key there if a list's items are named by one."""
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
                yield (*path, index, *rest), ((*path, index, shape.key_field), key)
            return
        if shape.container == "list" and not (key.isascii() and key.isdecimal()):
            return
        path = (*path, int(key) if shape.container == "list" else key)
    yield path, None


def _positions(chunk: Chunk, prefix: Path) -> list[int]:
    depth = len(prefix)
    found: set[Any] = {path[depth] for path in chunk.paths if len(path) > depth and path[:depth] == prefix}
    return sorted(index for index in found if isinstance(index, int))
