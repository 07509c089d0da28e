"""What is told of one service or disk: facts with their labels, and a disk's own table."""

from collections.abc import Iterable, Sequence
from typing import Final

from beszel_protocol.units import format_signed
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.pane_line import PaneLine
from beszel_tui.renderables.text import fit, pieces_width
from beszel_tui.state.cells import shown_text
from beszel_tui.state.components import DiskAttribute, Fact
from beszel_tui.state.selectors import Level

_LABEL_WIDTH: Final = 16
_MOST_NAME_WIDTH: Final = 26
_NUMBER_WIDTH: Final = 5
_MAX_LENGTH: Final = 1024


def heading_line(text: str, look: FleetLook) -> PaneLine:
    return PaneLine(text, ((text, look.palette.accent),), ("", look.palette.text))


def fact_lines(facts: Iterable[Fact], look: FleetLook) -> list[PaneLine]:
    """One a fact; a sign says with the colour that something is wrong."""
    return [_fact_line(fact, look) for fact in facts]


def attribute_lines(attributes: Sequence[DiskAttribute], look: FleetLook) -> list[PaneLine]:
    """A table, with the columns that any of them fills; nothing for none."""
    if not attributes:
        return []
    name_width = min(_MOST_NAME_WIDTH, max(pieces_width([(line.name, look.palette.text)]) for line in attributes))
    name_width = max(name_width, len("ATTRIBUTE"))
    has_scale = any(line.value is not None for line in attributes)
    scale = "".join(fit(title, _NUMBER_WIDTH + 1, "right") for title in ("NOW", "WORST", "LIMIT")) if has_scale else ""
    title = f"{fit('ATTRIBUTE', name_width)}{scale}  AS COUNTED"
    head = PaneLine(title, ((title, look.palette.header),), ("  ID  ", look.palette.header))
    return [head, *(_attribute_line(line, name_width, look, has_scale=has_scale) for line in attributes)]


def _fact_line(fact: Fact, look: FleetLook) -> PaneLine:
    text = _signed(shown_text(fact.text, _MAX_LENGTH), fact.level, look)
    style = look.palette.text if fact.level is None else look.palette.level[fact.level]
    return PaneLine(text, ((text, style),), (fact.label.ljust(_LABEL_WIDTH), look.palette.muted))


def _attribute_line(line: DiskAttribute, name_width: int, look: FleetLook, *, has_scale: bool) -> PaneLine:
    number = "" if line.number is None else format_signed(line.number)
    counted = shown_text(line.raw or number or look.symbols.absent, _MAX_LENGTH)
    failed = f", failed {shown_text(line.failed)}" if line.failed else ""
    scale = "".join(_cell(value, look) for value in (line.value, line.worst, line.threshold)) if has_scale else ""
    name = fit(line.name, name_width, ellipsis=look.symbols.ellipsis)
    text = f"{name}{scale}  {_signed(counted + failed, line.level, look)}"
    style = look.palette.text if line.level is None else look.palette.level[line.level]
    lead = fit("" if line.id is None else str(line.id), 4, "right") + "  "
    return PaneLine(text, ((text, style),), (lead, look.palette.muted))


def _cell(value: int | None, look: FleetLook) -> str:
    return fit(look.symbols.absent if value is None else str(value), _NUMBER_WIDTH + 1, "right")


def _signed(text: str, level: Level | None, look: FleetLook) -> str:
    return f"{look.symbols.warning} {text}" if level in {"warning", "critical"} else text
