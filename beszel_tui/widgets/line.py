"""A widget of a few lines that paints only those that changed."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class LineWidget(Widget):
    """Subclasses draw themselves in `draw`; `repaint` compares with what is on the screen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id, classes=classes)
        self._painted: list[list[Segment]] = []
        self._painted_size = Size()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        """At most as many lines as `size` has, each exactly as wide."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Draw, and refresh the lines that look different."""
        if not self.size:
            return
        before, is_as_large = self._painted, self._painted_size == self.size
        self._paint()
        if not is_as_large or len(before) != len(self._painted):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._painted, strict=True)) if old != new]
        if changed:
            self.refresh(*(self._changed_region(y, before[y]) for y in changed))

    def _paint(self) -> None:
        self._painted_size = self.size
        self._painted = list(self.draw(self.size))[: self.size.height]

    def render_line(self, y: int) -> Strip:
        if self._painted_size != self.size:
            self._paint()  # a new layout is on the screen before we are told of our new size
        if y >= len(self._painted):
            return Strip.blank(self.size.width, self.rich_style)
        return Strip(self._painted[y], self.size.width).apply_style(self.rich_style)

    def on_resize(self) -> None:
        self.repaint()

    def on_mount(self) -> None:
        self.repaint()

    def on_unmount(self) -> None:
        # Textual remembers a thousand of these by the colours they had, and with each all lines it has drawn.
        self._styles_cache.clear()

    def _changed_region(self, y: int, before: list[Segment]) -> Region:
        """The cells of a line from the first to the last that differs: an SSH link pays for each of them."""
        now = self._painted[y]
        left = _equal_cells(before, now)
        right = _equal_cells(before[::-1], now[::-1])
        width = self.size.width
        return Region(left, y, max(1, width - left - right), 1)


def _equal_cells(a: Sequence[Segment], b: Sequence[Segment]) -> int:
    cells = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        cells += one.cell_length
    return cells
