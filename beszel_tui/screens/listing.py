"""Screens that are one list of things: a caption if they have one, a filter line, a table, and why it is empty."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from beszel_tui.messages import OrderChosen
from beszel_tui.screens.base import HubScreen
from beszel_tui.state.columns import Column
from beszel_tui.state.filterline import Vocabulary
from beszel_tui.state.selectors import Sort
from beszel_tui.widgets.filter_line import FilterLine
from beszel_tui.widgets.listing import Listing
from beszel_tui.widgets.row_table import RowTable


class ListingScreen(HubScreen, Listing):
    """Subclasses make their table, and end `show_state` with `tell_shown`."""

    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = "listing.tcss"
    AUTO_FOCUS = "RowTable"
    vocabulary: Vocabulary
    table_name: ClassVar[str]
    """By which its order is remembered."""
    columns: ClassVar[Mapping[str, Column]]

    def __init__(self) -> None:
        super().__init__()
        self._sort = Sort()

    def make_table(self) -> RowTable[Any]:
        raise NotImplementedError

    def make_tables(self) -> ComposeResult:
        """More than one for a list that can be shown in several ways."""
        yield self.make_table()

    def compose_head(self) -> ComposeResult:
        """What stands above the filter line."""
        yield from ()

    def compose_content(self) -> ComposeResult:
        kept = self.hub_app.orders.get(self.table_name)
        if kept is not None and kept.key in self.columns:
            self._sort = kept
        yield from self.compose_head()
        yield FilterLine(self.vocabulary)
        yield from self.make_tables()
        yield Static(Content(""), id="empty")

    def tell_shown(self, shown: int, total: int, why_empty: str) -> None:
        """How many lines of how many are on the screen; if none is, why, in place of the table."""
        self.set_class(not shown, "-empty")
        if not shown:
            self.query_one("#empty", Static).update(Content(why_empty))
        elif self.focused is None:
            self.call_after_refresh(self._take_focus_back)
        self.tell_filtered(shown, total)

    def focus_content(self) -> None:
        self.set_focus(self.table)

    def _take_focus_back(self) -> None:
        """A table that is hidden has to give the focus up; meanwhile somebody may have begun to type a filter."""
        if self.focused is None:
            self.focus_content()

    # As every listing

    @property
    def sort(self) -> Sort:
        return self._sort

    @property
    def sort_keys(self) -> list[str]:
        return list(self.columns)

    @property
    def listing(self) -> Listing:
        return self

    def keep_sort(self, sort: Sort) -> None:
        self._sort = sort
        self.show_lines()
        self.post_message(OrderChosen(self.table_name, sort.key, descending=sort.descending))

    def starts_descending(self, key: str) -> bool:
        return self.columns[key].number is not None

    def show_lines(self) -> None:
        self.show_state(self.state)
