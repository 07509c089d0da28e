"""Scales: where the ticks of an axis are and what stands beside them."""

import math
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from beszel_protocol.metrics import Unit
from beszel_protocol.units import ByteFamily, Style, format_bytes, format_value
from beszel_tui.state.looks import clock_text

_SECOND: Final = 1000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_TIME_STEPS: Final = (
    *(seconds * _SECOND for seconds in (1, 2, 5, 10, 15, 30)),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 5, 10, 30, 60, 120, 365)),
)
_DECIMAL_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_LEAST_TOP: Final = {
    Unit.PERCENT: 10.0,
    Unit.LOAD: 1.0,
    Unit.BYTES_PER_SECOND: 1024.0,
    Unit.BYTES: 1024.0,
    Unit.COUNT: 4.0,
}
"""A scale never zooms into noise below this."""


class Scale(NamedTuple):
    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """0 at the bottom, 1 at the top."""
        return (value - self.low) / (self.high - self.low)


class Tick(NamedTuple):
    x: int
    label: str


def value_scale(low: float, high: float, unit: Unit, most_ticks: int, ceiling: float | None = None) -> Scale:
    """A scale with round numbers that holds every value from `low` to `high`.

    It begins at zero, except for temperatures; `ceiling` is its exact top, if given. There are at most `most_ticks`
    ticks, but never fewer than a scale needs that has room on both sides of a round number.
    """
    floor, top = _ends(low, high, unit, ceiling)
    steps = max(1 if floor == 0.0 else 2, most_ticks - 1)
    step = _value_step((top - floor) / steps, unit)
    bottom = _round_down(floor, step)
    while (top - bottom) / step > steps * (1 + 1e-9):
        step = _value_step(step * 1.01, unit)
        bottom = _round_down(floor, step)
    if ceiling is not None and ceiling >= high:
        ticks = [bottom + step * i for i in range(int((ceiling - bottom) / step - 0.4) + 1)]
        return Scale(bottom, ceiling, (*ticks, ceiling))
    count = math.ceil((top - bottom) / step - 1e-9)
    if unit is Unit.PERCENT and bottom + step * count > 100:
        return value_scale(low, min(high, 100.0), unit, most_ticks, 100.0)
    return Scale(bottom, bottom + step * count, tuple(bottom + step * i for i in range(count + 1)))


def _ends(low: float, high: float, unit: Unit, ceiling: float | None) -> tuple[float, float]:
    """Between what the scale has to reach at least: never so close that noise looks like weather."""
    if unit is Unit.CELSIUS:
        widen = max(0.0, 10 - (high - low)) / 2
        return low - widen, high + widen if ceiling is None else max(high + widen, ceiling)
    if unit is Unit.PERCENT:
        high = min(high, 100.0)
    return 0.0, max(high, _LEAST_TOP.get(unit, 1.0) if ceiling is None else ceiling, 1e-6)


def _round_down(value: float, step: float) -> float:
    return math.floor(value / step + 1e-9) * step


def tick_label(value: float, unit: Unit, units: Style) -> str:
    """Short: the unit of time of a rate is said by the chart's title."""
    if unit is Unit.BYTES_PER_SECOND:
        return _round_bytes(value, units.rates)
    if unit is Unit.BYTES:
        return _round_bytes(value, units.sizes)
    if unit is Unit.PERCENT:
        return f"{value:g}%"
    if unit is Unit.LOAD or unit is Unit.COUNT:
        return f"{value:g}"
    return format_value(value, unit, units)


def time_ticks(start_ms: int, end_ms: int, width: int, zone: tzinfo, *, is_twelve: bool = False) -> list[Tick]:
    """Ticks on round local times, at least a dozen cells apart, whose labels fit into `width` cells."""
    span = end_ms - start_ms
    if width < 8 or span <= 0:
        return []
    most = max(1, width // 12)
    step = next((step for step in _TIME_STEPS if span / step <= most), _TIME_STEPS[-1])
    offset_ms = _offset_ms(start_ms, zone)
    first = -(-(start_ms + offset_ms) // step) * step - offset_ms
    ticks: list[Tick] = []
    for instant in range(first, end_ms + 1, step):
        label = _time_label(datetime.fromtimestamp(instant / 1000, zone), step, is_twelve=is_twelve)
        x = round((instant - start_ms) / span * (width - 1)) - len(label) // 2
        if x >= 0 and x + len(label) <= width:
            ticks.append(Tick(x, label))
    return ticks


def _time_label(moment: datetime, step: int, *, is_twelve: bool) -> str:
    if step < _MINUTE:
        return clock_text(moment, is_twelve=is_twelve, seconds=True)
    if step < _DAY:
        is_midnight = moment.hour == moment.minute == 0
        return moment.strftime("%a %d") if is_midnight else clock_text(moment, is_twelve=is_twelve, seconds=False)
    return moment.strftime("%d %b") if step < 60 * _DAY else moment.strftime("%b %Y")


def _offset_ms(instant_ms: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(instant_ms / 1000, zone).utcoffset()
    return int(offset.total_seconds() * 1000) if offset else 0


def _value_step(least: float, unit: Unit) -> float:
    if unit in {Unit.BYTES, Unit.BYTES_PER_SECOND}:
        return _byte_step(least)
    magnitude = 10.0 ** math.floor(math.log10(least))
    step = next(factor * magnitude for factor in _DECIMAL_STEPS if factor * magnitude >= least * (1 - 1e-9))
    return max(1.0, step) if unit in {Unit.COUNT, Unit.CELSIUS, Unit.RPM} else step


def _byte_step(least: float) -> float:
    """1, 2, 4 … 512 of a binary prefix: numbers that read round as K, M, G."""
    return float(2 ** max(0, math.ceil(math.log2(max(least, 1.0)))))


def _round_bytes(value: float, family: ByteFamily) -> str:
    return format_bytes(value, family).replace(".0", "")
