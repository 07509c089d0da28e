"""Views of the state that the screens draw: what is shown, in which order, and what is said about it."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from beszel_protocol.feed import FleetRow
from beszel_tui.state.columns import BY_KEY
from beszel_tui.state.filterline import Filter
from beszel_tui.state.hubs import hub_of
from beszel_tui.state.model import State
from beszel_tui.state.series import Readings, trail_cells

Level: TypeAlias = Literal["good", "warning", "critical"]
NaturalKey: TypeAlias = tuple[tuple[int, int, str], ...]
STALE_MS: Final = 15_000
"""An up system whose last sample is older than this is drawn as aged until the hub has made up its mind."""


class Sort(NamedTuple):
    key: str = "name"
    descending: bool = False


class Thresholds(NamedTuple):
    """In percent, or °C for temperatures."""

    warning: float = 65
    critical: float = 90

    def level(self, value: float) -> Level:
        if value >= self.critical:
            return "critical"
        return "warning" if value >= self.warning else "good"


class Counts(NamedTuple):
    total: int
    up: int
    down: int
    paused: int
    pending: int


class Group(NamedTuple):
    """What a line tells that stands for several systems."""

    total: int
    up: int
    is_folded: bool


class FleetLine(NamedTuple):
    """One line of the fleet table. Equal lines look the same, so only unequal ones are painted again."""

    row: FleetRow
    trail: Readings
    aged: bool
    """The numbers are not of now: shown grey."""
    note: str
    """What stands in place of numbers, for a system that has none."""
    critical: bool
    alerts: int = 0
    """How many fire that nobody looks after."""
    group: Group | None = None
    """Of a line that is no system."""


def counts(state: State) -> Counts:
    by_status = Counter(row.status for row in state.systems.values())
    return Counts(len(state.systems), by_status["up"], by_status["down"], by_status["paused"], by_status["pending"])


def visible_rows(state: State, wanted: Filter, sort: Sort) -> list[FleetRow]:
    """The systems that pass the filter, sorted; those that do not tell the sorted number come last either way."""
    rows = [row for row in state.systems.values() if wanted.matches(row)]
    return sort_rows(rows, sort)


def sort_rows(rows: Iterable[FleetRow], sort: Sort) -> list[FleetRow]:
    by_name = sorted(rows, key=lambda row: (natural_key(row.name), row.id))
    column = BY_KEY[sort.key]
    if column.number is None:
        return sorted(by_name, key=lambda row: _text_key(row, sort.key), reverse=sort.descending)
    read = column.number
    told = [row for row in by_name if _tells(row) and read(row) is not None]
    silent = [row for row in by_name if not (_tells(row) and read(row) is not None)]
    return sorted(told, key=lambda row: read(row) or 0.0, reverse=sort.descending) + silent


def fleet_line(state: State, row: FleetRow, trail_width: int, thresholds: Thresholds, alerts: int = 0) -> FleetLine:
    trail = trail_cells(state.trails.get(row.id), state.hub_now_ms, trail_width)
    is_unknown = state.past is not None and row.status == "pending"
    note = "looking it up…" if is_unknown else status_note(row, state.hub_now_ms)
    aged = not state.is_told(row.id) or (row.updated_ms is not None and state.hub_now_ms - row.updated_ms > STALE_MS)
    shares = (row.cpu_percent, row.memory_percent, row.disk_percent)
    critical = not note and any(share is not None and share >= thresholds.critical for share in shares)
    return FleetLine(row, trail, aged, note, critical, alerts)


def status_note(row: FleetRow, hub_now_ms: int) -> str:
    """`no data for 4m`, `paused`, `waiting for the agent`; empty for a system that is up."""
    if row.status == "up":
        return ""
    if row.status == "paused":
        return "paused"
    if row.status == "pending":
        return "waiting for the agent"
    last_ms = row.updated_ms if row.updated_ms is not None else row.status_since_ms
    return "no data" if last_ms is None else f"no data for {age(hub_now_ms - last_ms)}"


def age(elapsed_ms: int) -> str:
    """`12s`, `4m`, `2h 5m`, `41d`: coarse enough not to change each second for long."""
    seconds = max(0, elapsed_ms // 1000)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m"
    if seconds < 86400:
        return f"{seconds // 3600}h {seconds % 3600 // 60}m"
    return f"{seconds // 86400}d"


@lru_cache(maxsize=16_384)
def natural_key(text: str) -> NaturalKey:
    """Sorts `web-2` before `web-10`. Kept, as tables sort the same names each second."""
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for character in text.casefold() + "\0":
        if character.isascii() and character.isdigit():
            digits += character
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, character))
    return tuple(parts)


def _tells(row: FleetRow) -> bool:
    return row.status == "up"


def _text_key(row: FleetRow, key: str) -> NaturalKey:
    if key == "tags":
        return natural_key(" ".join(row.tags or ["\uffff"]))
    if key == "hub":
        return natural_key(hub_of(row.id))
    if key == "agent":
        return natural_key(row.agent_version or "\uffff")
    return natural_key(row.name)
