"""Cleaning of what another machine sent: text without control codes, numbers within the bounds of their unit.

One bad name or reading costs that name or reading, never the record around it.
"""

import unicodedata
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from beszel_protocol.metrics import FieldShape, Metric, shape_of

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


def clean(struct: StructT) -> StructT:
    """`struct` with every text cleaned, every list bounded, and every impossible number taken out.

    Returns the same object if there was nothing to do.
    """
    changes: dict[str, Any] = {}
    for name, shape, low, high in _plan_of(type(struct)):
        value = getattr(struct, name)
        if value is None:
            continue
        kind = type(value)
        if kind is float or kind is int:
            if low <= value <= high:
                continue
        elif kind is str and len(value) <= MAX_TEXT_LENGTH and value.isprintable():
            continue
        cleaned = _clean_value(value, shape)
        if cleaned is not value:
            changes[name] = cleaned
    return msgspec.structs.replace(struct, **changes) if changes else struct


@lru_cache(maxsize=1024)
def _plan_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, FieldShape, float, float], ...]:
    """Each field with the bounds of a number in it: what a reader of thousands of rows a second checks in place."""
    return tuple((name, shape, *_bounds(shape.metric)) for name, shape in shape_of(kind).items())


def _bounds(metric: Metric | None) -> tuple[float, float]:
    return (-_LARGEST_INTEGER, _LARGEST_INTEGER) if metric is None else metric.bounds


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
    low, high = _bounds(metric)
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
