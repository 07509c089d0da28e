"""One system as a card: a frame with its name, and inside what the columns of the table tell."""

from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style

from beszel_tui.renderables.fleet_row import (
    FleetLook,
    degrees_text,
    name_pieces,
    rate_text,
    share_pieces,
    usage_pieces,
    value_style,
)
from beszel_tui.renderables.text import Piece, fit, line_of, pieces_width
from beszel_tui.state.cells import shown_text
from beszel_tui.state.selectors import FleetLine

CARD_LINES: Final = 6
LEAST_WIDTH: Final = 28
GAP: Final = 1
_LABEL: Final = 5


def cards_across(width: int) -> int:
    return max(1, (width + GAP) // (LEAST_WIDTH + GAP))


def trail_width(card_width: int) -> int:
    """How many readings the curve of a card has room for."""
    return max(0, card_width - 4 - _LABEL - 7)


def draw_card(
    line: FleetLine, width: int, look: FleetLook, *, is_marked: bool, is_current: bool
) -> list[list[Segment]]:
    """`CARD_LINES` lines of `width` cells."""
    palette, symbols = look.palette, look.symbols
    edge = palette.accent if is_current else palette.faint
    corners = symbols.frame
    inside = max(0, width - 4)
    title = name_pieces(line, max(4, min(inside, _title_width(line, look))), look, marked=is_marked)
    room = width - 4 - pieces_width(title)
    top: list[Piece] = [(corners[0] + " ", edge), *title, (" " + corners[1] * max(0, room) + corners[2], edge)]
    bottom: list[Piece] = [(corners[3] + corners[1] * max(0, width - 2) + corners[4], edge)]
    body = _body(line, inside, look)
    framed = [[(corners[5] + " ", edge), *pieces, (" " + corners[5], edge)] for pieces in body]
    return [line_of(pieces, width, palette.text) for pieces in (top, *framed, bottom)]


def _title_width(line: FleetLine, look: FleetLook) -> int:
    """As wide as what it says, for the frame to go on beside it."""
    count = len(f" {line.group.up}/{line.group.total}") if line.group is not None else 0
    number = str(line.alerts) if line.alerts > 1 else ""
    warning = len(f" {look.symbols.warning}{number}") if line.critical or line.alerts else 0
    return 2 + pieces_width([(shown_text(line.row.name), look.palette.text)]) + count + warning


def _body(line: FleetLine, width: int, look: FleetLook) -> Sequence[list[Piece]]:
    palette = look.palette
    if line.note:
        note = fit(line.note, width)
        blank: list[Piece] = [(" " * width, palette.text)]
        return [[(note, palette.status[line.row.status])], blank, blank, blank]
    inner = width - _LABEL
    rows = [
        _labelled("CPU", usage_pieces(line, inner, look), palette.muted),
        _labelled("MEM", share_pieces(line.row.memory_percent, line, inner, look), palette.muted),
        _labelled("DISK", share_pieces(line.row.disk_percent, line, inner, look), palette.muted),
        _last(line, width, look),
    ]
    return [_filled(pieces, width, palette.text) for pieces in rows]


def _labelled(label: str, pieces: list[Piece], style: Style) -> list[Piece]:
    return [(label.ljust(_LABEL), style), *pieces]


def _last(line: FleetLine, width: int, look: FleetLook) -> list[Piece]:
    """Traffic on the left; what fits of temperature and load on the right."""
    palette, symbols, row = look.palette, look.symbols, line.row
    style = palette.aged if line.aged else palette.text
    left: list[Piece] = [
        ("NET".ljust(_LABEL), palette.muted),
        (f"{symbols.down_arrow}{rate_text(row.recv_bytes_per_second, look)} ", style),
        (f"{symbols.up_arrow}{rate_text(row.sent_bytes_per_second, look)}", style),
    ]
    right: list[Piece] = []
    if row.temperature_celsius is not None:
        right.append((degrees_text(row.temperature_celsius, look), value_style(row.temperature_celsius, line, look)))
    if row.load_average and pieces_width([*left, *right]) + 8 <= width:
        right.insert(0, (f"{row.load_average[0]:.2f}{'  ' if right else ''}", style))
    gap = width - pieces_width(left) - pieces_width(right)
    return [*left, (" " * gap, palette.text), *right] if gap >= 1 else left


def _filled(pieces: list[Piece], width: int, style: Style) -> list[Piece]:
    """Exactly `width` cells, for the frame to stand where it should."""
    return [(segment.text, segment.style or style) for segment in line_of(pieces, width, style)]
