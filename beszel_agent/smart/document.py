"""The JSON of smartctl, read leniently: a field of another type than expected is a field that is not there."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from beszel_agent.errors import ReadingFailed

OPEN_FAILED: Final = 1 << 1
"""Of the exit status; set also where a disk was left asleep."""
DISK_FAILING: Final = 1 << 3
SELF_TEST_FAILED: Final = 1 << 7

_ASLEEP: Final = re.compile(r"Device is in (STANDBY|SLEEP)", re.ASCII)
_LEADING_NUMBER: Final = re.compile(r"0x[0-9a-fA-F]+|-?[0-9]+", re.ASCII)

Document = dict[str, Any]


def parse_document(text: bytes) -> Document:
    """Raise `ReadingFailed` if it is no JSON object."""
    try:
        document = msgspec.json.decode(text.decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReadingFailed(f"smartctl answered no JSON: {error}") from error
    if not isinstance(document, dict):
        raise ReadingFailed("smartctl answered no JSON object")
    return document


def find(document: object, *path: str) -> object:
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def find_number(document: object, *path: str) -> float | None:
    value = find(document, *path)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def find_count(document: object, *path: str) -> int | None:
    """A whole number that is not negative, as some firmware's statistics are."""
    value = find_number(document, *path)
    return int(value) if value is not None and 0 <= value < 2**63 else None


def find_text(document: object, *path: str) -> str | None:
    value = find(document, *path)
    return value.strip() or None if isinstance(value, str) else None


def find_rows(document: object, *path: str) -> list[Document]:
    value = find(document, *path)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def leading_number(text: str) -> int | None:
    """Of a raw value: `7344 (253d 8h)`, `34 (Min/Max 20/45)`, `0h+0m+0.000s`, `0x0000`.

    The number that smartctl prints beside such a text is the six bytes as they are, with all of its parts in them.
    """
    match = _LEADING_NUMBER.match(text.strip())
    return None if match is None else int(match[0], 16 if match[0].startswith("0x") else 10)


def messages(document: Document) -> Iterator[str]:
    for row in find_rows(document, "smartctl", "messages"):
        text = find_text(row, "string")
        if text is not None:
            yield text


def is_asleep(document: Document, status: int) -> bool:
    return bool(status & OPEN_FAILED) and any(_ASLEEP.search(text) for text in messages(document))
