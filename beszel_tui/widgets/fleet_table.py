"""The fleet as a table: a line a system."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType

from beszel_tui.bindings.fleet import SYSTEM_LINES
from beszel_tui.bindings.tables import TABLE
from beszel_tui.messages import LineMarked
from beszel_tui.renderables.fleet_row import Cell, FleetLook, draw_line
from beszel_tui.state.columns import CLAIMS_OF_HUBS, COLUMNS_OF_HUBS, Placed, fold
from beszel_tui.state.selectors import FleetLine
from beszel_tui.widgets.row_table import RowTable


class FleetTable(RowTable[FleetLine]):
    BINDINGS: ClassVar[list[BindingType]] = [*TABLE, *SYSTEM_LINES]

    has_hubs = False
    """Whether the systems are of several hubs."""

    def key_of(self, line: FleetLine) -> str:
        return line.row.id

    def draw_line(self, line: FleetLine, look: FleetLook, *, marked: bool) -> list[Cell]:
        return draw_line(line, self.placed, look, marked=marked)

    def lay_out(self, width: int) -> list[Placed]:
        if self.has_hubs:
            return fold(width, COLUMNS_OF_HUBS, CLAIMS_OF_HUBS)
        return fold(width)

    @property
    def cursor_line(self) -> FleetLine | None:
        return self._lines[self._cursor_row] if self._cursor_row < len(self._lines) else None

    def action_mark(self) -> None:
        """The screen knows what belongs to a group."""
        line = self.cursor_line
        if line is not None and line.group is not None:
            self.post_message(LineMarked(line.row.id))
        else:
            super().action_mark()

    def take_over(self, other: "FleetTable") -> None:
        """Cursor and marks of another table of the same systems, which loses its marks."""
        self._marked = set(other.marked & self._index.keys())
        other.clear_marks()
        self.forget_painted()
        self.refresh()
        if other.cursor_id is not None:
            self.move_cursor(other.cursor_id)

    def mark_all(self, keys: Iterable[str]) -> None:
        """Those that are there; if all of them are marked already, the marks come off."""
        there = {key for key in keys if key in self._index}
        self._marked = self._marked - there if there <= self._marked else self._marked | there
        self._refresh_changed()
