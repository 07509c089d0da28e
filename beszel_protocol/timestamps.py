"""Instants on the wire: RFC 3339 in UTC with milliseconds. In code an instant is milliseconds since the epoch."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""


def format_timestamp(instant_ms: int) -> str:
    """`2026-11-22T10:30:00.000Z`."""
    minute, rest_ms = divmod(instant_ms, 60_000)
    return f"{_minute(minute)}{rest_ms // 1000:02d}.{rest_ms % 1000:03d}Z"


def parse_timestamp(text: str) -> int:
    """Milliseconds since the epoch; raise ValueError for anything but an instant with a UTC offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a timestamp needs a UTC offset: {text!r}")
    instant_ms = round((moment - _EPOCH).total_seconds() * 1000)
    if not 0 <= instant_ms <= LATEST_MS:
        raise ValueError(f"a timestamp lies between 1970 and 9999: {text!r}")
    return instant_ms


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=16)
def _minute(minute: int) -> str:
    """Samples of the same minute follow each other; the calendar is asked once for all of them."""
    return datetime.fromtimestamp(60 * minute, UTC).strftime("%Y-%m-%dT%H:%M:")
