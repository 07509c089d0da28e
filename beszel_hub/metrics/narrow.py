"""A few series of very many samples: only what is wanted of each document is decoded. Pure.

Series are named by patterns of the catalogue, such as `disk[].usage_percent`.
"""

import typing
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import compress
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from beszel_hub.metrics.series_codec import Path
from beszel_hub.metrics.strands import Strand
from beszel_protocol.addresses import Address, Step, parse_address
from beszel_protocol.metrics import FieldShape, Rollup, shape_of
from beszel_protocol.sample import Metrics, catalogue

_Tree: TypeAlias = "dict[str, _Tree]"


class _Field(NamedTuple):
    """One step of a pattern, and how the sample is laid out there."""

    name: str
    shape: FieldShape


class _Nodes(NamedTuple):
    """What stands at one place in several samples, each at its instant."""

    instants_ms: list[int]
    values: list[Any]


class Narrow:
    """Some series; made once for many samples."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = frozenset(patterns)
        """Those that are series; others are left out."""
        self.patterns &= catalogue().keys()
        self._fields = {pattern: _fields_of(pattern) for pattern in sorted(self.patterns)}
        self._decoder = msgspec.json.Decoder(_struct_of(Metrics, _tree_of(self.patterns)))
        self._known: dict[Path, bool] = {}

    def has_path(self, path: Path) -> bool:
        """Whether a column of a chunk belongs to one of the series."""
        known = self._known.get(path)
        if known is None:
            known = any(_matches(path, fields) for fields in self._fields.values())
            if len(self._known) < _MAX_KNOWN:
                self._known[path] = known
        return known

    def strands(self, documents: Iterable[tuple[int, bytes]]) -> dict[str, Strand]:
        """The readings of samples given as instants and JSON, in the order of time; what cannot be read is left out."""
        instants_ms: list[int] = []
        samples: list[Any] = []
        decode = self._decoder.decode
        for instant_ms, document in documents:
            with suppress(msgspec.DecodeError):
                samples.append(decode(document))
                instants_ms.append(instant_ms)
        found: dict[str, Strand] = {}
        for pattern, fields in self._fields.items():
            is_counter = catalogue()[pattern].rollup is Rollup.LAST
            for steps, readings in _descend((), _Nodes(instants_ms, samples), fields):
                found[str(Address(steps))] = Strand(readings.instants_ms, readings.values, None, is_counter)
        return found


@lru_cache(maxsize=64)
def narrow_to(patterns: frozenset[str]) -> Narrow:
    return Narrow(patterns)


_MAX_KNOWN: Final = 1 << 14


def _fields_of(pattern: str) -> tuple[_Field, ...]:
    fields: list[_Field] = []
    struct: type[msgspec.Struct] = Metrics
    for step in parse_address(pattern):
        shape = shape_of(struct)[step.name]
        fields.append(_Field(step.name, shape))
        struct = shape.struct or struct
    return tuple(fields)


def _matches(path: Path, fields: tuple[_Field, ...]) -> bool:
    position = 0
    for name, shape in fields:
        if position >= len(path) or path[position] != name:
            return False
        position += 1
        if shape.container is not None:
            position += 1
    return position == len(path)


def _descend(
    prefix: tuple[Step, ...], nodes: _Nodes, fields: tuple[_Field, ...]
) -> Iterator[tuple[tuple[Step, ...], _Nodes]]:
    """Takes one step in all samples at once, then the rest; yields addresses with their readings."""
    (name, shape), rest = fields[0], fields[1:]
    below = _without_gaps(_Nodes(nodes.instants_ms, list(map(attrgetter(name), nodes.values))))
    if shape.container is None:
        branches: dict[str | None, _Nodes] = {None: below} if below.values else {}
    elif shape.container == "dict":
        branches = _split_dicts(below)
    else:
        branches = _split_lists(below, shape.key_field)
    for key, branch in branches.items():
        steps = (*prefix, Step(name, key))
        if rest:
            yield from _descend(steps, branch, rest)
        else:
            yield steps, branch


def _without_gaps(nodes: _Nodes) -> _Nodes:
    present = [value is not None for value in nodes.values]
    if all(present):
        return nodes
    return _Nodes(list(compress(nodes.instants_ms, present)), list(compress(nodes.values, present)))


def _split_dicts(nodes: _Nodes) -> dict[str | None, _Nodes]:
    keys = nodes.values[0].keys() if nodes.values else ()
    if all(value.keys() == keys for value in nodes.values):  # as nearly always
        return {key: _Nodes(nodes.instants_ms, list(map(itemgetter(key), nodes.values))) for key in keys}
    return _split((at_ms, key, item) for at_ms, value in zip(*nodes, strict=True) for key, item in value.items())


def _split_lists(nodes: _Nodes, key_field: str | None) -> dict[str | None, _Nodes]:
    if key_field is not None:
        key_of = attrgetter(key_field)
        return _split((at_ms, key_of(item), item) for at_ms, value in zip(*nodes, strict=True) for item in value)
    if len(set(map(len, nodes.values))) == 1:  # as nearly always
        return {
            str(index): _without_gaps(_Nodes(nodes.instants_ms, list(column)))
            for index, column in enumerate(zip(*nodes.values, strict=True))
        }
    return _split(
        (at_ms, str(index), item) for at_ms, value in zip(*nodes, strict=True) for index, item in enumerate(value)
    )


def _split(items: Iterable[tuple[int, str, Any]]) -> dict[str | None, _Nodes]:
    branches: dict[str | None, _Nodes] = {}
    for at_ms, key, item in items:
        branch = branches.get(key)
        if branch is None:
            branch = branches[key] = _Nodes([], [])
        branch.instants_ms.append(at_ms)
        branch.values.append(item)
    return branches


def _tree_of(patterns: Iterable[str]) -> _Tree:
    tree: _Tree = {}
    for pattern in patterns:
        node = tree
        for step in parse_address(pattern):
            node = node.setdefault(step.name, {})
    return tree


def _struct_of(struct: type[msgspec.Struct], tree: _Tree, key_field: str | None = None) -> type[msgspec.Struct]:
    """A struct that has only these fields, so that decoding passes over all others."""
    hints, shapes = typing.get_type_hints(struct), shape_of(struct)
    fields: list[Any] = [] if key_field is None else [(key_field, str)]
    for name, below in tree.items():
        shape = shapes[name]
        kind: Any = hints[name]
        if below and shape.struct is not None:
            item = _struct_of(shape.struct, below, shape.key_field)
            kind = {"dict": dict[str, item], "list": list[item], None: item}[shape.container]  # type: ignore[valid-type]
        fields.append((name, kind | None, None))
    # Very many are made at once, and none of them can be part of a cycle.
    return msgspec.defstruct(f"Narrow{struct.__name__}", fields, gc=False)
