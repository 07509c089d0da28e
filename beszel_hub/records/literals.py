"""Values written in a filter, and how they take the form of the field they are compared with."""

from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from beszel_hub.errors import BadRequest
from beszel_hub.records.dates import format_date, parse_date
from beszel_hub.records.registry import Kind

LARGEST_INTEGER: Final = 2**63 - 1

_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)


class Instant(int):
    """Milliseconds since the epoch, of a date macro."""

    __slots__ = ()


Raw: TypeAlias = str | float | int | bool | Instant | None

_CONSTANTS: Final[dict[str, Raw]] = {"true": True, "false": False, "null": None}


def parse_number(text: str) -> float | int:
    """An integer if it fits 64 bits, else the nearest double."""
    if "." not in text:
        value = int(text)
        if abs(value) <= LARGEST_INTEGER:
            return value
    return float(text)


def read_word(word: str, now_ms: int) -> tuple[bool, Raw]:
    """(True, value) for a constant or a macro, (False, None) for what must be a path."""
    lowered = word.lower()
    if lowered in _CONSTANTS:
        return True, _CONSTANTS[lowered]
    if word.startswith("@"):
        return True, _read_macro(word, now_ms)
    return False, None


def coerce(raw: Raw, kind: Kind) -> str | float | int | bool | None:
    """`raw` in the form in which a field of `kind` is held; raise `BadRequest` if it cannot be one."""
    if raw is None:
        return None
    if kind is Kind.JSON:
        return format_date(raw) if isinstance(raw, Instant) else raw
    try:
        if kind is Kind.NUMBER:
            return _to_number(raw)
        if kind is Kind.BOOL:
            return _to_bool(raw)
        if kind is Kind.DATE:
            return _to_instant(raw)
    except ValueError as error:
        raise BadRequest(f"{str(raw)[:100]!r} is no {kind}.") from error
    return _to_text(raw)


def _to_number(raw: Raw) -> float | int | None:
    if isinstance(raw, str):
        return parse_number(raw) if raw.strip() else None
    return int(raw) if isinstance(raw, bool) else raw


def _to_bool(raw: Raw) -> bool | None:
    if isinstance(raw, str):
        lowered = raw.lower()
        if not lowered:
            return None
        if lowered in {"true", "false", "1", "0"}:
            return lowered in {"true", "1"}
    elif raw in {0, 1}:
        return bool(raw)
    raise ValueError(raw)


def _to_instant(raw: Raw) -> int | None:
    if isinstance(raw, Instant):
        return int(raw)
    if isinstance(raw, str):
        return parse_date(raw) if raw.strip() else None
    raise ValueError(raw)


def _to_text(raw: Raw) -> str:
    if isinstance(raw, Instant):
        return format_date(raw)
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw)


def _read_macro(name: str, now_ms: int) -> Raw:
    now = datetime.fromtimestamp(now_ms // 1000, UTC) + timedelta(milliseconds=now_ms % 1000)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    year = month.replace(month=1)
    dates = {
        "@now": now,
        "@yesterday": now - _DAY,
        "@tomorrow": now + _DAY,
        "@todayStart": today,
        "@todayEnd": today + _DAY - _MILLISECOND,
        "@monthStart": month,
        "@monthEnd": (month + 32 * _DAY).replace(day=1) - _MILLISECOND,
        "@yearStart": year,
        "@yearEnd": year.replace(year=year.year + 1) - _MILLISECOND,
    }
    numbers = {
        "@second": now.second,
        "@minute": now.minute,
        "@hour": now.hour,
        "@weekday": now.isoweekday() % 7,
        "@day": now.day,
        "@month": now.month,
        "@year": now.year,
    }
    if name in dates:
        difference = dates[name] - datetime(1970, 1, 1, tzinfo=UTC)
        return Instant(difference // _MILLISECOND)
    if name in numbers:
        return numbers[name]
    raise BadRequest(f"There is no macro {name[:50]!r}.")
