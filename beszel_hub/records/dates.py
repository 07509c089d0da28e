"""PocketBase's dates: `2022-01-01 10:00:00.123Z`, always UTC with milliseconds."""

from datetime import UTC, datetime

from beszel_protocol.timestamps import LATEST_MS, format_timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_date(instant_ms: int | None) -> str:
    """None, which is no date, becomes an empty text."""
    return "" if instant_ms is None else format_timestamp(instant_ms).replace("T", " ")


def parse_date(text: str) -> int:
    """Milliseconds since the epoch of a date with a space or a `T`, or of a day; without an offset it is UTC.

    Raises ValueError for anything else.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    difference = moment - _EPOCH
    instant_ms = (difference.days * 86400 + difference.seconds) * 1000 + difference.microseconds // 1000
    if not 0 <= instant_ms <= LATEST_MS:
        raise ValueError(f"a date lies between 1970 and 9999: {text!r}")
    return instant_ms
