"""Things that a host has many of, as a table whose columns change with what they are."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from beszel_tui.bindings.tables import TABLE
from beszel_tui.messages import TableLeft
from beszel_tui.renderables.fleet_row import Cell, FleetLook
from beszel_tui.renderables.sheet_row import SheetLine, draw_sheet_line
from beszel_tui.state.columns import Placed, fold
from beszel_tui.state.selectors import Sort
from beszel_tui.state.sheet import Sheet, fold_columns
from beszel_tui.widgets.row_table import RowTable


class SheetTable(RowTable[SheetLine]):
    BINDINGS: ClassVar[list[BindingType]] = [*TABLE]

    def __init__(self, look: FleetLook, sheet: Sheet) -> None:
        super().__init__(look, sheet.sort)
        self._sheet = sheet
        self._columns = fold_columns(sheet)
        self._told: frozenset[str] = frozenset()

    @property
    def cursor_line(self) -> SheetLine | None:
        return self._lines[self._cursor_row] if self._cursor_row < len(self._lines) else None

    def become(self, sheet: Sheet) -> None:
        """A table of other things, from its top."""
        self._sheet = sheet
        self._columns = fold_columns(sheet)
        self._told = frozenset()
        self._lines, self._index = (), {}
        self._marked.clear()
        self._cursor_id, self._cursor_row = None, 0
        self._placed = self.lay_out(self._width)
        self._painted.clear()
        self.scroll_to(y=0, animate=False)
        self.refresh()

    def keep_columns(self, told: frozenset[str]) -> None:
        """Leave out the others, in which nothing would stand."""
        if told != self._told:
            self._told = told
            self._placed = self.lay_out(self._width)
            self._painted.clear()
            self.refresh()

    def show(
        self, lines: Sequence[SheetLine], sort: Sort, look: FleetLook, *, keys: Sequence[str] | None = None
    ) -> None:
        """A cursor that stands on the first line stays there: of things that come and go, people watch the top."""
        if self._cursor_row == 0:
            self._cursor_id = None
        super().show(lines, sort, look, keys=keys)

    def key_of(self, line: SheetLine) -> str:
        return line.row.key

    def draw_line(self, line: SheetLine, look: FleetLook, *, marked: bool) -> list[Cell]:
        return draw_sheet_line(line, self.placed, self._sheet, look, marked=marked)

    def lay_out(self, width: int) -> list[Placed]:
        columns = [column for column in self._columns if column.key in self._told or not self._told]
        keys = {column.key for column in columns}
        return fold(width, columns, [claim for claim in self._sheet.claims if claim[0] in keys])

    def action_cursor_by(self, step: int) -> None:
        """Below the last line stand the charts of the tab, if it has any."""
        if step > 0 and self._cursor_row >= len(self._lines) - 1:
            self.post_message(TableLeft())
        else:
            super().action_cursor_by(step)
