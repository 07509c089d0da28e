from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_tui.errors import CommandError
from beszel_tui.state.ranges import parse_instant, parse_range, window_label
from beszel_tui.state.windows import LONGEST_SPAN_MS, PRESETS, SHORTEST_SPAN_MS, zoom

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=ZONE)
NOW_MS = int(NOW.timestamp() * 1000)


def told(text: str) -> tuple[str, str]:
    """Start and end as the reader's clock has them."""
    start_ms, end_ms = parse_range(text, NOW_MS, ZONE).bounds(NOW_MS)
    start, end = (datetime.fromtimestamp(ms / 1000, ZONE) for ms in (start_ms, end_ms))
    return f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("6h", "11-22 06:00", "11-22 12:00"),
        ("90m", "11-22 10:30", "11-22 12:00"),
        ("3d", "11-19 12:00", "11-22 12:00"),
        ("24h", "11-21 12:00", "11-22 12:00"),
        ("2026-11-20", "11-20 00:00", "11-21 00:00"),
        ("2026-11-20..2026-11-21", "11-20 00:00", "11-22 00:00"),
        ("2026-11-20 08:00..2026-11-20 09:30", "11-20 08:00", "11-20 09:30"),
        ("2026-11-20T08:00..09:30", "11-20 08:00", "11-20 09:30"),
        ("2026-11-20 22:00..02:00", "11-20 22:00", "11-21 02:00"),
        ("08:00..09:30", "11-22 08:00", "11-22 09:30"),
        ("08:00..", "11-22 08:00", "11-22 12:00"),
        (" 8:00 .. 9:30 ", "11-22 08:00", "11-22 09:30"),
    ],
)
def test_ranges(text: str, start: str, end: str) -> None:
    assert told(text) == (start, end)


def test_a_span_follows_the_clock_and_a_date_does_not() -> None:
    assert parse_range("6h", NOW_MS, ZONE).follows
    assert not parse_range("2026-11-20", NOW_MS, ZONE).follows
    assert parse_range("7d", NOW_MS, ZONE) in PRESETS


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a range is"),
        ("yesterday", "a range is"),
        ("6x", "a range is"),
        ("2026-02-30", "a range is"),
        ("25:00..26:00", "a range is"),
        ("..", "a range is"),
        ("0m", "between a minute"),
        ("99999y", "between a minute"),
        ("2026-11-21..2026-11-19", "between a minute"),
        ("2027-01-01", "not been yet"),
        ("9999-12-31", "a range is"),
        ("0000-01-01", "a range is"),
        ("6h" * 100, "a range is"),
    ],
)
def test_what_is_no_range(text: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        parse_range(text, NOW_MS, ZONE)


@given(st.text(alphabet="0123456789-:. Tmhdwy", max_size=40))
def test_whatever_is_typed_is_a_window_that_can_be_shown_or_a_complaint(text: str) -> None:
    try:
        window = parse_range(text, NOW_MS, UTC)
    except CommandError:
        return
    assert SHORTEST_SPAN_MS <= window.span_ms <= LONGEST_SPAN_MS
    assert window_label(window, UTC)


def test_labels() -> None:
    assert window_label(PRESETS[2], ZONE) == "12h"
    assert window_label(parse_range("6h", NOW_MS, ZONE), ZONE) == "6h"
    assert window_label(zoom(PRESETS[1], 0.5, NOW_MS, NOW_MS), ZONE) == "30m"
    assert window_label(parse_range("08:00..09:30", NOW_MS, ZONE), ZONE) == "22 Nov 08:00–09:30"
    assert window_label(parse_range("2026-11-20 08:00..2026-11-21 20:00", NOW_MS, ZONE), ZONE) == "20 Nov 08:00 +1.5d"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("10m", NOW - timedelta(minutes=10)),
        ("2h", NOW - timedelta(hours=2)),
        ("2026-11-20 08:00", datetime(2026, 11, 20, 8, tzinfo=ZONE)),
        ("00:00", datetime.combine(NOW.date(), time(0), ZONE)),
        ("23:59", datetime.combine(NOW.date() - timedelta(days=1), time(23, 59), ZONE)),
    ],
)
def test_an_instant_is_one_that_was(text: str, wanted: datetime) -> None:
    assert parse_instant(text, NOW_MS, ZONE) == int(wanted.timestamp() * 1000)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2027-01-01", "2026-13-01"])
def test_no_instant_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(CommandError):
        parse_instant(text, NOW_MS, ZONE)
