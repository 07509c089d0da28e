"""Chunks: the samples of one system over some minutes, transposed into columns and compressed.

A chunk is `BZC1`, then one zstd frame with its content checksum; inside, msgpack: `{count, instants, marks, columns}`.
Every leaf of every sample's JSON document is a reading of the column of its path, so a query decodes only the columns
it asks for, and a document is rebuilt exactly, strings and all.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

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
T = TypeVar("T")

_EMPTY: Final[Mapping[str, Any]] = {}
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
    columns: list[tuple[Path, msgspec.Raw]]


class Chunk:
    """A decoded chunk, whose columns are unpacked when they are asked for."""

    def __init__(self, body: _Body) -> None:
        self.count = body.count
        self._raw = dict(body.columns)
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
    instants, marks = [entry.instant_ms for entry in ordered], [entry.mark for entry in ordered]
    return _seal_columns(instants, marks, _transpose([entry.document for entry in ordered], ()))


def merge_chunks(chunks: Sequence[Chunk]) -> Sealed:
    """All samples of some chunks, in the order of their instants, as one; raise `DamagedChunk` if one is."""
    instants = list(chain.from_iterable(chunk.instants_ms for chunk in chunks))
    marks = list(chain.from_iterable(chunk.marks for chunk in chunks))
    order = sorted(range(len(instants)), key=instants.__getitem__)
    is_ordered = order == list(range(len(instants)))

    def arranged(values: list[T]) -> list[T]:
        return values if is_ordered else [values[index] for index in order]

    # Rebuilding needs the items of a list in the order of their positions.
    paths = sorted(dict.fromkeys(path for chunk in chunks for path in chunk.paths), key=_rank)
    columns = ((path, arranged([*chain.from_iterable(_leaves(chunk, path) for chunk in chunks)])) for path in paths)
    return _seal_columns(arranged(instants), arranged(marks), columns)


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


def _seal_columns(
    instants_ms: Sequence[int], marks: Sequence[int], columns: Iterable[tuple[Path, list[Scalar | Absent]]]
) -> Sealed:
    packed = []
    count = 0
    for path, leaves in columns:
        count += len(leaves) - _count_absent(leaves)
        packed.append((path, msgspec.Raw(_encoder.encode(pack_column(leaves)))))
    body = _Body(count=len(instants_ms), instants=pack_column(instants_ms), marks=pack_column(marks), columns=packed)
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    return Sealed(MAGIC + compressor.compress(_encoder.encode(body)), count)


def _transpose(nodes: Sequence[Any], path: Path) -> Iterator[tuple[Path, list[Scalar | Absent]]]:
    """The column of every leaf below nodes that stand at the same place in each document, or are absent there.

    The items of a list come in the order of their positions, as rebuilding needs them.
    """
    kinds = set(map(type, nodes))
    has_gaps = Absent in kinds
    kinds.discard(Absent)
    if len(kinds) > 1 or not kinds <= {dict, list} or not all(nodes):
        yield from _transpose_mixed(nodes, path, kinds)
    elif kinds == {dict}:
        present = [_EMPTY if node is ABSENT else node for node in nodes] if has_gaps else nodes
        for key in dict.fromkeys(chain.from_iterable(present)):
            yield from _transpose(_members(present, key), (*path, key))
    elif kinds == {list}:
        lists = [() if node is ABSENT else node for node in nodes] if has_gaps else nodes
        for index in range(max(map(len, lists))):
            items = [node[index] if index < len(node) else ABSENT for node in lists]
            yield from _transpose(items, (*path, index))


def _members(nodes: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    try:
        return list(map(itemgetter(key), nodes))  # as nearly always, and twice as quick
    except KeyError:
        return [node.get(key, ABSENT) for node in nodes]


def _transpose_mixed(
    nodes: Sequence[Any], path: Path, kinds: set[type]
) -> Iterator[tuple[Path, list[Scalar | Absent]]]:
    """Leaves, of which empty lists and objects are some, beside lists and objects."""
    branching = kinds & {dict, list}
    if not branching:
        yield path, list(nodes)
        return
    leaves = [ABSENT if isinstance(node, dict | list) and node else node for node in nodes]
    if _count_absent(leaves) < len(leaves):
        yield path, leaves
    for kind in branching:
        branches = [node if type(node) is kind and node else ABSENT for node in nodes]
        if _count_absent(branches) < len(branches):
            yield from _transpose(branches, path)


def _count_absent(leaves: Iterable[Any]) -> int:
    return list(map(type, leaves)).count(Absent)  # readings know no quick way to be compared with what is absent


def _leaves(chunk: Chunk, path: Path) -> list[Scalar | Absent]:
    return chunk.readings(path) or [ABSENT] * chunk.count


def _rank(path: Path) -> tuple[tuple[bool, str | int], ...]:
    return tuple((isinstance(step, str), step) for step in path)


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
    for step, following in pairwise(path):
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
