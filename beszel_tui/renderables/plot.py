"""Curves on a canvas: the mean as a line, what lies between the extremes shaded, gaps left open."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from rich.style import Style

from beszel_tui.renderables.axis import Scale
from beszel_tui.renderables.canvas import Canvas
from beszel_tui.state.chartview import ChartLine

GAP_STEPS: Final = 2.5
"""A pause of more than so many usual steps is a gap."""
_GRID, _FILL, _LINE = 0, 1, 2


_Reading: TypeAlias = tuple[int, float, float, float]
"""Instant in ms, mean, low and high."""


class Dot(NamedTuple):
    """The readings that fall into one column of dots."""

    x: int
    mean: float
    low: float
    high: float
    first_ms: int
    last_ms: int


def resample(timestamps_ms: Sequence[int], line: ChartLine, start_ms: int, end_ms: int, dot_count: int) -> list[Dot]:
    """Readings gathered by columns of dots, which stay where they are on the clock while the window moves on.

    The last reading before the window comes along, left of the first column, so that a curve enters from the edge.
    """
    if line.lane is None or end_ms <= start_ms or dot_count <= 0:
        return []
    dot_ms = (end_ms - start_ms) / dot_count
    origin = int(end_ms // dot_ms) - dot_count + 1
    gathered: dict[int, list[_Reading]] = {}
    before: tuple[int, _Reading] | None = None
    for at_ms, mean, low, high in zip(timestamps_ms, line.lane.mean, line.lane.low, line.lane.high, strict=True):
        x = int(at_ms // dot_ms) - origin
        if mean is None or x >= dot_count:
            continue
        reading = (at_ms, mean, mean if low is None else low, mean if high is None else high)
        if x < 0:
            before = (x, reading)
        else:
            gathered.setdefault(x, []).append(reading)
    leading = [] if before is None else [_dot(before[0], [before[1]])]
    return leading + [_dot(x, readings) for x, readings in gathered.items()]


def draw_grid(canvas: Canvas, scale: Scale, style: Style) -> None:
    for value in scale.ticks[1:]:
        y = dot_row(scale, value, canvas.dot_height)
        for x in range(0, canvas.dot_width, 4 * canvas.dots.columns):
            canvas.set_dot(x, y, style, _GRID)


def draw_curve(
    canvas: Canvas, dots: Sequence[Dot], scale: Scale, step_ms: int, style: Style, *, layer: int, over: bool = False
) -> None:
    """`over`: the shade below takes the style of the line in the cells that the line runs through."""
    for run in _runs(dots, step_ms):
        points = [(dot.x, dot_row(scale, dot.mean, canvas.dot_height)) for dot in run]
        for start, end in itertools.pairwise(points):
            canvas.line(start, end, style, _LINE + layer, over=over)
        if len(points) == 1:
            canvas.set_dot(*points[0], style, _LINE + layer, over=over)


def draw_envelope(canvas: Canvas, dots: Sequence[Dot], scale: Scale, step_ms: int, style: Style) -> None:
    for run in _runs(dots, step_ms):
        for x, low, high in _between(run):
            canvas.vertical(
                x,
                dot_row(scale, high, canvas.dot_height),
                dot_row(scale, low, canvas.dot_height),
                style,
                _FILL,
            )


def draw_area(canvas: Canvas, dots: Sequence[Dot], scale: Scale, step_ms: int, style: Style) -> None:
    """Shade below the mean, as far down as the scale goes."""
    for run in _runs(dots, step_ms):
        means = [dot._replace(low=dot.mean, high=dot.mean) for dot in run]
        for x, mean, _ in _between(means):
            canvas.vertical(x, dot_row(scale, mean, canvas.dot_height), canvas.dot_height - 1, style, _FILL)


def dot_row(scale: Scale, value: float, dot_height: int) -> int:
    share = max(0.0, min(1.0, scale.share(value)))
    return round((1 - share) * (dot_height - 1))


def _dot(x: int, readings: list[_Reading]) -> Dot:
    return Dot(
        x,
        sum(mean for _, mean, _, _ in readings) / len(readings),
        min(low for _, _, low, _ in readings),
        max(high for _, _, _, high in readings),
        readings[0][0],
        readings[-1][0],
    )


def _runs(dots: Sequence[Dot], step_ms: int) -> Iterator[list[Dot]]:
    """Split where readings are missing."""
    run: list[Dot] = []
    for dot in dots:
        if run and dot.first_ms - run[-1].last_ms > GAP_STEPS * step_ms:
            yield run
            run = []
        run.append(dot)
    if run:
        yield run


def _between(run: Sequence[Dot]) -> Iterator[tuple[int, float, float]]:
    """Low and high for every column of dots of a run, interpolated where readings are farther apart than dots."""
    for left, right in itertools.pairwise(run):
        width = right.x - left.x
        for x in range(left.x, right.x):
            share = (x - left.x) / width
            yield x, left.low + (right.low - left.low) * share, left.high + (right.high - left.high) * share
    if run:
        yield run[-1].x, run[-1].low, run[-1].high
