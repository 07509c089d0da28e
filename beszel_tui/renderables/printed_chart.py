"""A chart as text that stands by itself: printed once with plotext, never repainted."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

from rich.cells import cell_len

from beszel_protocol.metrics import Unit
from beszel_protocol.units import ByteFamily
from beszel_protocol.units import Style as UnitStyle
from beszel_tui.errors import DrawingError
from beszel_tui.renderables.axis import Scale, tick_label, time_ticks, value_scale
from beszel_tui.renderables.plot import GAP_STEPS, Dot, resample
from beszel_tui.renderables.text import fit
from beszel_tui.state.chartview import ChartView, newest_value

LEAST_WIDTH: Final = 30
LEAST_HEIGHT: Final = 8
_AXIS_ROWS: Final = 2
"""The axis of time and its labels."""
_COLOURS: Final = (6, 3, 5, 2, 4, 1, 14, 11)
"""Of the terminal's own palette, so that they suit its background."""
_SHADE_COLOUR: Final = 8
_ASCII: Final = str.maketrans("─│┌┐└┘├┤┬┴┼·–…", "-|+++++++++--~")
_LETTERS: Final = ("+", "x", "o", "*", "#", "%", "@")


class PrintedLook(NamedTuple):
    """How it is written."""

    symbols: str
    """`braille`, `block` or `ascii`."""
    units: UnitStyle
    zone: tzinfo
    colour: bool
    """Without it the text has no escape codes at all."""


class _Pens(NamedTuple):
    """Curves differ in what they are drawn with, because there may be no colour to tell them apart."""

    markers: Sequence[str]
    """What plotext calls them."""
    legends: Sequence[str]
    shade: str
    dots_per_cell: int


_PENS: Final[Mapping[str, _Pens]] = {
    "braille": _Pens(("braille", *_LETTERS), ("⠒", *_LETTERS), "░", 2),
    "block": _Pens(("hd", *_LETTERS), ("▀", *_LETTERS), "░", 2),
    "ascii": _Pens((*_LETTERS, "="), (*_LETTERS, "="), ".", 1),
}


def print_chart(view: ChartView, system: str, width: int, height: int, look: PrintedLook) -> str:
    """At most `height` lines of at most `width` cells, each with its line feed. Raises `DrawingError`.

    The size is at least `LEAST_WIDTH` times `LEAST_HEIGHT`, and the view has readings.
    """
    pens = _PENS[look.symbols]
    head = _head(view, system, width, look, pens)
    plot_height = height - len(head) - _AXIS_ROWS
    # Numbers are seldom wider than seven cells; how wide they are decides how wide the plot is, and is known only then.
    curves = _curves(view, width - 8, pens)
    scale = _scale(view, curves, plot_height)
    labels = _tick_labels(scale, view.unit, look.units)
    plot_width = width - len(labels[0]) - 1
    curves = _curves(view, plot_width, pens)
    figure, plotext = _figure(width, height - len(head))
    _set_axes(figure, view, scale, labels, plot_width, look)
    _draw(figure, plotext, view, curves, pens)
    body = str(figure.build().string(colorless=not look.colour)).splitlines()
    text = "".join(f"{line.rstrip()}\n" for line in (*head, *body))
    return text.translate(_ASCII) if look.symbols == "ascii" else text


def unit_name(unit: Unit, units: UnitStyle) -> str:
    """As it stands behind a label: ` (bytes/s)`; empty for what only counts."""
    if unit in {Unit.COUNT, Unit.LOAD}:
        return ""
    if unit is Unit.CELSIUS and units.fahrenheit:
        return " (°F)"
    if unit is Unit.BYTES_PER_SECOND and units.rates is ByteFamily.BITS:
        return " (bits/s)"
    return f" ({unit})"


def _head(view: ChartView, system: str, width: int, look: PrintedLook, pens: _Pens) -> list[str]:
    """What is shown, the time it is of, and, where there are several curves, which is which."""
    unit = unit_name(view.unit, look.units)
    room = width - cell_len(unit)
    title = f"{system} · {view.title}"
    lines = [(fit(title, room).rstrip() if cell_len(title) > room else title) + unit, _period(view, look.zone)]
    if len(view.lines) > 1:
        legends = (
            f"{legend} {line.label}{'' if newest_value(line) is not None else ' (no readings)'}"
            for legend, line in zip(pens.legends, view.lines, strict=False)
        )
        lines.append("   ".join(legends))
    return [fit(line, width) for line in lines]


def _period(view: ChartView, zone: tzinfo) -> str:
    start, end = (datetime.fromtimestamp(at_ms / 1000, zone) for at_ms in (view.start_ms, view.end_ms))
    return f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M %Z}"


def _curves(view: ChartView, plot_width: int, pens: _Pens) -> list[list[Dot]]:
    count = plot_width * pens.dots_per_cell
    return [
        [dot for dot in resample(view.timestamps_ms, line, view.start_ms, view.end_ms, count) if dot.x >= 0]
        for line in view.lines
    ]


def _scale(view: ChartView, curves: Sequence[Sequence[Dot]], plot_height: int) -> Scale:
    dots = [dot for curve in curves for dot in curve]
    low, high = min((dot.low for dot in dots), default=0.0), max((dot.high for dot in dots), default=0.0)
    return value_scale(low, high, view.unit, 2 + plot_height // 4, view.ceiling)


def _tick_labels(scale: Scale, unit: Unit, units: UnitStyle) -> list[str]:
    """All of one width."""
    labels = [tick_label(value, unit, units) for value in scale.ticks]
    return [label.rjust(max(map(len, labels))) for label in labels]


def _figure(width: int, height: int) -> tuple[Any, Any]:
    """A figure of its own: the one that the library shares takes the size of whatever terminal there is."""
    try:
        import plotext  # noqa: PLC0415 (a quarter of a second, for this command only)
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise DrawingError(str(error).partition("\n")[0]) from error
    terminal = type(plotext.terminal)()
    terminal.limit(width=False, height=False)
    figure = type(plotext.figure)(terminal)
    figure.plot_size(width, height)
    figure.theme("colorless")
    figure.legend(active=False)
    return figure, plotext


def _set_axes(
    figure: Any, view: ChartView, scale: Scale, labels: Sequence[str], plot_width: int, look: PrintedLook
) -> None:
    """Both run in cells and in what is measured; the upper and right edge stay open."""
    figure.axes(active=False, axis="x", side="upper")
    figure.axes(active=False, axis="y", side="right")
    ticks = time_ticks(view.start_ms, view.end_ms, plot_width, look.zone)
    cells = [tick.x + len(tick.label) // 2 for tick in ticks]
    figure.ruler("x", "lower").ticks(cells, labels=[tick.label for tick in ticks]).lim(0, plot_width - 1)
    figure.ruler("y", "left").ticks(list(scale.ticks), labels=list(labels)).lim(scale.low, scale.high)


def _draw(figure: Any, plotext: Any, view: ChartView, curves: Sequence[Sequence[Dot]], pens: _Pens) -> None:
    if len(curves) == 1 and any(dot.low < dot.high for dot in curves[0]):
        _draw_envelope(figure, plotext, curves[0], view.lines[0].step_ms, pens)
    for index in reversed(range(len(curves))):
        dots = curves[index]
        if not dots:
            continue
        marker = plotext.marker(pens.markers[index], pixel=plotext.pixel(foreground=_COLOURS[index]))
        cells = [dot.x / pens.dots_per_cell for dot in dots]
        signal = figure.signal(cells, [dot.mean for dot in dots], marker=marker)
        figure.draw(_connected(signal, dots, view.lines[index].step_ms))


def _draw_envelope(figure: Any, plotext: Any, dots: Sequence[Dot], step_ms: int, pens: _Pens) -> None:
    """From the lowest to the highest reading, below the curve."""
    marker = plotext.marker(pens.shade, pixel=plotext.pixel(foreground=_SHADE_COLOUR))
    cells = [dot.x / pens.dots_per_cell for dot in dots]
    highs = figure.signal(cells, [dot.high for dot in dots], marker=marker)
    highs.fill(figure.signal(cells, [dot.low for dot in dots], marker=marker)).density("full", "both")
    figure.draw(_connected(highs, dots, step_ms))


def _connected(signal: Any, dots: Sequence[Dot], step_ms: int) -> Any:
    """Lines from reading to reading, but none across a gap."""
    signal.lines()
    for number, (before, after) in enumerate(itertools.pairwise(dots), 1):
        if after.first_ms - before.last_ms > GAP_STEPS * step_ms:
            signal.line(number, active=False)
    return signal
