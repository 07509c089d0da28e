"""A live table: any number of rows, of which only visible cells that changed are painted.

Rows are known by a key of theirs, so cursor, marks and scroll position survive whatever happens around them. Tables say
how a line of theirs is drawn and in which columns.
"""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from beszel_tui.messages import HeaderClicked, LineChosen, TableResized
from beszel_tui.renderables.fleet_row import Cell, FleetLook, draw_header
from beszel_tui.state.columns import Placed
from beszel_tui.state.selectors import Sort

_HEADER_LINES = 1

LineT = TypeVar("LineT")


class _Painted(NamedTuple, Generic[LineT]):
    line: LineT
    is_marked: bool
    cells: list[Cell]


class RowTable(ScrollView, Generic[LineT], can_focus=True, inherit_bindings=False):
    """Subclasses tell the key of a line, draw it, and lay out their columns."""

    DEFAULT_CSS = """
    RowTable {
        height: 1fr;
        padding: 0 0 0 1;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
    }
    """

    def __init__(self, look: FleetLook, sort: Sort) -> None:
        super().__init__()
        self._look = look
        self._sort = sort
        self._lines: Sequence[LineT] = ()
        self._index: dict[str, int] = {}
        self._keys: Sequence[str] | None = None
        self._placed: list[Placed] = []
        self._placed_width = 0
        self._cursor_id: str | None = None
        self._cursor_row = 0
        self._marked: set[str] = set()
        self._base = Style()
        self._painted: dict[int, _Painted[LineT]] = {}
        """What each visible row last looked like."""

    # What a table is

    def key_of(self, line: LineT) -> str:
        raise NotImplementedError

    def draw_line(self, line: LineT, look: FleetLook, *, marked: bool) -> list[Cell]:
        """The cells of a line in the columns of `placed`, in order; they do not overlap."""
        raise NotImplementedError

    def lay_out(self, width: int) -> list[Placed]:
        raise NotImplementedError

    def height_of(self, lines: int) -> int:
        """In cells, of so many lines."""
        return lines + _HEADER_LINES

    def forget_painted(self) -> None:
        """Nothing is as it was: everything has to be drawn anew."""
        self._painted.clear()

    # Told by the screen

    @property
    def placed(self) -> Sequence[Placed]:
        return self._placed

    @property
    def cursor_id(self) -> str | None:
        return self._cursor_id

    @property
    def marked(self) -> frozenset[str]:
        return frozenset(self._marked)

    @property
    def visible_ids(self) -> list[str]:
        return [self.key_of(line) for line in self._lines[self._first_row : self._first_row + self._visible_rows]]

    def show(self, lines: Sequence[LineT], sort: Sort, look: FleetLook, *, keys: Sequence[str] | None = None) -> None:
        """Show `lines`, with the cursor on the row where it was; if that is gone, on the line where it was.

        Who tells the `keys` of the lines need not have made those that are off the screen; the same keys object again
        says that no line came, went or moved.
        """
        restyled = look is not self._look or sort != self._sort
        self._sort, self._look = sort, look
        count_before = len(self._lines)
        self._lines = lines
        if keys is None or keys is not self._keys:
            self._keys = keys
            told = keys if keys is not None else map(self.key_of, lines)
            self._index = {key: index for index, key in enumerate(told)}
            self._marked &= self._index.keys()
            self._restore_cursor()
        if len(lines) != count_before:
            self.virtual_size = Size(self._width, self.height_of(len(lines)))
        if restyled:
            self.forget_painted()
            self.refresh()
        else:
            self._refresh_changed()

    def move_cursor(self, key: str) -> None:
        if key in self._index:
            self._set_cursor(self._index[key])

    def clear_marks(self) -> None:
        self._marked.clear()
        self._refresh_changed()

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        self._place_columns()
        self._base = self.rich_style  # walks up to the app: once a paint, not once a line
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        base = self._base
        if y < _HEADER_LINES:
            header = draw_header(self._placed, self._sort, self._look)
            return self._strip(header, base)
        row = self._first_row + y - _HEADER_LINES
        if row >= len(self._lines):
            return Strip.blank(self._width, base)
        line, is_marked = self._lines[row], self._is_marked(row)
        painted = self._painted.get(y)
        if painted is None or is_marked != painted.is_marked or line != painted.line:
            painted = self._painted[y] = _Painted(line, is_marked, self._draw(row))
        cells = painted.cells
        return self._strip(cells, base + self._look.palette.cursor if row == self._cursor_row else base)

    def _strip(self, cells: Sequence[Cell], style: Style) -> Strip:
        return Strip(_joined(cells, self._width), self._width).apply_style(style)

    def _draw(self, row: int) -> list[Cell]:
        return self.draw_line(self._lines[row], self._look, marked=self._is_marked(row))

    def _is_marked(self, row: int) -> bool:
        return bool(self._marked) and self.key_of(self._lines[row]) in self._marked

    def _refresh_changed(self) -> None:
        """Compare what each visible row would look like with what it looks like."""
        regions: list[Region] = []
        first, width, count = self._first_row, self._width, len(self._lines)
        for y in range(_HEADER_LINES, self.size.height):
            row = first + y - _HEADER_LINES
            before = self._painted.get(y)
            if row >= count:
                if before is not None:
                    del self._painted[y]
                    regions.append(Region(0, y, width, 1))
                continue
            line, is_marked = self._lines[row], self._is_marked(row)
            if before is not None and is_marked == before.is_marked and line == before.line:
                continue  # equal lines look the same
            if before is None or self.key_of(line) != self.key_of(before.line):
                regions.append(Region(0, y, width, 1))
            else:
                cells = self._draw(row)
                self._painted[y] = _Painted(line, is_marked, cells)
                regions += _changed_regions(before.cells, cells, y, width)
        if regions:
            self.refresh(*regions)

    @property
    def _width(self) -> int:
        """Without the column that is kept for the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def _first_row(self) -> int:
        return round(self.scroll_offset.y)

    @property
    def _visible_rows(self) -> int:
        return max(0, self.size.height - _HEADER_LINES)

    # Cursor

    def _restore_cursor(self) -> None:
        if self._cursor_id in self._index:
            row = self._index[self._cursor_id]
        else:
            row = max(0, min(len(self._lines) - 1, self._cursor_row))
            self._cursor_id = self.key_of(self._lines[row]) if self._lines else None
        if row != self._cursor_row:
            was_visible = self._first_row <= self._cursor_row < self._first_row + self._visible_rows
            self._refresh_row(self._cursor_row)
            self._cursor_row = row
            self._refresh_row(row)
            if was_visible:
                self._scroll_to_cursor()

    def _set_cursor(self, row: int) -> None:
        if not self._lines:
            return
        row = max(0, min(len(self._lines) - 1, row))
        if row != self._cursor_row:
            self._refresh_row(self._cursor_row)
            self._cursor_row = row
            self._refresh_row(row)
        self._cursor_id = self.key_of(self._lines[row])
        self._scroll_to_cursor()

    def _scroll_to_cursor(self) -> None:
        first, visible = self._first_row, self._visible_rows
        if self._cursor_row < first:
            self.scroll_to(y=self._cursor_row, animate=False)
        elif visible and self._cursor_row >= first + visible:
            self.scroll_to(y=self._cursor_row - visible + 1, animate=False)

    def _refresh_row(self, row: int) -> None:
        y = row - self._first_row + _HEADER_LINES
        if _HEADER_LINES <= y < self.size.height:
            self.refresh(Region(0, y, self._width, 1))

    # Keys and mouse

    def action_cursor_by(self, step: int) -> None:
        self._set_cursor(self._cursor_row + step)

    def action_page(self, step: int) -> None:
        self._set_cursor(self._cursor_row + step * max(1, self._visible_rows - 1))

    def action_cursor_to(self, row: int) -> None:
        self._set_cursor(row if row >= 0 else len(self._lines) - 1)

    def action_choose(self) -> None:
        if self._cursor_id is not None:
            self.post_message(LineChosen(self._cursor_id))

    def action_mark(self) -> None:
        if self._cursor_id is None:
            return
        self._marked ^= {self._cursor_id}
        self._refresh_row(self._cursor_row)
        self._set_cursor(self._cursor_row + 1)

    def on_click(self, event: events.Click) -> None:
        position = event.get_content_offset(self)
        if position is None:
            return
        if position.y < _HEADER_LINES:
            for place in self._placed:
                if place.x <= position.x < place.x + place.width:
                    self.post_message(HeaderClicked(place.column.key))
            return
        row = self._first_row + position.y - _HEADER_LINES
        if row < len(self._lines):
            self._set_cursor(row)
            if event.chain == 2:
                self.action_choose()

    def _place_columns(self) -> None:
        """For the width there is: a new layout is on the screen before we are told of our new size."""
        width = self._width
        if width != self._placed_width:
            self._placed_width = width
            self._placed = self.lay_out(width)
            self.forget_painted()

    def on_resize(self) -> None:
        self._place_columns()
        self.forget_painted()
        self.virtual_size = Size(self._width, self.height_of(len(self._lines)))
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(TableResized())

    def on_unmount(self) -> None:
        self._styles_cache.clear()  # as `LineWidget` does

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._painted.clear()
            self.post_message(TableResized())


def _joined(cells: Sequence[Cell], width: int) -> list[Segment]:
    segments: list[Segment] = []
    x = 0
    for cell in cells:
        if cell.x > x:
            segments.append(Segment(" " * (cell.x - x)))
        segments += cell.segments
        x = cell.x + cell.width
    if x < width:
        segments.append(Segment(" " * (width - x)))
    return segments


def _changed_regions(before: list[Cell], now: list[Cell], y: int, width: int) -> list[Region]:
    whole = [Region(0, y, width, 1)]
    if len(before) != len(now):
        return whole
    regions: list[Region] = []
    for old, new in zip(before, now, strict=True):
        if (old.x, old.width) != (new.x, new.width):
            return whole
        if old.segments != new.segments:
            regions.append(_changed_cells(old, new, y))
    return regions


def _changed_cells(old: Cell, new: Cell, y: int) -> Region:
    """Within a cell, from the first segment that differs."""
    left = 0
    for before, after in zip(old.segments, new.segments, strict=False):
        if before != after:
            break
        left += after.cell_length
    return Region(new.x + left, y, max(1, new.width - left), 1)
