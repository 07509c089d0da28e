"""A table of things with what belongs to it: the line above it, its filter, its order, and why it is empty."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from beszel_tui.bindings.system import SHEET
from beszel_tui.messages import OrderChosen, SheetSorted, TreeTurned, ValueCopied
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.sheet_row import SheetCounts, SheetLine, draw_sheet_caption
from beszel_tui.state.filterline import NO_FILTER, Vocabulary
from beszel_tui.state.selectors import Sort
from beszel_tui.state.sheet import Sheet, SheetRow, sheet_rows, told_keys, vocabulary_of
from beszel_tui.state.tree import grow
from beszel_tui.widgets.caption import Caption
from beszel_tui.widgets.filter_line import FilterLine
from beszel_tui.widgets.listing import Listing
from beszel_tui.widgets.sheet_table import SheetTable

EDGE_LINES = 2
"""Above the rows: what they are, and their columns."""


class SheetPanel(Vertical, Listing):
    """Shows one sheet at a time; each keeps its order."""

    BINDINGS: ClassVar[list[BindingType]] = [*SHEET]
    DEFAULT_CSS = """
    SheetPanel { height: 1fr; }
    SheetPanel .empty { height: 1fr; content-align: center middle; text-align: center; color: $muted; display: none; }
    SheetPanel.-empty SheetTable { height: 1; }
    SheetPanel.-empty .empty { display: block; }
    """

    def __init__(
        self, look: FleetLook, sheet: Sheet, orders: Mapping[str, Sort] | None = None, *, is_tree: bool = False
    ) -> None:
        """With the orders, by sheet, and the tree that somebody has chosen before."""
        super().__init__()
        self._look = look
        self._sheet = sheet
        self._sorts = dict(orders or {})
        self._is_tree = is_tree
        self._source: Any = None
        self._rows: list[SheetRow] = []
        self._aged = False
        self._note = ""
        self._empty = ""
        self.vocabulary: Vocabulary = vocabulary_of(sheet)

    def compose(self) -> ComposeResult:
        yield Caption()
        yield FilterLine(self.vocabulary)
        yield SheetTable(self._look, self._sheet)
        yield Static(Content(""), classes="empty")

    @property
    def table(self) -> SheetTable:
        return self.query_one(SheetTable)

    @property
    def sheet(self) -> Sheet:
        return self._sheet

    @property
    def sort(self) -> Sort:
        kept = self._sorts.get(self._sheet.key)
        return kept if kept is not None and kept.key in self._sheet.by_key else self._sheet.sort

    @property
    def sort_keys(self) -> list[str]:
        return list(self._sheet.by_key)

    @property
    def rows(self) -> Sequence[SheetRow]:
        """All of them, whatever the filter hides."""
        return self._rows

    @property
    def height_wanted(self) -> int:
        """In lines, to show every row."""
        filter_lines = 1 if self.is_filtered else 0
        return EDGE_LINES + filter_lines + max(len(self._rows), 1)

    def become(self, sheet: Sheet) -> None:
        if sheet is self._sheet:
            return
        self._sheet = sheet
        self.vocabulary = vocabulary_of(sheet)
        self.filter_line.speak(self.vocabulary)
        self.table.become(sheet)

    def show(self, source: Any, look: FleetLook, *, aged: bool, empty: str = "", note: str = "") -> None:
        """Everything anew out of what the sheet is of.

        `empty` is why there is nothing, if the sheet cannot know; `note` stands in place of the sheet's own.
        """
        self._source, self._look, self._aged, self._empty, self._note = source, look, aged, empty, note
        self._rows = self._sheet.rows(source, look.thresholds)
        self.show_lines()

    def show_lines(self) -> None:
        if self._source is None:
            return
        sheet, look = self._sheet, self._look
        shown = sheet_rows(self._rows, self.filter_line.wanted, self.sort, sheet)
        self.table.keep_columns(told_keys(self._rows, sheet))
        self.table.show(self._lines_of(shown), self.sort, look)
        note = self._note or sheet.note(self._source)
        counts = _count(sheet, self._rows, shown)
        self.query_one(Caption).show(lambda cells: draw_sheet_caption(sheet, counts, note, cells, look))
        self.set_class(not shown, "-empty")
        if not shown:
            why = "nothing here matches the filter\n\nesc clears it" if self._rows else self._empty or sheet.empty
            self.query_one(".empty", Static).update(Content(why))
        self.tell_filtered(len(shown), len(self._rows))

    def _lines_of(self, shown: Sequence[SheetRow]) -> list[SheetLine]:
        """In a tree what the filter lets through keeps what it hangs from."""
        if not (self._is_tree and self._sheet.has_tree):
            return [SheetLine(row, self._aged) for row in shown]
        sought = {row.key for row in shown} if self.is_filtered else None
        ordered = sheet_rows(self._rows, NO_FILTER, self.sort, self._sheet)
        return [SheetLine(one.row, self._aged, one.branches, one.is_sought) for one in grow(ordered, sought)]

    def focus_table(self) -> None:
        self.screen.set_focus(self.table)

    def keep_sort(self, sort: Sort) -> None:
        self._sorts[self._sheet.key] = sort
        self.show_lines()
        self.post_message(SheetSorted())
        self.post_message(OrderChosen(self._sheet.key, sort.key, descending=sort.descending))

    def starts_descending(self, key: str) -> bool:
        column = self._sheet.by_key[key]
        return column.unit is not None or column.by_level

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(super().check_action(action, parameters)) and (action != "tree" or self._sheet.has_tree)

    def action_tree(self) -> None:
        self._is_tree = not self._is_tree
        self.show_lines()
        self.post_message(TreeTurned(is_tree=self._is_tree))

    def action_copy(self) -> None:
        line = self.table.cursor_line
        if line is not None:
            self.post_message(ValueCopied(line.row.name))


def _count(sheet: Sheet, rows: Sequence[SheetRow], shown: Sequence[SheetRow]) -> SheetCounts:
    counted = [row for row in rows if sheet.counted(row)]
    troubled = sum(row.level in {"warning", "critical"} for row in counted)
    return SheetCounts(len(counted), sum(map(sheet.counted, shown)), troubled)
