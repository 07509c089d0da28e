"""What to type on the machine that is to be watched, and whether it has come."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.segment import Segment

from beszel_protocol.feed import SystemStatus
from beszel_protocol.installing import Way, command_lines
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.text import Piece, line_of
from beszel_tui.renderables.wrapping import wrap, wrap_words
from beszel_tui.state.enrolment import Arrival, Enrolment, Progress

_INDENT: Final = "  "
_NEAR_ONLY: Final = "Other machines do not reach the hub by this address: put one in its place that they do."


class EnrolmentView(NamedTuple):
    enrolment: Enrolment
    ways: Sequence[Way]
    chosen: int

    @property
    def commands(self) -> list[str]:
        return command_lines(self.ways[self.chosen], self.enrolment.credentials)


def draw_enrolment(view: EnrolmentView, width: int, palette: Palette) -> list[list[Segment]]:
    """Lines of `width` cells: the ways, the commands of the chosen one, then each value by itself."""
    way, enrolment = view.ways[view.chosen], view.enrolment
    lines: list[list[Piece]] = [_ways(view, width, palette)]
    lines += _sentence(way.note, width, (_INDENT, palette.muted))
    lines.append([])
    for command in view.commands:
        lines += _command(command, width, palette)
    lines.append([])
    for label, value in (("key", enrolment.key), ("token", enrolment.token), ("hub", enrolment.hub_url)):
        lines += _wrapped(value, width, " " * 9, (f"  {label:<7}", palette.muted), palette)
    if enrolment.is_near_only:
        lines += _sentence(_NEAR_ONLY, width, (" " * 9, palette.level["warning"]))
    return [line_of(line, width, palette.text) for line in lines]


def draw_progress(progress: Progress, name: str, width: int, look: FleetLook) -> list[Segment]:
    """One line."""
    status = _STATUS[progress.arrival]
    style = look.palette.status[status]
    return line_of(
        [(f" {look.symbols.status[status]} ", style), (name, look.palette.strong), (f"  {progress.sentence}", style)],
        width,
        look.palette.text,
    )


_STATUS: Final[dict[Arrival, SystemStatus]] = {
    "waiting": "pending", "connected": "up", "lost": "down", "gone": "down",
}  # fmt: skip


def _ways(view: EnrolmentView, width: int, palette: Palette) -> list[Piece]:
    """All of them side by side, or where there is no room the chosen one and which of how many it is."""
    if sum(len(way.title) + 3 for way in view.ways) + 1 > width:
        return [
            (f" {view.ways[view.chosen].title} ", palette.accent + palette.cursor),
            (f"  {view.chosen + 1} of {len(view.ways)}", palette.muted),
        ]
    pieces: list[Piece] = [(" ", palette.text)]
    for number, way in enumerate(view.ways):
        style = palette.accent + palette.cursor if number == view.chosen else palette.muted
        pieces += [(f" {way.title} ", style), (" ", palette.text)]
    return pieces


def _command(command: str, width: int, palette: Palette) -> list[list[Piece]]:
    """With `$` before its first row, so that one sees where a line begins that fills several."""
    return _wrapped(command, width, " " * 4, ("  $ ", palette.accent), palette)


def _wrapped(text: str, width: int, indent: str, lead: Piece, palette: Palette) -> list[list[Piece]]:
    """What is to be copied: nothing is left out where it is broken."""
    return [
        [lead if number == 0 else (indent, palette.text), (text[start:end], palette.text)]
        for number, (start, end) in enumerate(wrap(text, max(1, width - len(indent) - 1)))
    ]


def _sentence(text: str, width: int, indent: Piece) -> list[list[Piece]]:
    rows = wrap_words(text, max(1, width - len(indent[0]) - 1))
    return [[indent, (text[start:end], indent[1])] for start, end in rows]
