"""One line of the fleet table, as cells that can be painted by themselves."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style

from beszel_protocol.metrics import Unit
from beszel_protocol.units import Style as UnitStyle
from beszel_protocol.units import format_bytes, format_number, format_value
from beszel_tui.renderables.meter import meter
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.sparkline import sparkline
from beszel_tui.renderables.symbols import Symbols
from beszel_tui.renderables.text import Piece, fit, line_of, pieces_width
from beszel_tui.state.columns import Placed
from beszel_tui.state.hubs import hub_of
from beszel_tui.state.looks import Clock
from beszel_tui.state.selectors import FleetLine, Group, Sort, Thresholds

VALUE_WIDTH: Final = 6
"""Of a percentage: `100.0%`, one cell less where it is `41%`."""


class FleetLook(NamedTuple):
    """How rows are drawn, the same for all of a table."""

    palette: Palette
    symbols: Symbols
    units: UnitStyle
    thresholds: Thresholds
    clock: Clock = Clock()


class Cell(NamedTuple):
    """A stretch of a line."""

    x: int
    width: int
    segments: list[Segment]


def spark_width(placed: Sequence[Placed]) -> int:
    """How many readings the processor column has room for."""
    width = next((place.width for place in placed if place.column.key == "cpu"), 0)
    return width - VALUE_WIDTH - 1 if width >= VALUE_WIDTH + 5 else 0


def draw_line(line: FleetLine, placed: Sequence[Placed], look: FleetLook, *, marked: bool) -> list[Cell]:
    """The cells of one system, in order; they do not overlap."""
    cells = [_cell(place, name_pieces(line, place.width, look, marked=marked), look) for place in placed[:1]]
    rest = placed[1:]
    if not line.note:
        return cells + [_cell(place, _CELLS[place.column.key](line, place.width, look), look) for place in rest]
    if not rest:
        return cells
    if rest[0].column.key == "hub":  # which one it is of stays told
        cells.append(_cell(rest[0], _CELLS["hub"](line, rest[0].width, look), look))
        rest = rest[1:]
        if not rest:
            return cells
    style = look.palette.status[line.row.status]
    end = placed[-1].x + placed[-1].width
    width = max(rest[0].width, min(len(line.note), end - rest[0].x))
    cells.append(Cell(rest[0].x, width, line_of([(line.note, style)], width, look.palette.text)))
    return cells + [_absent(place, look) for place in rest[1:] if place.x > rest[0].x + width]


def draw_header(placed: Sequence[Placed], sort: Sort, look: FleetLook) -> list[Cell]:
    cells: list[Cell] = []
    for place in placed:
        arrow = look.symbols.descending if sort.descending else look.symbols.ascending
        is_sorted = place.column.key == sort.key
        name = place.column.title if place.width >= len(place.column.title) + 2 else place.column.short
        title = f"{name} {arrow}" if is_sorted and place.width >= len(name) + 2 else name
        style = look.palette.sorted_header if is_sorted else look.palette.header
        is_narrow_number = place.width <= VALUE_WIDTH and place.column.number is not None
        align = "right" if is_narrow_number else place.column.align
        lead = "  " if place.column.key == "name" else ""
        cells.append(Cell(place.x, place.width, [Segment(fit(lead + title, place.width, align), style)]))
    return cells


def name_pieces(line: FleetLine, width: int, look: FleetLook, *, marked: bool) -> list[Piece]:
    """The sign of its state, its name, and a warning: `width` cells."""
    palette, symbols = look.palette, look.symbols
    row = line.row
    number = str(line.alerts) if line.alerts > 1 else ""
    warning = f" {symbols.warning}{number}" if line.critical or line.alerts else ""
    if line.group is not None:
        return _heading(line, line.group, width, look, warning)
    status = (
        symbols.status[row.status],
        palette.aged if line.aged and row.status == "up" else palette.status[row.status],
    )
    name_style = palette.mark if marked else (palette.muted if line.aged or row.status != "up" else palette.strong)
    name = fit((f"{symbols.mark}" if marked else " ") + row.name, width - 1 - len(warning))
    return [status, (name, name_style), (warning, palette.level["critical"])]


def _heading(line: FleetLine, group: Group, width: int, look: FleetLook, warning: str) -> list[Piece]:
    palette, symbols = look.palette, look.symbols
    sign = symbols.folded if group.is_folded else symbols.unfolded
    count = f" {group.up}/{group.total}" if group.up != group.total else f" {group.total}"
    name = fit(line.row.name, max(1, width - 2 - len(warning) - len(count))).rstrip()
    rest = " " * max(0, width - 2 - len(warning) - len(count) - pieces_width([(name, palette.text)]))
    return [
        (f"{sign} ", palette.accent), (name, palette.accent), (count, palette.muted), (rest, palette.text),
        (warning, palette.level["critical"]),
    ]  # fmt: skip


def usage_pieces(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    """Processor usage: its curve as far as there is room, and the number."""
    percent = line.row.cpu_percent
    value = fit(_percent(percent, look), VALUE_WIDTH, "right")
    if width < VALUE_WIDTH + 5:
        return [(value, value_style(percent, line, look))]
    if line.group is not None:  # of a mean there is no curve
        return share_pieces(percent, line, width, look)
    curve = sparkline(line.trail, look.palette, look.symbols, look.thresholds, aged=line.aged)
    return [*curve, (" ", look.palette.text), (value, value_style(percent, line, look))]


def share_pieces(percent: float | None, line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    style = value_style(percent, line, look)
    text = look.symbols.absent if percent is None else f"{percent:.0f}%"
    if width < 9:
        return [(fit(text, min(width, 5), "right"), style)]
    if percent is None:
        return [(" " * (width - 5), look.palette.text), (fit(text, 5, "right"), style)]
    bar_style = look.palette.aged if line.aged else look.palette.spark[look.thresholds.level(percent)]
    return [*meter(percent, width - 5, bar_style, look.palette, look.symbols), (fit(text, 5, "right"), style)]


def _network(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    row, half = line.row, (width - 3) // 2
    style = look.palette.aged if line.aged else look.palette.text
    return [
        (fit(rate_text(row.recv_bytes_per_second, look), half, "right"), style),
        (" / ", look.palette.faint),
        (fit(rate_text(row.sent_bytes_per_second, look), half), style),
    ]


def _load(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    load = line.row.load_average[0] if line.row.load_average else None
    share = load / line.row.cores * 100 if load is not None and line.row.cores else None
    return [(fit(format_value(load, Unit.LOAD), width, "right"), value_style(share, line, look))]


def _temperature(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    value = line.row.temperature_celsius
    return [(fit(degrees_text(value, look), width, "right"), value_style(value, line, look))]


def _services(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    row = line.row
    if row.services_total is None:
        return [(fit(look.symbols.absent, width, "right"), look.palette.faint)]
    if not row.services_failed:
        text, style = f"{row.services_total}", look.palette.text
    else:
        text, style = f"{row.services_total}/{row.services_failed}", look.palette.level["critical"]
    return [(fit(text, width, "right"), look.palette.aged if line.aged else style)]


def _uptime(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    text = format_value(line.row.uptime_seconds, Unit.SECONDS)
    return [(fit(text, width, "right"), look.palette.aged if line.aged else look.palette.muted)]


def _tags(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    return [(fit(" ".join(line.row.tags or ()), width), look.palette.muted)]


def _agent(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    return [(fit(line.row.agent_version or look.symbols.absent, width), look.palette.muted)]


def value_style(value: float | None, line: FleetLine, look: FleetLook) -> Style:
    if value is None or line.aged:
        return look.palette.aged
    level = look.thresholds.level(value)
    return look.palette.text if level == "good" else look.palette.level[level]


def _percent(value: float | None, look: FleetLook) -> str:
    return look.symbols.absent if value is None else f"{format_number(value)}%"


def rate_text(value: float | None, look: FleetLook) -> str:
    return look.symbols.absent if value is None else format_bytes(value, look.units.rates)


def degrees_text(value: float | None, look: FleetLook) -> str:
    if value is None:
        return look.symbols.absent
    return f"{value * 9 / 5 + 32:.0f}°" if look.units.fahrenheit else f"{value:.0f}°"


def _absent(place: Placed, look: FleetLook) -> Cell:
    text = fit(look.symbols.absent, place.width, place.column.align)
    return _cell(place, [(text, look.palette.faint)], look)


def _cell(place: Placed, pieces: list[Piece], look: FleetLook) -> Cell:
    return Cell(place.x, place.width, line_of(pieces, place.width, look.palette.text))


_CELLS: Final[dict[str, Callable[[FleetLine, int, FleetLook], list[Piece]]]] = {
    "cpu": usage_pieces,
    "hub": lambda line, width, look: [(fit(hub_of(line.row.id), width), look.palette.muted)],
    "memory": lambda line, width, look: share_pieces(line.row.memory_percent, line, width, look),
    "disk": lambda line, width, look: share_pieces(line.row.disk_percent, line, width, look),
    "network": _network,
    "load": _load,
    "temperature": _temperature,
    "services": _services,
    "uptime": _uptime,
    "tags": _tags,
    "agent": _agent,
}
