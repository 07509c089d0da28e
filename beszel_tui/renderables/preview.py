"""A made-up line of numbers that shows what the looks of the settings mean."""

import math
from typing import Final

from rich.segment import Segment

from beszel_protocol.metrics import Unit
from beszel_protocol.units import format_bytes, format_value
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.meter import meter
from beszel_tui.renderables.sparkline import sparkline
from beszel_tui.renderables.text import Piece, line_of, pieces_width

_READINGS: Final = tuple(50 + 45 * math.sin(step / 2) for step in range(12))


def draw_preview(look: FleetLook, now_ms: int, width: int) -> list[Segment]:
    """One line of `width` cells; what does not fit is left out."""
    palette, symbols = look.palette, look.symbols
    clock = look.clock.text(look.clock.at(now_ms))
    received, sent = (format_bytes(value, look.units.rates) for value in (12_900_000, 348_000))
    parts: list[list[Piece]] = [
        [(f" {symbols.status['up']} ", palette.status["up"]), ("web-1", palette.strong)],
        [*sparkline(_READINGS, palette, symbols, look.thresholds), (" 41.2%", palette.text)],
        [(clock, palette.text)],
        [(f"{received} / {sent}", palette.text)],
        [(format_value(54, Unit.CELSIUS, look.units), palette.text)],
        [*meter(72, 10, palette.spark["warning"], palette, symbols), (" 72%", palette.level["warning"])],
        [(format_value(14_700_000_000, Unit.BYTES, look.units), palette.text)],
    ]
    pieces: list[Piece] = []
    for part in parts:
        more = [*([("   ", palette.text)] if pieces else []), *part]
        if pieces_width([*pieces, *more]) <= width:
            pieces += more
    return line_of(pieces, width, palette.text)
