"""Addresses of series: the path of a number in a sample.

`cpu.usage_percent`, `disk[/mnt/v1.2].usage_percent`, `cpu.cores_percent[3]`. A dynamic key stands in brackets, where a
backslash escapes `]` and itself. Lists of addresses split at commas outside brackets.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from beszel_protocol.metrics import Metric, shape_of
from beszel_protocol.sample import Metrics, catalogue

MAX_ADDRESS_LENGTH: Final = 1024

_STEP = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:\[(?P<key>(?:[^\]\\]|\\[\]\\])*)\])?", re.ASCII)


class InvalidAddress(ValueError):
    """The text is not the address of a series."""


class Step(NamedTuple):
    """One field of a path, with the dynamic key that follows it."""

    name: str
    key: str | None


class Address(tuple[Step, ...]):
    """A parsed address; `str()` gives its canonical text."""

    __slots__ = ()

    def __str__(self) -> str:
        return ".".join(step.name if step.key is None else f"{step.name}[{_escape(step.key)}]" for step in self)

    @property
    def pattern(self) -> str:
        """The address with every dynamic key emptied, as the catalogue has it."""
        return ".".join(step.name if step.key is None else f"{step.name}[]" for step in self)

    @property
    def metric(self) -> Metric | None:
        """The declaration of the series, or None if no sample has such a path."""
        return catalogue().get(self.pattern)


def parse_address(text: str) -> Address:
    """Raise `InvalidAddress` if `text` does not follow the grammar."""
    if len(text) > MAX_ADDRESS_LENGTH:
        raise InvalidAddress(f"an address has at most {MAX_ADDRESS_LENGTH} characters")
    steps: list[Step] = []
    position = 0
    while True:
        match = _STEP.match(text, position)
        if match is None:
            raise InvalidAddress(f"not the address of a series: {text!r} (at character {position + 1})")
        key = match["key"]
        steps.append(Step(match["name"], None if key is None else re.sub(r"\\(.)", r"\1", key)))
        position = match.end()
        if position == len(text):
            return Address(steps)
        if text[position] != ".":
            raise InvalidAddress(f"not the address of a series: {text!r} (at character {position + 1})")
        position += 1


def parse_addresses(text: str) -> list[Address]:
    """Parse a comma-separated list; commas inside brackets belong to the key."""
    return [parse_address(part.strip()) for part in _split(text)]


def read_value(metrics: Metrics, address: Address) -> float | None:
    """The number at `address` in one sample, None if the sample has none there."""
    node: object = metrics
    for name, key in address:
        shape = shape_of(type(node)).get(name) if isinstance(node, msgspec.Struct) else None
        if shape is None:
            return None
        node = getattr(node, name)
        if key is not None and node is not None:
            node = _item(node, key, shape.key_field)
        if node is None:
            return None
    return node if isinstance(node, int | float) and not isinstance(node, bool) else None


def flatten(metrics: Metrics) -> Iterator[tuple[Address, float]]:
    """Every series of one sample with its value."""
    yield from _flatten(metrics, ())


def _flatten(struct: msgspec.Struct, prefix: tuple[Step, ...]) -> Iterator[tuple[Address, float]]:
    for name, shape in shape_of(type(struct)).items():
        value = getattr(struct, name)
        if value is None or (shape.metric is None and shape.struct is None):
            continue
        for key, item in _items(value, shape.container, shape.key_field):
            path = (*prefix, Step(name, key))
            if shape.metric is not None:
                yield Address(path), item
            elif shape.container != "list" or shape.key_field is not None:
                yield from _flatten(item, path)


def _items(value: Any, container: str | None, key_field: str | None) -> Iterator[tuple[str | None, Any]]:
    if container == "dict":
        yield from value.items()
    elif container == "list":
        for index, item in enumerate(value):
            yield (str(index) if key_field is None else str(getattr(item, key_field))), item
    else:
        yield None, value


def _item(node: Any, key: str, key_field: str | None) -> Any:
    if isinstance(node, dict):
        return node.get(key)
    if not isinstance(node, list):
        return None
    if key_field is not None:
        return next((item for item in node if getattr(item, key_field) == key), None)
    return node[int(key)] if key.isascii() and key.isdecimal() and int(key) < len(node) else None


def _split(text: str) -> Iterator[str]:
    start = 0
    in_brackets = escaped = False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif in_brackets:
            escaped = character == "\\"
            in_brackets = character != "]"
        elif character == "[":
            in_brackets = True
        elif character == ",":
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _escape(key: str) -> str:
    return key.replace("\\", "\\\\").replace("]", "\\]")
