"""The first line of every screen: where we are, how the fleet is, whether this is live, and the time."""

from datetime import datetime
from typing import Final

from rich.segment import Segment

from beszel_protocol.feed import SystemStatus
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.text import Piece, fit, line_of, pieces_width
from beszel_tui.state.alerts import count_alerts
from beszel_tui.state.model import State
from beszel_tui.state.selectors import age, counts

_SLOWEST_MS: Final = 60_000
"""Two samples further apart have an outage between them."""
_DAY_MS: Final = 86_400_000


def draw_top_bar(
    state: State, width: int, look: FleetLook, local_now: datetime, *, is_away: bool = False
) -> list[Segment]:
    """One line of `width` cells. What is less needed leaves first as it narrows; the connection never does.

    `is_away`: nobody is thought to look, and this stands for some seconds.
    """
    palette = look.palette
    clock: Piece = (f" {look.clock.text(local_now)} ", palette.muted)
    link = _connection(state, look, is_away=is_away)
    brief = _offline(state, look, words=False) if state.connection.retry_at_ms is not None else link
    paced = _with_pace(link, state, look, is_away=is_away)
    hub: Piece = (fit(state.hub, min(len(state.hub), 32)) + "  ", palette.muted)
    brand: list[Piece] = [(" beszel ", palette.accent), (f"{look.symbols.bar} ", palette.faint)]
    full, short = _counts(state, look, words=True), _counts(state, look, words=False)
    bare: list[Piece] = [(" ", palette.text), *short]
    for left, right in (
        (brand + full, [hub, *paced, clock]),
        (brand + full, [hub, *link, clock]),
        (brand + full, [*paced, clock]),
        (brand + full, [*link, clock]),
        (brand + short, [*paced, clock]),
        (brand + short, [*link, clock]),
        (brand + short, [*brief, clock]),
        (bare, [*link, clock]),
        (bare, [*brief, clock]),
        (bare, link),
        (bare, brief),
    ):
        gap = width - pieces_width(left) - pieces_width(right)
        if gap >= 1:
            return line_of([*left, (" " * gap, palette.text), *right], width, palette.text)
    return line_of([*brief, (" ", palette.text), *short], width, palette.text)


def _counts(state: State, look: FleetLook, *, words: bool) -> list[Piece]:
    palette, symbols = look.palette, look.symbols
    if not state.loaded:
        return [("loading the fleet…" if words else "…", palette.muted)]
    number = counts(state)
    pieces: list[Piece] = []
    if words:
        style = palette.text if state.is_live else palette.aged
        pieces.append((f"{number.total} system{'' if number.total == 1 else 's'}  ", style))
    numbers: dict[SystemStatus, int] = {
        "up": number.up,
        "down": number.down,
        "paused": number.paused,
        "pending": number.pending,
    }
    for status, count in numbers.items():
        if count or status == "up":
            style = palette.status[status] if state.is_live else palette.aged
            pieces.append((f"{count} {symbols.status[status]}", style))
            pieces.append((f" {status}  " if words else " ", palette.muted))
    alerts = count_alerts(state)
    if alerts.worst is not None:
        style = (
            palette.level["critical" if alerts.worst == "critical" else "warning"] if state.is_live else palette.aged
        )
        told = f" alert{'' if alerts.open == 1 else 's'}  " if words else " "
        pieces += [(f"{alerts.open} {symbols.warning}", style), (told, palette.muted)]
    return pieces


def _connection(state: State, look: FleetLook, *, is_away: bool) -> list[Piece]:
    palette, symbols = look.palette, look.symbols
    connection = state.connection
    if connection.phase == "live":
        return _live(state, look, is_away=is_away)
    if connection.phase == "connecting":
        return [(symbols.status["pending"], palette.status["pending"]), (" connecting ", palette.text)]
    if connection.phase == "refused":
        return [(f"{symbols.status['down']} not admitted ", palette.offline)]
    return _offline(state, look, words=True)


def _with_pace(link: list[Piece], state: State, look: FleetLook, *, is_away: bool) -> list[Piece]:
    """How often the system that is looked at tells something: `● live 1s`."""
    pace_ms = None if state.focus is None else state.focus.pace_ms
    is_quiet = is_away or state.past is not None or not state.is_live or len(state.hubs) > 1
    if pace_ms is None or pace_ms > _SLOWEST_MS or is_quiet:
        return link
    return [*link, (f"{age(max(1, round(pace_ms / 1000)) * 1000)} ", look.palette.muted)]


def _offline(state: State, look: FleetLook, *, words: bool) -> list[Piece]:
    """Since when, and how long it is until the hub is tried again."""
    connection = state.connection
    lasted = age(state.now_ms - connection.since_ms)
    since = f"since {look.clock.text(look.clock.at(connection.since_ms))} ({lasted})" if words else lasted
    text = f"{look.symbols.status['down']} offline {since}"
    if connection.retry_at_ms is not None:
        left_ms = connection.retry_at_ms - state.now_ms
        text += f", next try in {age(left_ms + 999)}" if left_ms > 0 else ", trying again"
    return [(f"{text} ", look.palette.offline)]


def _live(state: State, look: FleetLook, *, is_away: bool) -> list[Piece]:
    palette, symbols, past = look.palette, look.symbols, state.past
    if past is not None:
        at = look.clock.at(past.at_ms)
        when = look.clock.text(at) if past.behind_ms < _DAY_MS else f"{at:%d %b %H:%M}"
        pace = f" {past.speed}×" if past.speed else ""
        return [(f" at {when}, {age(past.behind_ms)} ago{pace} ", palette.time_cursor)]
    away = sum(hub.phase != "live" for hub in state.hubs.values())
    if away:
        text = f"{symbols.warning} {len(state.hubs) - away} of {len(state.hubs)} hubs live "
        return [(text, palette.level["warning"])]
    if is_away:
        return [(symbols.status["paused"], palette.status["paused"]), (" resting ", palette.text)]
    return [(symbols.status["up"], palette.status["up"]), (" live ", palette.text)]
