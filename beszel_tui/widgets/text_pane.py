"""A text that is scrolled through: wrapped or not, searched, and staying at its end while it grows."""

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from beszel_tui.bindings.reading import PANE
from beszel_tui.messages import PaneMoved
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.pane_line import Found, PaneLine, draw_row
from beszel_tui.renderables.wrapping import wrap

_SIDEWAYS_CELLS: Final = 8
_MAX_FOUND_IN_LINE: Final = 64


class TextPane(ScrollView, can_focus=True, inherit_bindings=False):
    """While its last row is on the screen it follows what is appended, and a change of size changes nothing in that."""

    DEFAULT_CSS = """
    TextPane {
        height: 1fr;
        padding: 0 0 0 1;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*PANE]

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._lines: list[PaneLine] = []
        self._rows: list[tuple[int, int, int]] = []
        """Of each row: its line, first character, and the one after its last."""
        self._search: re.Pattern[str] | None = None
        self._current: int | None = None
        """The line that the search has stopped at."""
        self._shift = 0
        self.is_wrapped = True
        self.is_at_end = True
        """As whoever scrolls has left it."""

    @property
    def found_lines(self) -> list[int]:
        """The lines in which the search finds something."""
        search = self._search
        return [] if search is None else [n for n, line in enumerate(self._lines) if search.search(line.text)]

    @property
    def current(self) -> int | None:
        return self._current

    def show(self, lines: Sequence[PaneLine], palette: Palette) -> None:
        """Another text, or the same drawn anew: the place in it stays."""
        self._palette = palette
        self._lines = list(lines)
        self._lay_out()
        if self.is_at_end:
            self.to_end()

    def append(self, lines: Sequence[PaneLine], dropped: int = 0) -> None:
        """More at the end, and as much less at the beginning as `dropped` says."""
        first = next((index for index, row in enumerate(self._rows) if row[0] >= dropped), len(self._rows))
        self._rows = [(line - dropped, start, end) for line, start, end in self._rows[first:]]
        del self._lines[:dropped]
        if self._current is not None:
            self._current = self._current - dropped if self._current >= dropped else None
        for number, line in enumerate(lines, len(self._lines)):
            self._rows += [(number, start, end) for start, end in self._wrap(line)]
        self._lines += lines
        self._resize()
        if self.is_at_end:
            self.to_end()
        elif first:
            self.scroll_to(y=max(0, round(self.scroll_offset.y) - first), animate=False)
        self.refresh()

    def set_wrapped(self, *, is_wrapped: bool) -> None:
        self.is_wrapped = is_wrapped
        self._shift = 0
        self._relayout()

    def search(self, pattern: re.Pattern[str] | None) -> None:
        self._search = pattern
        self._current = None
        self.refresh()

    def search_next(self, step: int) -> bool:
        """To the next line with something found in this direction, round the end; False if there is none."""
        found = self.found_lines
        if not found:
            return False
        here = self._current if self._current is not None else self._edge(step)
        if step > 0:
            self._current = next((line for line in found if line > here), found[0])
        else:
            self._current = next((line for line in reversed(found) if line < here), found[-1])
        self._show_line(self._current)
        self.refresh()
        return True

    def _edge(self, step: int) -> int:
        """Just outside of what is on the screen, so that a search begins with what one sees."""
        top = round(self.scroll_offset.y)
        return self._line_at(top) - 1 if step > 0 else self._line_at(top + self.size.height - 1) + 1

    def to_end(self) -> None:
        self.is_at_end = True
        self.scroll_to(y=max(0, len(self._rows) - self.size.height), animate=False, force=True)

    # Painting

    def render_line(self, y: int) -> Strip:
        width = self._width
        index = round(self.scroll_offset.y) + y
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        number, start, end = self._rows[index]
        line = self._lines[number]
        segments = draw_row(line, (start, end), width, self._palette, self._found_in(number), shift=self._shift)
        return Strip(segments, width).apply_style(self.rich_style)

    def _found_in(self, number: int) -> list[Found]:
        if self._search is None:
            return []
        places: list[Found] = []
        for match in self._search.finditer(self._lines[number].text):
            if match.end() > match.start():
                places.append(Found(match.start(), match.end(), number == self._current))
            if len(places) == _MAX_FOUND_IN_LINE:
                break
        return places

    # Rows

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _wrap(self, line: PaneLine) -> list[tuple[int, int]]:
        if not self.is_wrapped:
            return [(0, len(line.text))]
        return wrap(line.text, self._width - len(line.lead[0]))

    def _lay_out(self) -> None:
        self._rows = [
            (number, start, end) for number, line in enumerate(self._lines) for start, end in self._wrap(line)
        ]
        self._resize()
        self.refresh()

    def _relayout(self) -> None:
        """The line on top stays on top."""
        top = self._line_at(round(self.scroll_offset.y))
        self._lay_out()
        if self.is_at_end:
            self.to_end()
        else:
            self.scroll_to(y=self._row_of(top), animate=False, force=True)

    def _resize(self) -> None:
        self.virtual_size = Size(self._width, len(self._rows))

    def _line_at(self, row: int) -> int:
        return self._rows[min(row, len(self._rows) - 1)][0] if self._rows else 0

    def _row_of(self, line: int) -> int:
        return next((index for index, row in enumerate(self._rows) if row[0] == line), 0)

    def _show_line(self, line: int) -> None:
        row, height = self._row_of(line), self.size.height
        first = round(self.scroll_offset.y)
        if not first <= row < first + height:
            self.scroll_to(y=max(0, row - height // 3), animate=False, force=True)

    def on_resize(self) -> None:
        self._relayout()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.is_at_end = round(new_value) >= len(self._rows) - self.size.height
            self.post_message(PaneMoved())

    # Keys

    def action_move(self, rows: int) -> None:
        """At once: of a key that repeats, each press counts."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, force=True, immediate=True)

    def action_move_pages(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_to_begin(self) -> None:
        self.scroll_to(y=0, animate=False, force=True)

    def action_to_end(self) -> None:
        self.to_end()

    def action_sideways(self, step: int) -> None:
        if not self.is_wrapped:
            self._shift = max(0, self._shift + step * _SIDEWAYS_CELLS)
            self.refresh()
