"""The last line: the keys of what has the focus, each a place for the mouse."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment

from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.text import Piece, line_of, pieces_width


class Hint(NamedTuple):
    key: str
    """As Textual calls it, to act when clicked."""
    caption: str
    """As people call it."""
    description: str


class Place(NamedTuple):
    """The cells of a hint."""

    x: int
    width: int
    key: str


def draw_key_bar(hints: Sequence[Hint], width: int, palette: Palette) -> tuple[list[Segment], list[Place]]:
    """Hints that fit into `width` cells, and where they are; the last one (help) always stays if anything does."""
    shown = list(hints)
    while len(shown) > 1 and pieces_width(_pieces(shown, palette)) > width:
        del shown[-2]
    pieces = _pieces(shown, palette)
    places: list[Place] = []
    x = 1
    for hint in shown:
        cells = pieces_width([(f"{hint.caption} {hint.description}", palette.text)])
        places.append(Place(x, cells, hint.key))
        x += cells + 2
    return line_of(pieces, width, palette.text), places


def _pieces(hints: Sequence[Hint], palette: Palette) -> list[Piece]:
    pieces: list[Piece] = [(" ", palette.text)]
    for hint in hints:
        pieces += [(hint.caption, palette.key), (f" {hint.description}  ", palette.muted)]
    return pieces
