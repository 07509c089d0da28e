"""One line of the list of themes."""

from typing import Final

from rich.segment import Segment
from rich.style import Style

from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.symbols import Symbols
from beszel_tui.renderables.text import Piece, fit, line_of

_SAMPLE: Final = "  "


def draw_theme_line(
    label: str, sample: Palette, look: Palette, symbols: Symbols, width: int, *, is_current: bool
) -> list[Segment]:
    """The name, drawn with `look`, and the colours of `sample`: `width` cells."""
    colours = [sample.accent, *sample.level.values(), *sample.lines[:2]]
    room = max(0, width - 3 - len(_SAMPLE) * len(colours))
    name = look.strong if is_current else look.text
    pieces: list[Piece] = [
        (f"{symbols.mark} " if is_current else "  ", look.accent),
        (fit(label, room), name),
        (" ", look.text),
        *((_SAMPLE, Style(bgcolor=style.color)) for style in colours),
    ]
    return line_of(pieces, width, look.text)
