"""The styles of a theme by what they are for."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.style import Style

from beszel_protocol.feed import SystemStatus
from beszel_tui.state.selectors import Level


class Palette(NamedTuple):
    """Every style that renderables use. A colour never says alone what is said: a symbol or a number stands beside."""

    text: Style
    strong: Style
    muted: Style
    """Labels, units and axes."""
    faint: Style
    """Grid lines, separators, empty parts of meters: nothing that has to be read."""
    aged: Style
    """Numbers of a time that is over: without colour, but still to be read."""
    accent: Style
    key: Style
    """Key caps in the footer."""
    status: Mapping[SystemStatus, Style]
    level: Mapping[Level, Style]
    spark: Mapping[Level, Style]
    lines: Sequence[Style]
    """Of the series of a chart, told apart by order and legend."""
    fills: Sequence[Style]
    """The same, dimmed: below a line and between its extremes."""
    header: Style
    sorted_header: Style
    cursor: Style
    """Laid over the row under the cursor."""
    mark: Style
    time_cursor: Style
    offline: Style
    """Of the header while there is no hub."""
