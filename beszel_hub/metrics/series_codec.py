"""Chunks: the samples of one system over some minutes, transposed into columns and compressed.

A chunk is `BZC1`, then one zstd frame with its content checksum; inside, msgpack: `{count, instants, marks, columns}`.
Every leaf of every sample's JSON document is a reading of the column of its path, so a query decodes only the columns
it asks for, and a document is rebuilt exactly, strings and all.
"""

import itertools
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import zstandard

from beszel_hub.metrics.series_columns import (
    ABSENT,
    MAX_READINGS,
    Absent,
    Column,
    ColumnError,
    Numbers,
    Scalar,
    pack_column,
    unpack_column,
    unpack_numbers,
)

MAGIC: Final = b"BZC1"
MAX_CHUNK_SAMPLES: Final = MAX_READINGS
_MAX_INFLATED_BYTES: Final = 256 << 20
_LEVEL: Final = 3

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the root of a document to a leaf."""
Document: TypeAlias = dict[str, Any]

_encoder: Final = msgspec.msgpack.Encoder()


class DamagedChunk(Exception):
    """The bytes are no chunk, or not all of one."""

    code = "damaged_chunk"


class Entry(msgspec.Struct, frozen=True):
    """One sample in history: when, what, and whether its time or place in time is doubtful (see `Mark`)."""

    instant_ms: int
    document: Document
    mark: int = 0


class _Body(msgspec.Struct, frozen=True):
    count: int
    instants: Column
    marks: Column
    columns: list[tuple[list[str | int], msgspec.Raw]]


class _Branch:
    """A place in the documents while they are transposed: what lies below it, and its readings where it is a leaf."""

    __slots__ = ("children", "readings")

    def __init__(self) -> None:
        self.children: dict[str | int, _Branch] = {}
        self.readings: list[Scalar | Absent] = []


class Chunk:
    """A decoded chunk, whose columns are unpacked when they are asked for."""

    def __init__(self, body: _Body) -> None:
        self.count = body.count
        self._raw = {tuple(path): raw for path, raw in body.columns}
        self.instants_ms = _integers(body.instants, body.count)
        self.marks = _integers(body.marks, body.count)

    @property
    def paths(self) -> Iterable[Path]:
        return self._raw.keys()

    def readings(self, path: Path) -> list[Scalar | Absent] | None:
        """The leaf at `path` of each sample, or None if no sample here has it."""
        raw = self._raw.get(path)
        return None if raw is None else _unpack(raw, self.count)

    def numbers(self, path: Path) -> Numbers | None:
        """The numbers among the leaves at `path`, as whole as they are kept; None if no sample here has it."""
        raw = self._raw.get(path)
        if raw is None:
            return None
        try:
            return unpack_numbers(msgspec.msgpack.decode(raw, type=Column), self.count)
        except (ColumnError, msgspec.DecodeError) as error:
            raise DamagedChunk(str(error)) from error

    def newest(self) -> Entry | None:
        """The last sample."""
        if not self.count:
            return None
        columns = [(path, _unpack(raw, self.count)) for path, raw in self._raw.items()]
        return Entry(self.instants_ms[-1], _build(columns, self.count - 1), self.marks[-1])

    def entries(self, parts: Container[str] | None = None) -> Iterator[Entry]:
        """The samples, oldest first; with `parts`, no more of each than these top-level members."""
        columns = [
            (path, _unpack(raw, self.count))
            for path, raw in self._raw.items()
            if parts is None or (path and path[0] in parts)
        ]
        for index, (instant_ms, mark) in enumerate(zip(self.instants_ms, self.marks, strict=True)):
            yield Entry(instant_ms, _build(columns, index), mark)


class Sealed(NamedTuple):
    data: bytes
    readings: int
    """How many leaves the samples have."""


def seal(entries: Sequence[Entry]) -> bytes:
    """Compress samples; they come out in the order of their instants."""
    return seal_counted(entries).data


def seal_counted(entries: Sequence[Entry]) -> Sealed:
    """Likewise, and tell how much it was."""
    ordered = sorted(entries, key=lambda entry: entry.instant_ms)
    root = _Branch()
    for index, entry in enumerate(ordered):
        _collect(entry.document, root, index)
    columns = list(_columns_below(root, []))
    body = _Body(
        count=len(ordered),
        instants=pack_column([entry.instant_ms for entry in ordered]),
        marks=pack_column([entry.mark for entry in ordered]),
        columns=[
            (path, msgspec.Raw(_encoder.encode(pack_column(_padded(readings, len(ordered))))))
            for path, readings in columns
        ],
    )
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    readings = sum(len(ordered) - column.count(ABSENT) for _, column in columns)
    return Sealed(MAGIC + compressor.compress(_encoder.encode(body)), readings)


def unseal(data: bytes) -> Chunk:
    """Raise `DamagedChunk` if `data` is not what `seal` gave."""
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedChunk("not a chunk of a version known here")
    try:
        frame = data[len(MAGIC) :]
        if not 0 <= zstandard.frame_content_size(frame) <= _MAX_INFLATED_BYTES:
            raise DamagedChunk("a chunk of impossible size")
        body = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(frame), type=_Body)
        if not 0 <= body.count <= MAX_CHUNK_SAMPLES:
            raise DamagedChunk(f"a chunk of {body.count} samples")
        return Chunk(body)
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise DamagedChunk(str(error)) from error


def _collect(node: Any, branch: _Branch, index: int) -> None:
    """Append every leaf below `node` to the column of its place."""
    if node and isinstance(node, dict | list):
        children = branch.children
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            below = children.get(key)
            if below is None:
                below = children[key] = _Branch()
            _collect(child, below, index)
    else:
        branch.readings = _padded(branch.readings, index)
        branch.readings.append(node)


def _padded(readings: list[Scalar | Absent], count: int) -> list[Scalar | Absent]:
    if len(readings) < count:
        readings.extend([ABSENT] * (count - len(readings)))
    return readings


def _columns_below(branch: _Branch, path: list[str | int]) -> Iterator[tuple[list[str | int], list[Scalar | Absent]]]:
    """Every column with its path; the items of a list in the order of their positions, as rebuilding needs them."""
    if branch.readings:
        yield path, branch.readings
    for key in sorted(branch.children, key=lambda key: (isinstance(key, str), key)):
        yield from _columns_below(branch.children[key], [*path, key])


def _build(columns: Sequence[tuple[Path, list[Scalar | Absent]]], index: int) -> Document:
    root: dict[str, Any] = {}
    for path, readings in columns:
        leaf = readings[index]
        if leaf is ABSENT:
            continue
        if path:
            _insert(root, path, leaf)
    return root


def _insert(root: Document, path: Path, leaf: Any) -> None:
    """Put a leaf in its place; columns of a list come in the order of their positions."""
    node: Any = root
    for step, following in itertools.pairwise(path):
        if isinstance(step, int):
            if step == len(node):
                node.append([] if isinstance(following, int) else {})
            node = node[step]
        else:
            node = node.setdefault(step, [] if isinstance(following, int) else {})
    last = path[-1]
    if isinstance(last, int):
        node.append(leaf)
    else:
        node[last] = leaf


def _unpack(raw: msgspec.Raw, count: int) -> list[Scalar | Absent]:
    try:
        return unpack_column(msgspec.msgpack.decode(raw, type=Column), count)
    except (ColumnError, msgspec.DecodeError) as error:
        raise DamagedChunk(str(error)) from error


def _integers(column: Column, count: int) -> list[int]:
    try:
        values = [value for value in unpack_column(column, count) if isinstance(value, int)]
    except ColumnError as error:
        raise DamagedChunk(str(error)) from error
    if len(values) != count:
        raise DamagedChunk(f"{count} integers expected, {len(values)} found")
    return values
