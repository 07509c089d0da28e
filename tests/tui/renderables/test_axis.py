import math
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.metrics import Unit
from beszel_protocol.units import Style
from beszel_tui.renderables.axis import tick_label, time_ticks, value_scale

MINUTE = 60_000
NOW = 1_795_343_071_000
"""2026-11-22 10:24:31 UTC"""


@pytest.mark.parametrize(
    ("low", "high", "unit", "ceiling", "ticks"),
    [
        (0, 3, Unit.PERCENT, None, (0, 5, 10)),
        (0, 41, Unit.PERCENT, None, (0, 25, 50)),
        (0, 97, Unit.PERCENT, None, (0, 50, 100)),
        (0, 120, Unit.PERCENT, None, (0, 50, 100)),
        (0, 12, Unit.PERCENT, 100.0, (0, 50, 100)),
        (0, 0, Unit.LOAD, None, (0, 0.5, 1)),
        (0, 7.9, Unit.LOAD, None, (0, 5, 10)),
        (0, 3_000_000, Unit.BYTES_PER_SECOND, None, (0, 2 << 20, 4 << 20)),
        (41, 46, Unit.CELSIUS, None, (30, 40, 50)),
        (0, 400, Unit.BYTES, 1000.0, (0, 512, 1000)),
    ],
)
def test_scales(low: float, high: float, unit: Unit, ceiling: float | None, ticks: tuple[float, ...]) -> None:
    scale = value_scale(low, high, unit, 3, ceiling)
    assert scale.ticks == pytest.approx(ticks)
    assert scale.low == ticks[0]
    assert scale.high == pytest.approx(ticks[-1])


@given(
    st.sampled_from(list(Unit)),
    st.floats(0, 1e12) | st.floats(0, 1e-6) | st.floats(-300, 300),
    st.floats(0, 1e12) | st.floats(0, 1e-6) | st.floats(-300, 300),
    st.integers(1, 12),
)
def test_a_scale_holds_its_readings(unit: Unit, one: float, other: float, most: int) -> None:
    low, high = min(one, other), max(one, other)
    if unit is not Unit.CELSIUS:
        low, high = abs(low), max(abs(low), abs(high))
    if unit is Unit.PERCENT:
        low, high = min(low, 100.0), min(high, 100.0)
    scale = value_scale(low, high, unit, most)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert scale.low <= low + slack
    assert scale.high >= high - slack
    assert 2 <= len(scale.ticks) <= max(3, most)
    assert all(math.isfinite(tick) for tick in scale.ticks)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (50.0, Unit.PERCENT, "50%"),
        (2 << 20, Unit.BYTES_PER_SECOND, "2M"),
        (0.5, Unit.LOAD, "0.5"),
        (0, Unit.BYTES, "0B"),
        (40, Unit.CELSIUS, "40°C"),
    ],
)
def test_tick_labels(value: float, unit: Unit, text: str) -> None:
    assert tick_label(value, unit, Style()) == text


@pytest.mark.parametrize(
    ("span_minutes", "labels"),
    [
        (1, ["10:23:45", "10:24:00", "10:24:15"]),
        (5, ["10:20", "10:22", "10:24"]),
        (60, ["09:30", "09:45", "10:00", "10:15"]),
        (24 * 60, ["12:00", "18:00", "Sun 22", "06:00"]),
        (7 * 24 * 60, ["17 Nov", "19 Nov", "21 Nov"]),
        (365 * 24 * 60, ["Mar 2026", "Jul 2026", "Nov 2026"]),
    ],
)
def test_time_ticks(span_minutes: int, labels: list[str]) -> None:
    ticks = time_ticks(NOW - span_minutes * MINUTE, NOW, 52, UTC)
    assert [tick.label for tick in ticks] == labels
    x = -1
    for tick in ticks:
        assert tick.x > x
        x = tick.x + len(tick.label)
    assert x <= 52


def test_ticks_are_round_in_local_time() -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    assert all(tick.label.endswith(("00", "15", "30", "45")) for tick in time_ticks(NOW - 60 * MINUTE, NOW, 60, zone))


def test_no_room_no_ticks() -> None:
    assert time_ticks(NOW - MINUTE, NOW, 5, UTC) == []
    assert time_ticks(NOW, NOW, 50, UTC) == []
