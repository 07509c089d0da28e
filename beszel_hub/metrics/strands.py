"""Strands: all readings of one series in some samples, found in the columns of chunks. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import lru_cache, reduce
from itertools import chain, pairwise
from typing import Final, NamedTuple

import msgspec

from beszel_hub.metrics.series_codec import Chunk, Path
from beszel_hub.metrics.series_columns import ABSENT
from beszel_hub.metrics.summaries import Number, common_places
from beszel_protocol.addresses import Address, Step
from beszel_protocol.metrics import Rollup, shape_of
from beszel_protocol.sample import Metrics

_CACHED_PLACES: Final = 1 << 16


class Strand(NamedTuple):
    """All readings of one series in some samples, in the order of time, as whole numbers of `places` (see Summary)."""

    instants_ms: Sequence[int]
    values: Sequence[Number]
    places: int | None
    is_counter: bool

    def cut(self, from_ms: int, to_ms: int) -> "Strand | None":
        """What lies in a range of time; None if nothing does."""
        begin, end = bisect_left(self.instants_ms, from_ms), bisect_left(self.instants_ms, to_ms)
        if begin >= end:
            return None
        if (begin, end) == (0, len(self.instants_ms)):
            return self
        return self._replace(instants_ms=self.instants_ms[begin:end], values=self.values[begin:end])


class _Place(NamedTuple):
    """What a column holds: a series of its own, or that of whichever item stood at this position of a named list."""

    steps: tuple[Step, ...]
    is_counter: bool
    list_path: Path | None = None
    """Of the named list: `steps` are those after it then."""
    position: int = 0
    key_field: str = ""


def strands_of(chunk: Chunk, parts: Container[str] | None = None) -> dict[str, Strand]:
    """Every series of a chunk by its address; with `parts`, only those of these members of a sample."""
    return strands_where(chunk, lambda path: parts is None or (bool(path) and path[0] in parts))


def strands_where(chunk: Chunk, is_wanted: Callable[[Path], bool]) -> dict[str, Strand]:
    """The series of a chunk by address that lie in columns of some paths."""
    strands: dict[str, Strand] = {}
    names: dict[tuple[Path, int], list[object]] = {}
    for path in chunk.paths:
        place = _place_of(path) if is_wanted(path) else None
        strand = None if place is None else _strand(chunk, path, place)
        if place is None or strand is None:
            continue
        if place.list_path is None:
            strands[str(Address(place.steps))] = strand
            continue
        position = (place.list_path, place.position)
        if position not in names:
            names[position] = list(chunk.readings((*position[0], position[1], place.key_field)) or ())
        for name, part in _by_name(chunk, path, strand, names[position]):
            address = _named(place, name)
            strands[address] = part if address not in strands else interleave([strands[address], part])
    return strands


def strand_of(chunk: Chunk, address: Address) -> Strand | None:
    """One series of a chunk; None if no sample there has it."""
    path: list[str | int] = []
    struct: type[msgspec.Struct] | None = Metrics
    for position, (name, key) in enumerate(address):
        shape = shape_of(struct).get(name) if struct is not None else None
        if shape is None:
            return None
        path.append(name)
        struct = shape.struct
        if key is None:
            continue
        if shape.container == "list" and shape.key_field is not None:
            rest = tuple(step.name for step in address[position + 1 :])
            return _find_by_name(chunk, tuple(path), shape.key_field, key, rest)
        if shape.container == "list" and not (key.isascii() and key.isdecimal()):
            return None
        path.append(int(key) if shape.container == "list" else key)
    place = _place_of(tuple(path))
    return None if place is None else _strand(chunk, tuple(path), place)


def _find_by_name(chunk: Chunk, list_path: Path, key_field: str, key: str, rest: Path) -> Strand | None:
    """The readings of whichever items of a named list have that name."""
    found: list[Strand] = []
    depth = len(list_path)
    positions = {path[depth] for path in chunk.paths if len(path) > depth and path[:depth] == list_path}
    for index in sorted(position for position in positions if isinstance(position, int)):
        path = (*list_path, index, *rest)
        place = _place_of(path)
        strand = None if place is None else _strand(chunk, path, place)
        if strand is not None:
            names = chunk.readings((*list_path, index, key_field)) or ()
            found += [part for name, part in _by_name(chunk, path, strand, names) if name == key]
    return interleave(found) if found else None


def interleave(strands: Sequence[Strand]) -> Strand:
    """Readings of one series from several chunks; where they are of the same instant, the later given comes last."""
    places = _common(strands)
    merged = sorted(
        (pair for strand in strands for pair in zip(strand.instants_ms, _rescaled(strand, places), strict=True)),
        key=lambda pair: pair[0],
    )
    return Strand([instant for instant, _ in merged], [value for _, value in merged], places, strands[0].is_counter)


def make_strand(address: Address, instants_ms: Sequence[int], readings: Sequence[float | None]) -> Strand | None:
    """Readings of single samples, where there are any."""
    pairs = [pair for pair in zip(instants_ms, readings, strict=True) if pair[1] is not None]
    if not pairs:
        return None
    metric = address.metric
    is_counter = metric is not None and metric.rollup is Rollup.LAST
    values = [value for _, value in pairs if value is not None]
    return Strand([instant for instant, _ in pairs], values, None, is_counter)


def join_strands(strands: Sequence[Strand]) -> Strand:
    """Readings of one series from consecutive chunks, which may overlap."""
    if len(strands) == 1:
        return strands[0]
    strands = sorted(strands, key=lambda strand: strand.instants_ms[0])
    if any(after.instants_ms[0] < before.instants_ms[-1] for before, after in pairwise(strands)):
        return interleave(strands)
    places = _common(strands)
    return Strand(
        list(chain.from_iterable(strand.instants_ms for strand in strands)),
        list(chain.from_iterable(_rescaled(strand, places) for strand in strands)),
        places,
        strands[0].is_counter,
    )


def gather(chunks: Iterable[Chunk], parts: Container[str] | None = None) -> dict[str, Strand]:
    """The series of several chunks, which may overlap."""
    found: dict[str, list[Strand]] = {}
    for chunk in chunks:
        for address, strand in strands_of(chunk, parts).items():
            found.setdefault(address, []).append(strand)
    return {address: join_strands(strands) for address, strands in found.items()}


def _strand(chunk: Chunk, path: Path, place: _Place) -> Strand | None:
    numbers = chunk.numbers(path)
    if numbers is None or not numbers.values:
        return None
    instants = chunk.instants_ms
    if numbers.indices is not None:
        instants = [instants[index] for index in numbers.indices]
    return Strand(instants, numbers.values, numbers.places, place.is_counter)


def _by_name(chunk: Chunk, path: Path, strand: Strand, names: Sequence[object]) -> Iterator[tuple[str, Strand]]:
    """The readings at one position of a named list, by the name of the item that stood there."""
    known = {name for name in names if isinstance(name, str)}
    if len(known) == 1:
        yield known.pop(), strand
        return
    numbers = chunk.numbers(path)
    if numbers is None:
        return
    indices = numbers.indices if numbers.indices is not None else range(chunk.count)
    by_name: dict[str, list[int]] = {}
    for order, index in enumerate(indices):
        name = names[index] if index < len(names) else ABSENT
        if isinstance(name, str):
            by_name.setdefault(name, []).append(order)
    for name, orders in by_name.items():
        yield (
            name,
            strand._replace(
                instants_ms=[strand.instants_ms[order] for order in orders],
                values=[strand.values[order] for order in orders],
            ),
        )


def _named(place: _Place, name: str) -> str:
    before = place.list_path or ()
    return str(Address((*(Step(str(step), None) for step in before[:-1]), Step(str(before[-1]), name), *place.steps)))


def _common(strands: Sequence[Strand]) -> int | None:
    return reduce(common_places, (strand.places for strand in strands))


def _rescaled(strand: Strand, places: int | None) -> Sequence[Number]:
    if strand.places == places or strand.places is None:
        return strand.values
    if places is None:
        divisor = 10**strand.places
        return [value / divisor for value in strand.values]
    factor = 10 ** (places - strand.places)
    return [value * factor for value in strand.values]


@lru_cache(_CACHED_PLACES)
def _place_of(path: Path) -> _Place | None:
    """Which series a column belongs to; None for what is no series, such as a text."""
    struct: type[msgspec.Struct] | None = Metrics
    steps: list[Step] = []
    named: tuple[Path, int, str] | None = None
    position = 0
    while position < len(path):
        name = path[position]
        shape = shape_of(struct).get(name) if struct is not None and isinstance(name, str) else None
        if shape is None or not isinstance(name, str):
            return None
        position += 1
        key: str | None = None
        if shape.container is not None:
            if position == len(path):
                return None
            item = path[position]
            position += 1
            if shape.container == "list" and shape.key_field is not None and isinstance(item, int):
                named = ((*(step for step in path[: position - 1]),), item, shape.key_field)
                steps = []
                struct = shape.struct
                continue
            key = str(item)
        steps.append(Step(name, key))
        struct = shape.struct
        if shape.metric is not None and position == len(path):
            is_counter = shape.metric.rollup is Rollup.LAST
            return _Place(tuple(steps), is_counter, *(named or ()))
    return None
