"""A row of a text that is scrolled through: its colours, and what a search has found in it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from beszel_protocol.colours import Stretch
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.text import Piece, fit, line_of, pieces_width
from beszel_tui.renderables.wrapping import Row

ELLIPSIS: Final = "…"


class PaneLine(NamedTuple):
    """One line of the text, however many rows it takes."""

    text: str
    pieces: Sequence[Piece]
    """The same, by style."""
    lead: Piece
    """Stands before each line and is no part of it."""


class Found(NamedTuple):
    """Where a search has found something in a line."""

    start: int
    end: int
    is_current: bool


def draw_row(
    line: PaneLine, row: Row, width: int, palette: Palette, found: Sequence[Found] = (), *, shift: int = 0
) -> list[Segment]:
    """The characters of a row in exactly `width` cells; the lead stands before a line's first row.

    `shift` leaves out so many of them: the text is looked at from further right.
    """
    start, end = row
    lead, lead_style = line.lead
    pieces: list[Piece] = [(lead if start == 0 else " " * len(lead), lead_style)]
    start = min(end, start + shift)
    pieces += _cut(line.pieces, start, end, found, palette)
    if pieces_width(pieces) <= width or width < 2:
        return line_of(pieces, width, palette.text)
    return [*line_of(pieces, width - 1, palette.text), Segment(ELLIPSIS, palette.faint)]


def draw_pane_caption(title: str, notes: Sequence[Piece], width: int, palette: Palette) -> list[Segment]:
    """What the text is, and at the right how one looks at it; notes that do not fit are left out from the first."""
    shown = list(notes)
    while shown and len(title) + sum(len(text) + 2 for text, _ in shown) + 2 > width:
        del shown[0]
    right = [piece for text, style in shown for piece in ((text, style), ("  ", palette.text))]
    room = width - sum(len(text) for text, _ in right)
    return line_of([(fit(f" {title}", room), palette.strong), *right], width, palette.text)


def pieces_of(stretches: Sequence[Stretch], base: Style) -> list[Piece]:
    """Text of a program with the colours that it chose, over a style of ours."""
    return [(stretch.text, base + style_of(stretch.codes) if stretch.codes else base) for stretch in stretches]


@lru_cache(maxsize=512)
def style_of(codes: tuple[int, ...]) -> Style:
    """The style of SGR parameters as `beszel_protocol.colours` leaves them."""
    colours: dict[int, Color] = {}
    attributes: set[int] = set()
    numbers = iter(codes)
    for number in numbers:
        if number in {38, 48}:
            colours[number] = _extended(numbers)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            colours[38] = Color.from_ansi(number - 30 if number < 90 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            colours[48] = Color.from_ansi(number - 40 if number < 100 else number - 92)
        else:
            attributes.add(number)
    return Style(
        color=colours.get(38),
        bgcolor=colours.get(48),
        bold=1 in attributes or None,
        dim=2 in attributes or None,
        italic=3 in attributes or None,
        underline=4 in attributes or None,
        reverse=7 in attributes or None,
        strike=9 in attributes or None,
    )


def _extended(numbers: Iterator[int]) -> Color:
    if next(numbers) == 5:
        return Color.from_ansi(next(numbers))
    return Color.from_rgb(next(numbers), next(numbers), next(numbers))


def _cut(pieces: Sequence[Piece], start: int, end: int, found: Sequence[Found], palette: Palette) -> Iterator[Piece]:
    """Pieces of a part of a line, split again where something was found."""
    borders = sorted({start, end, *(border for place in found for border in (place.start, place.end))})
    position = 0
    for text, style in pieces:
        cuts = [position, *(border for border in borders if position < border < position + len(text))]
        for left, right in zip(cuts, [*cuts[1:], position + len(text)], strict=True):
            if start <= left and right <= end and left < right:
                yield text[left - position : right - position], _style_at(left, style, found, palette)
        position += len(text)


def _style_at(position: int, style: Style, found: Sequence[Found], palette: Palette) -> Style:
    for place in found:
        if place.start <= position < place.end:
            return style + (palette.level["warning"] if place.is_current else palette.accent) + _REVERSED
    return style


_REVERSED = Style(reverse=True)
