"""A grid of cells whose dots are set one by one, each cell in one style."""

from collections.abc import Iterator
from typing import TypeAlias

from rich.style import Style

from beszel_tui.renderables.symbols import DotSet
from beszel_tui.renderables.text import Piece

Point: TypeAlias = tuple[int, int]
"""Column and row of a dot, from the upper left."""


class Canvas:
    """`width` × `height` cells. A cell takes the style of the highest layer drawn in it."""

    def __init__(self, width: int, height: int, dots: DotSet) -> None:
        self.width = width
        self.height = height
        self.dots = dots
        self._bits = [0] * (width * height)
        self._layers = [-1] * (width * height)
        self._styles: list[Style | None] = [None] * (width * height)

    @property
    def dot_width(self) -> int:
        return self.width * self.dots.columns

    @property
    def dot_height(self) -> int:
        return self.height * self.dots.rows

    def set_dot(self, x: int, y: int, style: Style, layer: int, *, over: bool = False) -> None:
        """Dots outside the canvas are left out.

        In a cell where a higher layer draws, the dots of lower ones disappear, or with `over` take its style.
        """
        if not (0 <= x < self.dot_width and 0 <= y < self.dot_height):
            return
        column, row = x // self.dots.columns, y // self.dots.rows
        index = row * self.width + column
        bit = 1 << (y % self.dots.rows) * self.dots.columns + x % self.dots.columns
        if layer > self._layers[index]:
            self._bits[index] = self._bits[index] | bit if over else bit
            self._layers[index], self._styles[index] = layer, style
        elif layer == self._layers[index]:
            self._bits[index] |= bit
            self._styles[index] = style

    def vertical(self, x: int, y_from: int, y_to: int, style: Style, layer: int) -> None:
        """A run of dots, both ends included."""
        for y in range(min(y_from, y_to), max(y_from, y_to) + 1):
            self.set_dot(x, y, style, layer)

    def line(self, start: Point, end: Point, style: Style, layer: int, *, over: bool = False) -> None:
        """Straight, dots close to each other, left to right."""
        (x_from, y_from), (x_to, y_to) = start, end
        steps = max(abs(x_to - x_from), abs(y_to - y_from), 1)
        for step in range(steps + 1):
            x = round(x_from + (x_to - x_from) * step / steps)
            y = round(y_from + (y_to - y_from) * step / steps)
            self.set_dot(x, y, style, layer, over=over)

    def row(self, row: int, blank: Style) -> Iterator[Piece]:
        """One row of cells, neighbours of one style together."""
        start = row * self.width
        text, style = "", blank
        for index in range(start, start + self.width):
            bits = self._bits[index]
            cell_style = (self._styles[index] or blank) if bits else blank
            if text and cell_style is not style:
                yield text, style
                text = ""
            style = cell_style
            text += self.dots.glyphs[bits] if bits else " "
        if text:
            yield text, style
