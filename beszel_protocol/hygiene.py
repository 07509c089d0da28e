"""Cleaning of what another machine sent: text without control codes, numbers within the bounds of their unit.

One bad name or reading costs that name or reading, never the record around it.
"""

import functools
import math
import typing
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from beszel_protocol.metrics import Bounds, FieldShape, Metric, shape_of

MAX_TEXT_LENGTH: Final = 256
MAX_ITEMS: Final = 4096
"""Of one list or dictionary in a sample."""

_LARGEST_INTEGER: Final = 2**63 - 1
_JOINERS: Final = "\u200c\u200d"  # parts of written words and of emoji, harmless on a terminal
_DROPPED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

StructT = TypeVar("StructT", bound=msgspec.Struct)


def clean_text(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """`text` without control characters, bidi overrides and other invisible ones, cut to `limit` characters."""
    if len(text) > limit:
        text = text[:limit]
    if text.isprintable():
        return text
    cleaned = "".join(c for c in text if c in _JOINERS or unicodedata.category(c) not in _DROPPED_CATEGORIES)
    return text if cleaned == text else cleaned


def clean_lines(text: str, limit: int) -> str:
    """`text` with each of its lines cleaned, cut to `limit` characters in all; a tab becomes four blanks."""
    return "\n".join(clean_text(line, limit) for line in text[:limit].replace("\t", "    ").split("\n"))[:limit]


def clean(struct: StructT) -> StructT:
    """`struct` with every text cleaned, every list bounded, and every impossible number taken out.

    Returns the same object if there was nothing to do.
    """
    return struct if is_clean(struct) else _cleaned(struct)


def is_clean(struct: msgspec.Struct) -> bool:
    """Whether `clean` would give back the same object; several times quicker, as nearly all that comes is clean."""
    # Two loops that look alike: comparing numbers of one kind with their like is several times quicker.
    check = _check_of(type(struct))
    for value, low, high in zip(check.floats.of(struct), check.floats.lows, check.floats.highs):  # noqa: B905  # quick
        if value is not None and not low <= value <= high:
            return False
    for value, low, high in zip(check.integers.of(struct), check.integers.lows, check.integers.highs):  # noqa: B905
        if value is not None and not low <= value <= high:
            return False
    for value, is_fine in zip(check.others(struct), check.tests):  # noqa: B905
        if value is not None and not is_fine(value):
            return False
    return True


_Test: TypeAlias = Callable[[Any], bool]


class _Numbers(NamedTuple):
    """Fields of a struct that hold one number each."""

    of: Callable[[Any], Iterable[Any]]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


class _Check(NamedTuple):
    """How a kind of struct is looked over, worked out once."""

    floats: _Numbers
    integers: _Numbers
    others: Callable[[Any], Iterable[Any]]
    tests: tuple[_Test, ...]


@functools.cache
def _check_of(struct: type[msgspec.Struct]) -> _Check:
    hints = typing.get_type_hints(struct)
    kinds: dict[type, dict[str, Bounds]] = {float: {}, int: {}}
    others: dict[str, _Test] = {}
    for name, shape in shape_of(struct).items():
        if shape.metric is not None and shape.container is None:
            kinds[int if int in typing.get_args(hints[name]) else float][name] = shape.metric.bounds
        else:
            others[name] = _test_of(shape)
    floats, integers = (_numbers(kind, bounds) for kind, bounds in kinds.items())
    return _Check(floats, integers, _getter(list(others)), tuple(others.values()))


def _numbers(kind: type[float], bounds: Mapping[str, Bounds]) -> _Numbers:
    lows, highs = (tuple(map(kind, side)) for side in zip(*bounds.values(), strict=True)) if bounds else ((), ())
    return _Numbers(_getter(list(bounds)), lows, highs)


def _getter(names: list[str]) -> Callable[[Any], Iterable[Any]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda struct: [getattr(struct, name) for name in names]


def _test_of(shape: FieldShape) -> _Test:
    if shape.container is None:
        return is_clean if shape.struct is not None else _is_clean_leaf
    are_fine = _test_of_items(shape)
    if shape.container == "list":
        return lambda items: len(items) <= MAX_ITEMS and are_fine(items)

    def test(items: Mapping[str, Any]) -> bool:
        return len(items) <= MAX_ITEMS and are_fine(items.values()) and all(map(_is_clean_text, items))

    return test


def _test_of_items(shape: FieldShape) -> Callable[[Collection[Any]], bool]:
    if shape.struct is not None:
        return lambda items: all(map(is_clean, items))
    if shape.metric is None:
        return lambda items: all(map(_is_clean_leaf, items))
    low, high = shape.metric.bounds

    def test(items: Collection[float]) -> bool:
        # A sum tells what is no number at all, which the least and the greatest may not.
        return not items or (low <= min(items) and max(items) <= high and not math.isnan(sum(items)))

    return test


def _is_clean_leaf(value: Any) -> bool:
    return _is_clean_text(value) if type(value) is str else _clean_leaf(value, None) is value


def _is_clean_text(text: str) -> bool:
    return (len(text) <= MAX_TEXT_LENGTH and text.isprintable()) or clean_text(text) is text


def _cleaned(struct: StructT) -> StructT:
    changes: dict[str, Any] = {}
    for name, shape in shape_of(type(struct)).items():
        value = getattr(struct, name)
        if value is None:
            continue
        cleaned = _clean_value(value, shape)
        if cleaned is not value:
            changes[name] = cleaned
    return msgspec.structs.replace(struct, **changes) if changes else struct


def _clean_value(value: Any, shape: FieldShape) -> Any:
    if isinstance(value, dict):
        return _clean_dict(value, shape)
    if isinstance(value, list):
        return _clean_list(value, shape)
    return _clean_leaf(value, shape.metric)


def _clean_leaf(value: Any, metric: Metric | None) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, msgspec.Struct):
        return clean(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if _is_possible(value, metric) else None
    return value


def _is_possible(value: float, metric: Metric | None) -> bool:
    if metric is None:
        return -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER and math.isfinite(value)
    low, high = metric.bounds
    return low <= value <= high


def _clean_dict(value: dict[str, Any], shape: FieldShape) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in value.items():
        cleaned = _clean_leaf(item, shape.metric)
        if cleaned is not None:
            result.setdefault(clean_text(key), cleaned)
        if len(result) == MAX_ITEMS:
            break
    if len(result) == len(value) and all(result.get(key) is item for key, item in value.items()):
        return value
    return result


def _clean_list(value: list[Any], shape: FieldShape) -> list[Any] | None:
    """A list of plain numbers is addressed by position, so one impossible item spoils it as a whole."""
    result = [_clean_leaf(item, shape.metric) for item in value[:MAX_ITEMS]]
    if None in result:
        return None
    return value if len(result) == len(value) and all(a is b for a, b in zip(result, value, strict=True)) else result
