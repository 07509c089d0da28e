"""The strip over a system's charts: what kind of machine it is and how it is doing."""

from rich.segment import Segment

from beszel_protocol.feed import FleetRow
from beszel_protocol.units import format_bytes, format_duration
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.text import Piece, line_of, pieces_width
from beszel_tui.state.model import Focus, State
from beszel_tui.state.selectors import age, status_note


def draw_facts(state: State, width: int, look: FleetLook) -> list[list[Segment]]:
    """Two lines of `width` cells; facts that do not fit are left out, the least telling first."""
    row, focus, palette = state.focus_row, state.focus, look.palette
    if row is None or focus is None:
        why = " this system was not there yet" if state.past else " this system is gone from the hub"
        told: list[Piece] = [(why, palette.muted if state.past else palette.offline)] if state.loaded else []
        return [line_of(told, width, palette.text), line_of([], width, palette.text)]
    return [
        line_of(_who(state, row, width, look), width, palette.text),
        line_of(_joined(_machine(row, focus, look), width, look), width, palette.text),
    ]


def _who(state: State, row: FleetRow, width: int, look: FleetLook) -> list[Piece]:
    palette, symbols = look.palette, look.symbols
    note = status_note(row, state.hub_now_ms)
    aged = not state.is_told(row.id)
    pieces: list[Piece] = [
        (f" {symbols.status[row.status]} ", palette.aged if aged else palette.status[row.status]),
        (row.name, palette.strong),
        (
            f"  {'was ' if aged and not note else ''}{note or 'up'}",
            palette.muted if aged else palette.status[row.status],
        ),
    ]
    if row.status == "up" and row.uptime_seconds is not None:
        pieces.append((f" {format_duration(row.uptime_seconds)}", palette.text))
    if row.updated_ms is not None and row.status == "up":
        pieces.append((f"  last sample {age(state.hub_now_ms - row.updated_ms)} ago", palette.muted))
    extras: list[Piece] = []
    if row.encrypted is False:
        extras.append((f"  {symbols.unlocked}", palette.level["warning"]))
    elif row.encrypted:
        extras.append((f"  {symbols.locked}", palette.muted))
    if row.host:
        extras.append((f"  {row.host}", palette.muted))
    if row.tags:
        extras.append((f"  {' '.join(f'#{tag}' for tag in row.tags)}", palette.key))
    for extra in extras:
        if pieces_width([*pieces, extra]) <= width:
            pieces.append(extra)
    return pieces


def _machine(row: FleetRow, focus: Focus, look: FleetLook) -> list[str]:
    """The most telling first."""
    details = focus.details
    memory = focus.metrics.memory if focus.metrics else None
    total = (details.memory_total_bytes if details else None) or (memory.total_bytes if memory else None)
    cores = (details.threads or details.cores if details else None) or row.cores
    agent = row.agent_version or (details.agent_version if details else None)
    facts = [
        details.os_name if details else None,
        f"{cores} core{'' if cores == 1 else 's'}" if cores else None,
        format_bytes(total, look.units.sizes) + " memory" if total else None,
        details.cpu_model if details else None,
        details.kernel if details else None,
        details.architecture if details else None,
        f"agent {agent}" if agent else None,
    ]
    return [fact for fact in facts if fact]


def _joined(facts: list[str], width: int, look: FleetLook) -> list[Piece]:
    pieces: list[Piece] = [("   ", look.palette.text)]
    for fact in facts:
        more: list[Piece] = [(fact, look.palette.muted)]
        if len(pieces) > 1:
            more.insert(0, (f" {look.symbols.separator} ", look.palette.faint))
        if pieces_width([*pieces, *more]) <= width:
            pieces += more
    return pieces
