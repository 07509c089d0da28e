"""What every list of lines does, screen or panel: a table with a filter line above, and an order that one chooses."""

from typing import TYPE_CHECKING, Any

from beszel_tui.messages import FilterChanged, FilterLeft, HeaderClicked, TableResized
from beszel_tui.state.selectors import Sort
from beszel_tui.widgets.filter_line import FilterLine
from beszel_tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from textual.widget import Widget
else:
    Widget = object


class Listing(Widget):
    """Mixed into what holds a `FilterLine` and a `RowTable`, whose names it does not care for."""

    # To be told by whoever is one

    @property
    def table(self) -> RowTable[Any]:
        raise NotImplementedError

    @property
    def sort(self) -> Sort:
        raise NotImplementedError

    @property
    def sort_keys(self) -> list[str]:
        """The columns that one can sort by."""
        raise NotImplementedError

    def keep_sort(self, sort: Sort) -> None:
        """Remember an order and show the lines in it."""
        raise NotImplementedError

    def starts_descending(self, key: str) -> bool:
        """Numbers start with the highest: that is what one looks for."""
        raise NotImplementedError

    def show_lines(self) -> None:
        """Everything anew: filter, order or width is another one."""
        raise NotImplementedError

    # Told to whoever asks

    @property
    def filter_line(self) -> FilterLine:
        return self.query_one(FilterLine)

    @property
    def is_filtered(self) -> bool:
        return bool(self.filter_line.wanted.terms)

    def set_filter(self, text: str) -> None:
        self.filter_line.put(text)

    def clear_filter(self) -> None:
        self.filter_line.clear()

    def tell_filtered(self, shown: int, total: int) -> None:
        """Say beside the filter how much it lets through."""
        if self.is_filtered:
            self.filter_line.say(f"{shown} of {total}")

    def sort_by(self, key: str, *, descending: bool | None = None) -> None:
        self.keep_sort(Sort(key, self.starts_descending(key) if descending is None else descending))

    # Actions

    def action_filter(self) -> None:
        self.filter_line.open()

    def action_sort_next(self) -> None:
        """The next column that is on the screen."""
        keys = [place.column.key for place in self.table.placed]
        index = (keys.index(self.sort.key) + 1) % len(keys) if self.sort.key in keys else 0
        self.sort_by(keys[index])

    def action_sort_reverse(self) -> None:
        self.keep_sort(Sort(self.sort.key, not self.sort.descending))

    # Messages, by the names of their handlers: what is mixed in has no decorated ones

    def on_filter_changed(self, message: FilterChanged) -> None:
        message.stop()
        self.show_lines()

    def on_filter_left(self, message: FilterLeft) -> None:
        message.stop()
        self.filter_line.close()
        self.table.screen.set_focus(self.table)  # at once: the next key may be there already

    def on_header_clicked(self, message: HeaderClicked) -> None:
        message.stop()
        if message.column == self.sort.key:
            self.action_sort_reverse()
        else:
            self.sort_by(message.column)

    def on_table_resized(self, message: TableResized) -> None:
        message.stop()
        self.show_lines()
