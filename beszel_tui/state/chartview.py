"""One chart with its readings, ready to be drawn."""

from typing import NamedTuple

from beszel_protocol.addresses import parse_address, read_value
from beszel_protocol.metrics import Unit
from beszel_tui.state.charts import Chart
from beszel_tui.state.model import Focus, State
from beszel_tui.state.series import Columns, Lane, typical_step_ms

_EMPTY = Columns(resolution_ms=1000)


class ChartLine(NamedTuple):
    label: str
    lane: Lane | None
    step_ms: int
    """The usual distance between readings; a much longer one is a gap."""


class ChartView(NamedTuple):
    """What a drawing needs, and nothing else: two equal views look the same."""

    title: str
    unit: Unit
    timestamps_ms: tuple[int, ...]
    lines: tuple[ChartLine, ...]
    start_ms: int
    end_ms: int
    ceiling: float | None = None
    cursor_ms: int | None = None
    note: str = ""
    """Stands where the curve would be, if there is none."""
    aged: bool = False


def chart_view(state: State, chart: Chart, cursor_ms: int | None = None) -> ChartView:
    """The view of `chart` for the open system and its window."""
    focus = state.focus
    columns = (focus.live if focus.window.live else focus.history or _EMPTY) if focus else _EMPTY
    start_ms, end_ms = focus.window.bounds(_end_of_data(state)) if focus else (0, 1)
    lines = tuple(
        ChartLine(line.label, columns.lane(line.address), typical_step_ms(columns, line.address))
        for line in chart.lines
    )
    return ChartView(
        title=chart.title,
        unit=chart.unit,
        timestamps_ms=columns.timestamps_ms,
        lines=lines,
        start_ms=start_ms,
        end_ms=end_ms,
        ceiling=_ceiling(chart, focus),
        cursor_ms=cursor_ms,
        note=_note(state, lines),
        aged=_is_aged(state),
    )


def value_at(view: ChartView, line: ChartLine, instant_ms: int) -> tuple[float, float, float] | None:
    """Mean, low and high of the reading nearest to an instant; None if that is in a gap."""
    if line.lane is None:
        return None
    best: int | None = None
    for index, at_ms in enumerate(view.timestamps_ms):
        if line.lane.mean[index] is None:
            continue
        if best is None or abs(at_ms - instant_ms) < abs(view.timestamps_ms[best] - instant_ms):
            best = index
    if best is None or abs(view.timestamps_ms[best] - instant_ms) > 1.5 * line.step_ms:
        return None
    mean, low, high = line.lane.mean[best], line.lane.low[best], line.lane.high[best]
    if mean is None:
        return None
    return mean, mean if low is None else low, mean if high is None else high


def newest_value(line: ChartLine) -> float | None:
    if line.lane is None:
        return None
    return next((mean for mean in reversed(line.lane.mean) if mean is not None), None)


def _end_of_data(state: State) -> int:
    """Now by the hub's clock; while the hub is away, the moment it was lost, so that nothing pretends to go on."""
    if state.connection.phase == "offline" and state.connection.since_ms:
        return state.connection.since_ms + state.hub_offset_ms
    return state.hub_now_ms


def _ceiling(chart: Chart, focus: Focus | None) -> float | None:
    if chart.full_percent:
        return 100.0
    if chart.ceiling is None or focus is None or focus.metrics is None:
        return None
    return read_value(focus.metrics, parse_address(chart.ceiling))


def _note(state: State, lines: tuple[ChartLine, ...]) -> str:
    focus = state.focus
    if any(newest_value(line) is not None for line in lines):
        return ""
    if focus is not None and focus.problem:
        return focus.problem
    if state.connection.phase in {"offline", "refused"}:
        return "the hub is away"
    return "loading…" if focus is None or focus.loading else "no readings in this time"


def _is_aged(state: State) -> bool:
    row = state.focus_row
    return not state.is_live or row is None or row.status != "up"
