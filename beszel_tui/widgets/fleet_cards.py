"""The fleet as cards, as many side by side as there is room for. A card is painted again where it has changed."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.strip import Strip

from beszel_tui.bindings.fleet import CARDS
from beszel_tui.messages import TableResized
from beszel_tui.renderables.card import CARD_LINES, GAP, cards_across, draw_card
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.state.columns import Placed, fold
from beszel_tui.state.selectors import FleetLine, Sort
from beszel_tui.widgets.fleet_table import FleetTable


class _Drawn(NamedTuple):
    line: FleetLine
    is_marked: bool
    is_current: bool
    rows: list[list[Segment]]


class FleetCards(FleetTable):
    """A table as far as cursor, marks and order go."""

    BINDINGS: ClassVar[list[BindingType]] = [*CARDS]

    def __init__(self, look: FleetLook, sort: Sort) -> None:
        super().__init__(look, sort)
        self._drawn: dict[int, _Drawn] = {}
        """What each visible card last looked like."""

    @property
    def _across(self) -> int:
        return cards_across(self._width)

    @property
    def card_width(self) -> int:
        return (self._width - GAP * (self._across - 1)) // self._across

    @property
    def visible_ids(self) -> list[str]:
        return [self.key_of(self._lines[index]) for index in self._visible]

    @property
    def _visible(self) -> range:
        first = self._first_row // CARD_LINES
        last = (self._first_row + max(1, self.size.height) - 1) // CARD_LINES
        return range(min(first * self._across, len(self._lines)), min((last + 1) * self._across, len(self._lines)))

    def lay_out(self, width: int) -> list[Placed]:
        """What one can sort by, card or column."""
        return fold(max(width, 60))

    def height_of(self, lines: int) -> int:
        return -(-lines // self._across) * CARD_LINES

    # Painting

    def render_line(self, y: int) -> Strip:
        row, inner = divmod(self._first_row + y, CARD_LINES)
        segments: list[Segment] = []
        for index in range(row * self._across, min((row + 1) * self._across, len(self._lines))):
            if segments:
                segments.append(Segment(" " * GAP))
            drawn = self._draw_card(index)
            self._drawn[index] = drawn
            cells = drawn.rows[inner]
            cursor = self._look.palette.cursor
            segments += Segment.apply_style(cells, post_style=cursor) if drawn.is_current else cells
        return Strip(segments).adjust_cell_length(self._width).apply_style(self.rich_style)

    def _draw_card(self, index: int) -> _Drawn:
        line, is_marked, is_current = self._lines[index], self._is_marked(index), index == self._cursor_row
        before = self._drawn.get(index)
        if before is not None and before[:3] == (line, is_marked, is_current):
            return before
        rows = draw_card(line, self.card_width, self._look, is_marked=is_marked, is_current=is_current)
        return _Drawn(line, is_marked, is_current, rows)

    def _refresh_changed(self) -> None:
        visible = self._visible
        regions = [
            self._place(index, 0, CARD_LINES) for index in [*self._drawn] if index >= len(self._lines)
        ]  # where cards have gone
        self._drawn = {index: drawn for index, drawn in self._drawn.items() if index in visible}
        for index in visible:
            before, now = self._drawn.get(index), self._draw_card(index)
            if before is now:
                continue
            self._drawn[index] = now
            if before is None or before.is_current != now.is_current:
                regions.append(self._place(index, 0, CARD_LINES))
            else:
                regions += [self._place(index, n, 1) for n in range(CARD_LINES) if before.rows[n] != now.rows[n]]
        if regions:
            self.refresh(*regions)

    def _place(self, index: int, first: int, lines: int) -> Region:
        """Where lines of a card are on the widget; maybe out of sight."""
        row, column = divmod(index, self._across)
        x = column * (self.card_width + GAP)
        return Region(x, row * CARD_LINES + first - self._first_row, self.card_width, lines)

    def _refresh_row(self, row: int) -> None:
        self._drawn.pop(row, None)
        self.refresh(self._place(row, 0, CARD_LINES))

    def forget_painted(self) -> None:
        super().forget_painted()
        self._drawn.clear()

    # Cursor

    def _scroll_to_cursor(self) -> None:
        top = self._cursor_row // self._across * CARD_LINES
        first, height = self._first_row, self.size.height
        if top < first:
            self.scroll_to(y=top, animate=False)
        elif height and top + CARD_LINES > first + height:
            self.scroll_to(y=top + CARD_LINES - height, animate=False)

    def action_card_by(self, columns: int, rows: int) -> None:
        """Up and down stay in their column, and at the edge where they are."""
        target = self._cursor_row + columns + rows * self._across
        if 0 <= target < len(self._lines):
            self._set_cursor(target)
        elif rows > 0 and self._cursor_row // self._across < (len(self._lines) - 1) // self._across:
            self._set_cursor(len(self._lines) - 1)

    def action_page(self, step: int) -> None:
        rows = max(1, self.size.height // CARD_LINES)
        self._set_cursor(self._cursor_row + step * rows * self._across)

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()
        position = event.get_content_offset(self)
        if position is None:
            return
        column = min(position.x // (self.card_width + GAP), self._across - 1)
        index = (self._first_row + position.y) // CARD_LINES * self._across + column
        if index < len(self._lines):
            self._set_cursor(index)
            if event.chain == 2:
                self.action_choose()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(TableResized())


def shown_by(table: FleetTable) -> Sequence[str]:
    """The systems that are on the screen, groups left out."""
    return [key for key in table.visible_ids if ":" not in key]
