"""The themes to choose from, one a line, with a sample of each one's colours."""

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Size

from beszel_tui.messages import RowClicked
from beszel_tui.renderables.symbols import Symbols
from beszel_tui.renderables.theme_line import draw_theme_line
from beszel_tui.theming import ThemeFile, palette_of
from beszel_tui.widgets.line import LineWidget


class ThemeList(LineWidget, can_focus=False):
    """As many lines as there is room for, so that the one under the cursor is among them."""

    def __init__(self, themes: Sequence[ThemeFile], row: int, symbols: Symbols) -> None:
        super().__init__()
        self._symbols = symbols
        self._themes = themes
        self._row = row
        self._first = 0

    def show(self, row: int) -> None:
        self._row = row
        self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del container, width
        return max(1, min(len(self._themes), viewport.height - 3))  # the box and its line of keys stay in sight

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        self._first = max(self._row - size.height + 1, min(self._first, self._row))
        look = palette_of(self._themes[self._row])
        shown = list(enumerate(self._themes))[self._first : self._first + size.height]
        return [
            draw_theme_line(
                theme.label, palette_of(theme), look, self._symbols, size.width, is_current=row == self._row
            )
            for row, theme in shown
        ]

    def on_click(self, event: events.Click) -> None:
        row = self._first + event.y
        if row < len(self._themes):
            self.post_message(RowClicked(row))
