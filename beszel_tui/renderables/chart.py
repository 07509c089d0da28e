"""A chart with title, legend, axes and curves, as lines of segments."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from beszel_protocol.metrics import Unit
from beszel_protocol.units import Style as UnitStyle
from beszel_protocol.units import format_value
from beszel_tui.renderables.axis import Scale, Tick, tick_label, time_ticks, value_scale
from beszel_tui.renderables.canvas import Canvas
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.plot import Dot, dot_row, draw_area, draw_curve, draw_envelope, draw_grid, resample
from beszel_tui.renderables.symbols import Symbols
from beszel_tui.renderables.text import Piece, fit, fit_middle, line_of, pieces_width
from beszel_tui.state.chartview import ChartLine, ChartView, newest_value, value_at
from beszel_tui.state.looks import clock_text

AXIS_WIDTH: Final = 7
LEAST_HEIGHT: Final = 4
_CURSOR_LAYER: Final = 100


class _Legend(NamedTuple):
    """What is told of each line."""

    label_width: int
    """In cells; with no label at all the order of the lines must do."""
    has_marks: bool = True
    """Else the label itself has the line's colour."""
    has_values: bool = True


_BARE: Final = _Legend(0)
_LEGENDS: Final = (
    *(_Legend(width) for width in (40, 16, 10, 6, 5, 4)),
    *(_Legend(width, has_marks=False) for width in (10, 6, 4)),
    *(_Legend(width, has_values=False) for width in (16, 10, 6, 5, 4)),
    _BARE,
)
"""From the best on. Numbers leave before names: the axis tells them too."""


class ChartLook(NamedTuple):
    """How charts are drawn, the same for all of a screen."""

    palette: Palette
    symbols: Symbols
    units: UnitStyle
    zone: tzinfo
    is_twelve: bool = False
    """Hours are told twice a day."""


def draw_chart(
    view: ChartView, width: int, height: int, look: ChartLook, *, focused: bool = False
) -> list[list[Segment]]:
    """Exactly `height` lines of `width` cells: title and legend, the plot beside its axis, the time axis."""
    plot_width, plot_height = width - AXIS_WIDTH - 1, height - 2
    title = line_of(_title(view, width, look, focused=focused), width, look.palette.text)
    if plot_height < 1 or plot_width < 4:
        return [title, *([line_of([], width, look.palette.text)] * (height - 1))][:height]
    dots = [_dots(view, line, plot_width, look) for line in view.lines]
    scale = _scale(view, dots, plot_height)
    canvas = Canvas(plot_width, plot_height, look.symbols.dots)
    _draw(canvas, view, dots, scale, look)
    cursor_x = _cursor_cell(view, plot_width)
    body = [
        line_of(_plot_row(view, canvas, row, scale, cursor_x, look), width, look.palette.text)
        for row in range(plot_height)
    ]
    return [title, *body, line_of(_time_axis(view, plot_width, cursor_x, look), width, look.palette.text)]


def cell_instant(view: ChartView, cell: int, plot_width: int) -> int:
    """The instant in the middle of a column of the plot, for the mouse and the time cursor."""
    cell = max(0, min(plot_width - 1, cell))
    return view.start_ms + round((cell + 0.5) / plot_width * (view.end_ms - view.start_ms))


def _dots(view: ChartView, line: ChartLine, plot_width: int, look: ChartLook) -> list[Dot]:
    return resample(view.timestamps_ms, line, view.start_ms, view.end_ms, plot_width * look.symbols.dots.columns)


def _scale(view: ChartView, dots: Sequence[Sequence[Dot]], plot_height: int) -> Scale:
    highs = [dot.high for line in dots for dot in line if dot.x >= 0]
    lows = [dot.low for line in dots for dot in line if dot.x >= 0]
    return value_scale(min(lows, default=0.0), max(highs, default=0.0), view.unit, 2 + plot_height // 4, view.ceiling)


def _draw(canvas: Canvas, view: ChartView, dots: Sequence[Sequence[Dot]], scale: Scale, look: ChartLook) -> None:
    palette = look.palette
    draw_grid(canvas, scale, palette.faint)
    is_area = len(view.lines) == 1 and view.unit is not Unit.CELSIUS
    for index, (line, line_dots) in enumerate(zip(view.lines, dots, strict=True)):
        _, fill = _line_styles(index, view, palette)
        if is_area:
            draw_area(canvas, line_dots, scale, line.step_ms, fill)
        draw_envelope(canvas, line_dots, scale, line.step_ms, fill)
    for index in reversed(range(len(view.lines))):
        style, _ = _line_styles(index, view, palette)
        layer = len(view.lines) - index
        draw_curve(canvas, dots[index], scale, view.lines[index].step_ms, style, layer=layer, over=is_area)


def _line_styles(index: int, view: ChartView, palette: Palette) -> tuple[Style, Style]:
    if view.aged:
        return palette.muted, palette.faint
    return palette.lines[index % len(palette.lines)], palette.fills[index % len(palette.fills)]


def _title(view: ChartView, width: int, look: ChartLook, *, focused: bool) -> list[Piece]:
    palette = look.palette
    head: list[Piece] = [
        (f"{look.symbols.mark} " if focused else "  ", palette.accent),
        (view.title, palette.accent if focused else palette.strong),
        ("  ", palette.text),
    ]
    room = width - pieces_width(head)
    legends = (_legend(view, look, style) for style in _LEGENDS)
    return [*head, *next((legend for legend in legends if pieces_width(legend) <= room), _legend(view, look, _BARE))]


def _legend(view: ChartView, look: ChartLook, shape: "_Legend") -> list[Piece]:
    if len(view.lines) == 1:
        return _single_legend(view, look, full=shape.label_width > 0)
    pieces: list[Piece] = []
    for index, line in enumerate(view.lines):
        style, _ = _line_styles(index, view, look.palette)
        parts: list[Piece] = [(look.symbols.legend, style)] if shape.has_marks else []
        if shape.label_width:
            label = fit_middle(line.label, min(shape.label_width, cell_len(line.label)), look.symbols.ellipsis)
            parts.append((label, look.palette.muted if shape.has_marks else style))
        if shape.has_values:
            parts.append((format_value(_shown_value(view, line), view.unit, look.units), look.palette.text))
        for number, part in enumerate(parts):
            gap = "" if not pieces else " " if number else "  "
            pieces += [(gap, look.palette.text), part]
    return pieces


def _single_legend(view: ChartView, look: ChartLook, *, full: bool) -> list[Piece]:
    """One line has room for its extremes: at the cursor those of the moment, else those of the window."""
    line, palette = view.lines[0], look.palette
    style, _ = _line_styles(0, view, palette)
    pieces: list[Piece] = [(f"{format_value(_shown_value(view, line), view.unit, look.units)}  ", style)]
    extremes = _extremes(view, line)
    if full and extremes is not None:
        for label, value in zip(("min", "avg", "max"), extremes, strict=True):
            pieces.append((f" {label} ", palette.muted))
            pieces.append((format_value(value, view.unit, look.units), palette.text))
    return pieces


def _extremes(view: ChartView, line: ChartLine) -> tuple[float, float, float] | None:
    if view.cursor_ms is not None:
        found = value_at(view, line, view.cursor_ms)
        return None if found is None else (found[1], found[0], found[2])
    if line.lane is None:
        return None
    inside = [
        (low, mean, high)
        for at, low, mean, high in zip(view.timestamps_ms, line.lane.low, line.lane.mean, line.lane.high, strict=True)
        if mean is not None and low is not None and high is not None and view.start_ms <= at <= view.end_ms
    ]
    if not inside:
        return None
    return min(r[0] for r in inside), sum(r[1] for r in inside) / len(inside), max(r[2] for r in inside)


def _shown_value(view: ChartView, line: ChartLine) -> float | None:
    if view.cursor_ms is None:
        return newest_value(line)
    found = value_at(view, line, view.cursor_ms)
    return None if found is None else found[0]


def _plot_row(
    view: ChartView, canvas: Canvas, row: int, scale: Scale, cursor_x: int | None, look: ChartLook
) -> list[Piece]:
    palette, symbols = look.palette, look.symbols
    label = _label_of_row(view, row, canvas, scale, look)
    axis = symbols.axis_tick if label else symbols.axis_vertical
    pieces: list[Piece] = [(fit(label, AXIS_WIDTH, "right"), palette.muted), (axis, palette.faint)]
    if view.note and row == canvas.height // 2:
        return [*pieces, (f" {view.note}", palette.muted)]
    plot = list(canvas.row(row, palette.text))
    return [*pieces, *(plot if cursor_x is None else _with_cursor(plot, cursor_x, look))]


def _with_cursor(plot: list[Piece], cursor_x: int, look: ChartLook) -> list[Piece]:
    pieces: list[Piece] = []
    x = 0
    for text, style in plot:
        offset = cursor_x - x
        if 0 <= offset < len(text):
            cursor = (look.symbols.cursor_line, look.palette.time_cursor)
            pieces += [(text[:offset], style), cursor, (text[offset + 1 :], style)]
        else:
            pieces.append((text, style))
        x += len(text)
    return [piece for piece in pieces if piece[0]]


def _label_of_row(view: ChartView, row: int, canvas: Canvas, scale: Scale, look: ChartLook) -> str:
    for value in scale.ticks:
        if dot_row(scale, value, canvas.dot_height) // canvas.dots.rows == row:
            return tick_label(value, view.unit, look.units)
    return ""


def _cursor_cell(view: ChartView, plot_width: int) -> int | None:
    if view.cursor_ms is None or not view.start_ms <= view.cursor_ms <= view.end_ms:
        return None
    share = (view.cursor_ms - view.start_ms) / (view.end_ms - view.start_ms)
    return min(plot_width - 1, int(share * plot_width))


def _time_axis(view: ChartView, plot_width: int, cursor_x: int | None, look: ChartLook) -> list[Piece]:
    palette = look.palette
    ticks = time_ticks(view.start_ms, view.end_ms, plot_width, look.zone, is_twelve=look.is_twelve)
    pieces: list[Piece] = [(" " * (AXIS_WIDTH + 1), palette.text)]
    if cursor_x is not None and view.cursor_ms is not None:
        seconds = view.end_ms - view.start_ms < 86_400_000
        moment = datetime.fromtimestamp(view.cursor_ms / 1000, look.zone)
        time = clock_text(moment, is_twelve=look.is_twelve, seconds=seconds)
        label = time if seconds else f"{moment:%d %b} {time}"
        at = max(0, min(plot_width - len(label), cursor_x - len(label) // 2))
        ticks = [t for t in ticks if t.x + len(t.label) < at or t.x > at + len(label)]
        ticks = sorted([*ticks, Tick(at, label)])
        return [*pieces, *_tick_pieces(ticks, look, highlight=at)]
    return [*pieces, *_tick_pieces(ticks, look)]


def _tick_pieces(ticks: Sequence[Tick], look: ChartLook, highlight: int | None = None) -> list[Piece]:
    pieces: list[Piece] = []
    x = 0
    for tick in ticks:
        if tick.x < x:
            continue
        style = look.palette.time_cursor if tick.x == highlight else look.palette.muted
        pieces += [(" " * (tick.x - x), look.palette.text), (tick.label, style)]
        x = tick.x + len(tick.label)
    return pieces
