"""A row of columns, one a reading."""

from collections.abc import Sequence

from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.symbols import Symbols
from beszel_tui.renderables.text import Piece
from beszel_tui.state.selectors import Thresholds


def sparkline(
    readings: Sequence[float | None],
    palette: Palette,
    symbols: Symbols,
    thresholds: Thresholds,
    *,
    ceiling: float = 100.0,
    aged: bool = False,
) -> list[Piece]:
    """One cell a reading, coloured by its own level; a reading that did not happen leaves its cell open."""
    pieces: list[Piece] = []
    for reading in readings:
        if reading is None:
            pieces.append((" ", palette.faint))
            continue
        style = palette.aged if aged else palette.spark[thresholds.level(reading)]
        pieces.append((spark_character(reading, symbols, ceiling), style))
    return _joined(pieces)


def spark_character(reading: float, symbols: Symbols, ceiling: float = 100.0) -> str:
    top = len(symbols.spark) - 1
    return symbols.spark[max(0, min(top, int(reading / ceiling * (top + 1))))]


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbours of one style in one piece: fewer colour changes to send."""
    joined: list[Piece] = []
    for text, style in pieces:
        if joined and joined[-1][1] is style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined
