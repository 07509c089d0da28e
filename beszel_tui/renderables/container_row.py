"""One line of the table of containers, as cells that can be painted by themselves; and the line above the table."""

from collections.abc import Callable, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style

from beszel_protocol.feed import SystemStatus
from beszel_protocol.units import format_bytes, format_duration, format_number
from beszel_tui.renderables.fleet_row import VALUE_WIDTH, Cell, FleetLook
from beszel_tui.renderables.sparkline import sparkline
from beszel_tui.renderables.text import Piece, fit, fit_middle, line_of, pieces_width
from beszel_tui.state.columns import Placed
from beszel_tui.state.containers import ALIVE, ContainerCounts, ContainerItem, ContainerLine, text_of

_STATUS: Final[dict[str, SystemStatus]] = {
    "running": "up", "paused": "paused", "exited": "down", "dead": "down", "restarting": "pending",
    "created": "pending",
}  # fmt: skip
"""The symbol of a state is that of a system which is in a like one."""

_OF_NOW: Final = Style(dim=True)
"""In the past."""


def draw_container(line: ContainerLine, placed: Sequence[Placed], look: FleetLook) -> list[Cell]:
    """The cells of one container, in order; they do not overlap."""
    return [
        Cell(
            place.x,
            place.width,
            line_of(_CELLS[place.column.key](line, place.width, look), place.width, look.palette.text),
        )
        for place in placed
    ]


def draw_caption(title: str, counts: ContainerCounts, shown: int, width: int, look: FleetLook) -> list[Segment]:
    """What the table is about and how its containers are: one line of `width` cells."""
    palette, symbols = look.palette, look.symbols
    pieces: list[Piece] = [(" Containers ", palette.accent), (title, palette.strong)]
    parts: list[list[Piece]] = [
        [(f"{counts.running} {symbols.status['up']}", palette.status["up"]), (" running", palette.muted)]
    ]
    if counts.total > counts.running:
        parts.append([(f"{counts.total - counts.running}", palette.text), (" not", palette.muted)])
    if counts.troubled:
        trouble = (f"{counts.troubled} {symbols.warning}", palette.level["critical"])
        parts.append([trouble, (" in trouble", palette.muted)])
    if shown != counts.total:
        parts.append([(f"{shown} shown", palette.muted)])
    for part in parts:
        more: list[Piece] = [("   ", palette.text), *part]
        if pieces_width([*pieces, *more]) <= width:
            pieces += more
    return line_of(pieces, width, palette.text)


def _name(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    palette, symbols, item = look.palette, look.symbols, line.item
    status = _STATUS[item.facts.state]
    has_ended_well = item.facts.state == "exited" and item.facts.exit_code in {0, None}
    style = palette.aged if item.aged or has_ended_well else palette.status[status]
    warning = f" {symbols.warning}" if item.is_troubled else ""
    is_quiet = item.aged or item.facts.state not in ALIVE
    name = " " + fit_middle(item.facts.name, width - 2 - len(warning), symbols.ellipsis)
    return [
        (symbols.status[status], style),
        (name, palette.muted if is_quiet else palette.strong),
        (warning, palette.level["critical"]),
    ]


def _cpu(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    percent = line.item.usage.cpu_percent
    text = look.symbols.absent if percent is None else f"{format_number(percent)}%"
    value: Piece = (fit(text, min(width, VALUE_WIDTH), "right"), _value_style(percent, line.item, look))
    if width < VALUE_WIDTH + 5:
        return [value]
    readings = line.readings(width - VALUE_WIDTH - 1)
    top = max((reading for reading in readings if reading is not None), default=0.0)
    curve = sparkline(readings, look.palette, look.symbols, look.thresholds, ceiling=_ceiling(top), aged=line.item.aged)
    return [*curve, (" ", look.palette.text), value]


def _ceiling(top: float) -> float:
    """A share of the whole host is mostly small: the curve is drawn against the next of these."""
    return next((bound for bound in (5.0, 20.0, 50.0) if top <= bound), 100.0)


def _memory(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    used = line.item.usage.memory_bytes
    text = look.symbols.absent if used is None else format_bytes(used, look.units.sizes)
    style = _value_style(line.item.usage.memory_percent, line.item, look) if used is not None else look.palette.faint
    if used is not None and line.item.usage.memory_percent is None:
        style = look.palette.aged if line.item.aged else look.palette.text
    return [(fit(text, width, "right"), style)]


def _network(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    usage = line.item.usage
    return _pair(usage.rx_bytes_per_second, usage.tx_bytes_per_second, line.item, width, look)


def _io(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    usage = line.item.usage
    return _pair(usage.read_bytes_per_second, usage.write_bytes_per_second, line.item, width, look)


def _pair(first: float | None, second: float | None, item: ContainerItem, width: int, look: FleetLook) -> list[Piece]:
    half = (width - 3) // 2
    is_told = first is not None or second is not None
    style = look.palette.text if is_told and not item.aged else look.palette.aged
    return [
        (fit(_rate(first, look), half, "right"), style),
        (" / ", look.palette.faint),
        (fit(_rate(second, look), half), style),
    ]


def _pids(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    return [_count(line.item.usage.pids, line.item, width, look)]


def _restarts(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    return [_count(line.item.facts.restarts, line.item, width, look)]


def _count(number: int | None, item: ContainerItem, width: int, look: FleetLook) -> Piece:
    text = look.symbols.absent if number is None else str(number)
    return fit(text, width, "right"), look.palette.aged if item.aged or not number else look.palette.text


def _state(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    """How long it has been running, or what else it does."""
    item, palette = line.item, look.palette
    facts = item.facts
    if item.past == "gone":
        return [(fit("gone now", width, "right"), palette.muted)]
    if facts.state == "running":
        text = "up" if item.uptime_ms is None else format_duration(item.uptime_ms / 1000)
        return [(fit(text, width, "right"), palette.aged if item.aged else palette.muted)]
    text, style = facts.state, palette.status[_STATUS[facts.state]]
    if facts.state == "exited":
        has_failed = facts.exit_code not in {0, None}
        text = f"exit {facts.exit_code}" if has_failed else "exited"
        style = palette.level["critical"] if has_failed else palette.muted
    return [(fit(text, width, "right"), palette.aged if item.aged else style)]


def _health(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    item, palette = line.item, look.palette
    styles: dict[str, Style] = {
        "healthy": palette.level["good"],
        "unhealthy": palette.level["critical"],
        "starting": palette.level["warning"],
    }
    text = item.facts.health if item.facts.state in ALIVE else "none"
    style = palette.aged if item.aged else styles.get(text, palette.faint)
    return [(fit(look.symbols.absent if text == "none" else text, width), style)]


def _text(line: ContainerLine, width: int, look: FleetLook, key: str) -> list[Piece]:
    return [(fit(text_of(line.item, key), width, ellipsis=look.symbols.ellipsis), _told_style(line.item, look))]


def _told_style(item: ContainerItem, look: FleetLook) -> Style:
    """Of what an engine tells and nobody keeps: in the past it is known of now only."""
    return look.palette.muted + _OF_NOW if item.past else look.palette.muted


def _image(line: ContainerLine, width: int, look: FleetLook) -> list[Piece]:
    """Its end tells more than the name of the registry; an arrow says that there is a newer one."""
    palette, symbols, item = look.palette, look.symbols, line.item
    arrow = f" {symbols.up_arrow}" if item.image_update and width > 4 else ""
    text, room = text_of(item, "image"), width - len(arrow)
    if len(text) > room and "/" in text:
        text = text.rpartition("/")[2]
    shown = fit(text, room, ellipsis=symbols.ellipsis)
    if not arrow:
        return [(shown, _told_style(item, look))]
    return [(shown.rstrip(), palette.muted), (arrow, palette.faint if item.aged else palette.accent)]


def _value_style(value: float | None, item: ContainerItem, look: FleetLook) -> Style:
    if value is None or item.aged:
        return look.palette.aged
    level = look.thresholds.level(value)
    return look.palette.text if level == "good" else look.palette.level[level]


def _rate(value: float | None, look: FleetLook) -> str:
    return look.symbols.absent if value is None else format_bytes(value, look.units.rates)


_CELLS: Final[dict[str, Callable[[ContainerLine, int, FleetLook], list[Piece]]]] = {
    "name": _name,
    "system": lambda line, width, look: [
        (fit_middle(line.item.system, width, look.symbols.ellipsis), look.palette.muted)
    ],
    "cpu": _cpu,
    "memory": _memory,
    "network": _network,
    "io": _io,
    "pids": _pids,
    "state": _state,
    "health": _health,
    "restarts": _restarts,
    "image": _image,
    "project": lambda line, width, look: _text(line, width, look, "project"),
    "ports": lambda line, width, look: _text(line, width, look, "ports"),
}
