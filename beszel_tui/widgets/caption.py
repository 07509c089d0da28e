"""A line that says what stands below it."""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual.geometry import Size

from beszel_tui.widgets.line import LineWidget

Draw = Callable[[int], list[Segment]]
"""Given the width in cells."""


class Caption(LineWidget):
    DEFAULT_CSS = "Caption { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._draw: Draw | None = None

    def show(self, draw: Draw) -> None:
        self._draw = draw
        self.repaint()

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        return [] if self._draw is None else [self._draw(size.width)]
