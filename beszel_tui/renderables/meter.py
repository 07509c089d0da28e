"""A bar that is as full as a share of 100."""

from rich.style import Style

from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.symbols import Symbols
from beszel_tui.renderables.text import Piece


def meter(percent: float, width: int, style: Style, palette: Palette, symbols: Symbols) -> list[Piece]:
    """`width` cells, to the part of a cell; something above zero always shows."""
    parts = symbols.meter_parts
    steps = round(max(0.0, min(100.0, percent)) / 100 * width * len(parts))
    if steps == 0 and percent > 0:
        steps = 1
    whole, part = divmod(steps, len(parts))
    filled = parts[-1] * whole + (parts[part - 1] if part else "")
    pieces: list[Piece] = [(filled, style)] if filled else []
    if len(filled) < width:
        pieces.append((symbols.meter_empty * (width - len(filled)), palette.faint))
    return pieces
