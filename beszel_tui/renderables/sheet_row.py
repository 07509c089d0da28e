"""One line of a table of things, as cells that can be painted by themselves; and the line above the table."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style

from beszel_protocol.feed import SystemStatus
from beszel_protocol.metrics import Unit
from beszel_protocol.units import format_value
from beszel_tui.renderables.fleet_row import VALUE_WIDTH, Cell, FleetLook
from beszel_tui.renderables.meter import meter
from beszel_tui.renderables.symbols import Symbols
from beszel_tui.renderables.text import Piece, fit, fit_middle, line_of, pieces_width
from beszel_tui.state.columns import Placed
from beszel_tui.state.selectors import Level
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow

_LEAST_BAR: Final = 5
_SIGNS: Final[dict[Level | None, SystemStatus]] = {None: "paused", "good": "up", "critical": "down"}
"""The signs of systems that are in a like state; a thing of concern has the sign for warnings."""


class SheetLine(NamedTuple):
    row: SheetRow
    aged: bool
    """The numbers are not of now: shown grey."""
    branches: tuple[bool, ...] = ()
    """Of a tree, as in `state.tree`."""
    is_sought: bool = True
    """False: it is only there for what hangs from it."""


class SheetCounts(NamedTuple):
    total: int
    shown: int
    troubled: int


def draw_sheet_line(
    line: SheetLine, placed: Sequence[Placed], sheet: Sheet, look: FleetLook, *, marked: bool = False
) -> list[Cell]:
    """The cells of one thing, in order; they do not overlap."""
    cells: list[Cell] = []
    for place in placed:
        column = sheet.by_key[place.column.key]
        if column is sheet.columns[0]:
            pieces = _name(line, place.width, sheet, look, marked=marked)
        elif column.unit is None:
            pieces = [_words(line, column, place.width, look)]
        else:
            pieces = _number(line, column, place.width, look)
        cells.append(Cell(place.x, place.width, line_of(pieces, place.width, look.palette.text)))
    return cells


def draw_sheet_caption(sheet: Sheet, counts: SheetCounts, note: str, width: int, look: FleetLook) -> list[Segment]:
    """How many there are and how they are: one line of `width` cells; what does not fit is left out."""
    palette, symbols = look.palette, look.symbols
    pieces: list[Piece] = [(f" {sheet.title} ", palette.accent), (str(counts.total), palette.strong)]
    parts: list[list[Piece]] = []
    if counts.troubled:
        parts.append(
            [(f"{counts.troubled} {symbols.warning}", palette.level["critical"]), (f" {sheet.trouble}", palette.muted)]
        )
    if counts.shown != counts.total:
        parts.append([(f"{counts.shown} shown", palette.muted)])
    if note:
        parts.append([(note, palette.muted)])
    for part in parts:
        more: list[Piece] = [("   ", palette.text), *part]
        room = width - pieces_width(pieces) - 3
        if pieces_width(part) <= room:
            pieces += more
        elif part[0][0] == note and room >= 20:
            pieces += [("   ", palette.text), (fit(note, room, ellipsis=symbols.ellipsis), palette.muted)]
    return line_of(pieces, width, palette.text)


def _name(line: SheetLine, width: int, sheet: Sheet, look: FleetLook, *, marked: bool) -> list[Piece]:
    palette, symbols, row = look.palette, look.symbols, line.row
    is_faded = line.aged or not line.is_sought
    style = palette.mark if marked else palette.muted if is_faded else palette.strong
    if not sheet.has_levels:
        branch = _branch(line.branches, width // 2, symbols)
        name = fit_middle(row.name, width - len(branch), symbols.ellipsis)
        return [(branch, palette.muted), (name, style)] if branch else [(name, style)]
    sign = symbols.warning if row.level == "warning" else symbols.status[_SIGNS[row.level]]
    return [
        (fit(sign, 1), _level_style(line, look, palette.faint)),
        (symbols.mark if marked else " ", style),
        (fit_middle(row.name, width - 2, symbols.ellipsis), style),
    ]


def _branch(branches: tuple[bool, ...], room: int, symbols: Symbols) -> str:
    """Two cells a level, in at most `room`; of what hangs too deep for that, the levels nearest to it."""
    if not branches or room < 2:
        return ""
    more, last, past, along = symbols.branches
    levels = [f"{past} " if follows else "  " for follows in branches[:-1]]
    levels.append((more if branches[-1] else last) + along)
    shown = levels[-(room // 2) :]
    return "".join(shown) if len(shown) == len(levels) else symbols.ellipsis + "".join(shown)[1:]


def _words(line: SheetLine, column: SheetColumn, width: int, look: FleetLook) -> Piece:
    value = line.row.values.get(column.key)
    palette, symbols = look.palette, look.symbols
    if value in {None, ""}:
        return fit(symbols.absent, width), palette.faint
    style = palette.faint if line.aged else palette.muted
    if column.by_level and line.row.level in {"warning", "critical"}:
        style = _level_style(line, look, palette.muted)
    return fit(str(value), width, ellipsis=symbols.ellipsis), style


def _number(line: SheetLine, column: SheetColumn, width: int, look: FleetLook) -> list[Piece]:
    value = line.row.values.get(column.key)
    palette, symbols = look.palette, look.symbols
    align = "left" if column.is_share and width < VALUE_WIDTH else "right"
    if not isinstance(value, int | float):
        return [(fit(symbols.absent, width, align), palette.faint)]
    unit = line.row.units.get(column.key) or column.unit or Unit.NUMBER
    text = format_value(value, unit, look.units)
    style = _value_style(value, line, look) if column.is_share or unit is Unit.CELSIUS else _plain_style(line, look)
    bar = width - VALUE_WIDTH - 1
    if not column.is_share or bar < _LEAST_BAR:
        return [(fit(text, width if not column.is_share else min(width, VALUE_WIDTH), align), style)]
    bar_style = palette.faint if line.aged else palette.spark[look.thresholds.level(value)]
    return [*meter(value, bar, bar_style, palette, symbols), (fit(text, VALUE_WIDTH + 1, "right"), style)]


def _value_style(value: float, line: SheetLine, look: FleetLook) -> Style:
    level = look.thresholds.level(value)
    if line.aged:
        return look.palette.faint
    return look.palette.text if level == "good" else look.palette.level[level]


def _plain_style(line: SheetLine, look: FleetLook) -> Style:
    return look.palette.faint if line.aged else look.palette.text


def _level_style(line: SheetLine, look: FleetLook, otherwise: Style) -> Style:
    level = line.row.level
    return otherwise if line.aged or level is None else look.palette.level[level]
