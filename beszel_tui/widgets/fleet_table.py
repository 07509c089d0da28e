"""The fleet as a table: a line a system."""

from typing import ClassVar

from textual.binding import BindingType

from beszel_tui.bindings import SYSTEM_LINES, TABLE
from beszel_tui.renderables.fleet_row import Cell, FleetLook, draw_line
from beszel_tui.state.columns import Placed, fold
from beszel_tui.state.selectors import FleetLine
from beszel_tui.widgets.row_table import RowTable


class FleetTable(RowTable[FleetLine]):
    BINDINGS: ClassVar[list[BindingType]] = [*TABLE, *SYSTEM_LINES]

    def key_of(self, line: FleetLine) -> str:
        return line.row.id

    def draw_line(self, line: FleetLine, look: FleetLook, *, marked: bool) -> list[Cell]:
        return draw_line(line, self.placed, look, marked=marked)

    def lay_out(self, width: int) -> list[Placed]:
        return fold(width)
