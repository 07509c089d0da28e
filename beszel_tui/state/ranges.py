"""Stretches of time as people write them: `6h`, `2026-11-20`, `20:00..21:30`, `2026-11-20 08:00..2026-11-21`. Pure."""

import re
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from beszel_tui.errors import CommandError
from beszel_tui.state.windows import CUSTOM, LONGEST_SPAN_MS, SHORTEST_SPAN_MS, Window, preset

RANGE_HELP: Final = "a range is 6h, 3d, 2026-11-20, 20:00..21:30 or 2026-11-20 08:00..2026-11-21"
INSTANT_HELP: Final = "an instant is 10m or 2h ago, 12:04, 2026-11-20 08:00, or now"
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_SPAN: Final = re.compile(r"([0-9]{1,5})([mhdwy])")
_INSTANT: Final = re.compile(r"(?:([0-9]{4})-([0-9]{1,2})-([0-9]{1,2}))?(?:[ T]?([0-9]{1,2}):([0-9]{2}))?")
_LONGEST_TEXT: Final = 64


def parse_range(text: str, hub_now_ms: int, zone: tzinfo) -> Window:
    """A preset by its name, a span that ends now, a day, or two instants. Raises `CommandError`."""
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        raise CommandError(RANGE_HELP)
    known = preset(text)
    if known is not None:
        return known
    span = _SPAN.fullmatch(text)
    if span is not None:
        return _window(int(span[1]) * _SECONDS[span[2]] * 1000, None, hub_now_ms)
    begin, separator, end = text.partition("..")
    now = datetime.fromtimestamp(hub_now_ms / 1000, zone)
    start, start_end = _stretch(begin, now)
    end_ms = _ms(_end(end, start, now)) if separator else _ms(start_end)
    return _window(end_ms - _ms(start), end_ms, hub_now_ms)


def parse_instant(text: str, hub_now_ms: int, zone: tzinfo) -> int:
    """Milliseconds of `10m` ago, of the last `12:04`, or of a date with its time. Raises `CommandError`."""
    text = text.strip()
    span = _SPAN.fullmatch(text)
    if span is not None:
        return hub_now_ms - int(span[1]) * _SECONDS[span[2]] * 1000
    now = datetime.fromtimestamp(hub_now_ms / 1000, zone)
    try:
        at, _ = _stretch(text[:_LONGEST_TEXT], now)
    except CommandError as error:
        raise CommandError(INSTANT_HELP) from error
    if at > now and "-" not in text:
        at -= timedelta(days=1)
    if at > now:
        raise CommandError("this has not been yet")
    return max(0, _ms(at))


def window_label(window: Window, zone: tzinfo) -> str:
    """What to call a window where ranges are listed; short, as tabs stand beside it."""
    if window.name != CUSTOM:
        return window.name
    if window.end_ms is None:
        return _span_label(window.span_ms)
    start, end = (
        datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)
        for ms in (window.end_ms - window.span_ms, window.end_ms)
    )
    if start.date() == end.date():
        return f"{start:%d %b %H:%M}–{end:%H:%M}"
    return f"{start:%d %b %H:%M} +{_span_label(window.span_ms)}"


def _window(span_ms: int, end_ms: int | None, hub_now_ms: int) -> Window:
    if end_ms is not None and end_ms - span_ms >= hub_now_ms:
        raise CommandError("this has not been yet")
    if not SHORTEST_SPAN_MS <= span_ms <= LONGEST_SPAN_MS:
        raise CommandError("a range is between a minute and five years, and ends after it begins")
    return Window(name=CUSTOM, span_ms=span_ms, end_ms=end_ms)


def _end(text: str, start: datetime, now: datetime) -> datetime:
    """Nothing is now; a time alone is on the day of the start, or if that is before it the day after."""
    if not text.strip():
        return now
    end, end_of_day = _stretch(text, start)
    if "-" not in text:
        return end if end > start else end + timedelta(days=1)
    return end if ":" in text else end_of_day


def _stretch(text: str, on: datetime) -> tuple[datetime, datetime]:
    """An instant, and the end of its day."""
    found = _INSTANT.fullmatch(text.strip())
    if found is None or not text.strip():
        raise CommandError(RANGE_HELP)
    year, month, day, hour, minute = found.groups()
    try:
        date = on.date() if year is None else datetime(int(year), int(month), int(day), tzinfo=on.tzinfo).date()
        clock = time(0, 0) if hour is None else time(int(hour), int(minute))
        start = datetime.combine(date, clock, on.tzinfo)
        return start, datetime.combine(date, time(0, 0), on.tzinfo) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{RANGE_HELP} ({error})") from error


def _ms(instant: datetime) -> int:
    try:
        return int(instant.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise CommandError(RANGE_HELP) from error


def _span_label(span_ms: int) -> str:
    """In the largest unit that says it, with at most one decimal."""
    for unit, seconds in reversed(_SECONDS.items()):
        if span_ms >= seconds * 1000:
            return f"{span_ms / seconds / 1000:.1f}".removesuffix(".0") + unit
    return f"{span_ms // 1000}s"
