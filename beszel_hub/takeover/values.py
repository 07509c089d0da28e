"""Values of somebody else's rows: of the wanted kind, or nothing."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from beszel_hub.records.dates import parse_date
from beszel_protocol.hygiene import clean_text

_MAX_JSON_ITEMS: Final = 10_000
_LARGEST: Final = 1e18
"""More than any disk has bytes; what is larger yet could not be turned into other units."""


def text_of(row: Mapping[str, Any], name: str, limit: int = 256) -> str:
    """Without control characters; empty for anything but a text."""
    value = row.get(name)
    return clean_text(value, limit).strip() if isinstance(value, str) else ""


def flag_of(row: Mapping[str, Any], name: str) -> bool:
    return row.get(name) == 1


def instant_of(row: Mapping[str, Any], name: str) -> int | None:
    """Milliseconds since the epoch of a PocketBase date."""
    value = row.get(name)
    try:
        return parse_date(value) if isinstance(value, str) and value else None
    except (ValueError, OverflowError):
        return None


def json_of(row: Mapping[str, Any], name: str) -> Any:
    """The document in a JSON column, None if it cannot be read."""
    value = row.get(name)
    if not isinstance(value, str | bytes):
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def ids_of(row: Mapping[str, Any], name: str) -> list[str]:
    """A relation: a JSON list, or the id itself where only one was possible."""
    value = row.get(name)
    found = json_of(row, name)
    if isinstance(found, list):
        return [item for item in found[:_MAX_JSON_ITEMS] if isinstance(item, str)]
    return [value] if isinstance(value, str) and value else []


def number_of(document: Mapping[str, Any], name: str) -> float | None:
    return as_number(document.get(name))


def as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= _LARGEST else None


def numbers_of(document: Mapping[str, Any], name: str, count: int) -> list[float | None]:
    """The first `count` items of a list; None for each that is no number or not there."""
    value = document.get(name)
    items: Sequence[Any] = value if isinstance(value, list) else []
    return [as_number(items[index]) if index < len(items) else None for index in range(count)]


def object_of(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
