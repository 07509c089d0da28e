"""How tests draw: a palette, symbols, and the plain text of what was drawn."""

from collections.abc import Iterable
from datetime import UTC

from rich.segment import Segment

from beszel_protocol.units import Style as UnitStyle
from beszel_tui.renderables.chart import ChartLook
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.symbols import SYMBOLS
from beszel_tui.state.selectors import Thresholds
from beszel_tui.theming import load_themes, palette_of


def make_palette(theme: str = "midnight") -> Palette:
    return palette_of(load_themes().by_name[theme])


def make_look(symbols: str = "braille") -> FleetLook:
    return FleetLook(make_palette(), SYMBOLS[symbols], UnitStyle(), Thresholds())


def make_chart_look(symbols: str = "braille") -> ChartLook:
    return ChartLook(make_palette(), SYMBOLS[symbols], UnitStyle(), UTC)


def plain(segments: Iterable[Segment]) -> str:
    return "".join(segment.text for segment in segments)
