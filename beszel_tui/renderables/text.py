"""Text fitted into cells. The last place before the terminal: no control character passes."""

from collections.abc import Iterable
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from beszel_tui.state.cells import shown_text

Piece: TypeAlias = tuple[str, Style]


def fit(text: str, width: int, align: str = "left", ellipsis: str = "…") -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    text = shown_text(text, 1024)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - cell_len(ellipsis)) + ellipsis if width > cell_len(ellipsis) else " " * width
    padding = " " * (width - length)
    return padding + text if align == "right" else text + padding


def fit_middle(text: str, width: int, ellipsis: str = "…") -> str:
    """As `fit`, but what is cut is cut out of the middle: names that begin alike mostly end differently."""
    text = shown_text(text, 1024)
    if cell_len(text) <= width or width < 4:
        return fit(text, width, ellipsis=ellipsis)
    tail_width = (width - cell_len(ellipsis)) // 2
    tail = text
    while cell_len(tail) > tail_width:
        tail = tail[1:]
    return set_cell_size(text, width - cell_len(ellipsis) - cell_len(tail)) + ellipsis + tail


def line_of(pieces: Iterable[Piece], width: int, rest: Style) -> list[Segment]:
    """Pieces side by side, cut or filled up to exactly `width` cells."""
    segments: list[Segment] = []
    left = width
    for raw, style in pieces:
        if left <= 0:
            break
        text = shown_text(raw, 1024)
        if cell_len(text) > left:
            text = fit(text, left)
        if text:
            segments.append(Segment(text, style))
        left -= cell_len(text)
    if left > 0:
        segments.append(Segment(" " * left, rest))
    return segments


def pieces_width(pieces: Iterable[Piece]) -> int:
    return sum(cell_len(text) for text, _ in pieces)
