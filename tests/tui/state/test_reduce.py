from beszel_protocol.details import HostDetails
from beszel_protocol.feed import Fleet, FleetRow, Resync, SystemSample
from beszel_protocol.sample import CpuMetrics, Metrics
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.state.events import (
    Connected,
    DetailsLoaded,
    Disconnected,
    HistoryFailed,
    HistoryLoaded,
    Received,
    Refused,
    SystemClosed,
    SystemOpened,
    Ticked,
    TrailsLoaded,
    WindowChosen,
)
from beszel_tui.state.model import State
from beszel_tui.state.reduce import reduce
from beszel_tui.state.series import Columns, Lane, trail_cells, trail_from
from beszel_tui.state.windows import LIVE, PRESETS
from tests.support.scriptedsource import NOW_MS, make_row

HOUR = PRESETS[1]


def fleet(
    *rows: FleetRow, at_ms: int = NOW_MS, hub_ms: int | None = None, removed: list[str] | None = None
) -> Received:
    frame = Fleet(sequence=1, hub_ms=hub_ms or at_ms, systems=list(rows), removed=removed or [])
    return Received(at_ms=at_ms, frame=frame)


def sample(system_id: str, at_ms: int, cpu: float) -> Received:
    metrics = Metrics(cpu=CpuMetrics(usage_percent=cpu))
    frame = SystemSample(sequence=2, system=system_id, timestamp=format_timestamp(at_ms), metrics=metrics)
    return Received(at_ms=at_ms, frame=frame)


def live_state(*rows: FleetRow) -> State:
    return reduce(State(), [Connected(at_ms=NOW_MS), fleet(*rows)])


def test_rows_are_merged_and_removed() -> None:
    one, two = make_row("one"), make_row("two")
    state = live_state(one, two)
    changed = make_row("one", cpu=99.0, at_ms=NOW_MS + 1000)
    state = reduce(state, [fleet(changed, removed=[two.id])])
    assert state.systems == {one.id: changed}
    assert two.id not in state.trails
    assert state.loaded


def test_the_hubs_clock_is_taken_not_ours() -> None:
    state = reduce(State(), [fleet(hub_ms=NOW_MS + 90_000)])
    assert state.hub_offset_ms == 90_000
    assert reduce(state, [Ticked(at_ms=NOW_MS + 1000)]).hub_now_ms == NOW_MS + 91_000


def test_offline_counts_from_the_loss_not_from_each_attempt() -> None:
    state = live_state(make_row("one"))
    state = reduce(state, [Disconnected(at_ms=NOW_MS + 5000, reason="gone", retry_at_ms=NOW_MS + 6000)])
    state = reduce(state, [Disconnected(at_ms=NOW_MS + 9000, reason="still gone", retry_at_ms=NOW_MS + 12_000)])
    assert state.connection.phase == "offline"
    assert state.connection.since_ms == NOW_MS + 5000
    assert state.connection.reason == "still gone"
    assert state.systems, "what was known stays"
    assert reduce(state, [Connected(at_ms=NOW_MS + 12_000)]).is_live


def test_a_refusal_is_final() -> None:
    state = reduce(State(), [Refused(at_ms=NOW_MS, reason="no")])
    assert state.connection.phase == "refused"


def test_trails_grow_with_new_samples_only() -> None:
    row = make_row("one", cpu=40.0)
    state = live_state(row)
    again = reduce(state, [fleet(make_row("one", cpu=40.0, tags=["new"]))])
    assert again.trails[row.id].count == 1
    assert reduce(state, [fleet(make_row("one", cpu=20.0, at_ms=NOW_MS + 1000))]).trails[row.id].count == 2


def test_a_down_system_leaves_a_gap() -> None:
    row = make_row("one", cpu=40.0)
    state = reduce(live_state(row), [fleet(make_row("one", cpu=40.0, status="down", at_ms=NOW_MS + 6000))])
    assert state.trails[row.id].count == 1
    assert trail_cells(state.trails[row.id], NOW_MS + 20_000, 2) == (None, None)


def test_loaded_trails_of_removed_systems_are_dropped() -> None:
    row = make_row("one")
    state = reduce(live_state(row), [TrailsLoaded(trails={"gone": trail_from(1, [1.0]), row.id: trail_from(1, [1.0])})])
    assert set(state.trails) == {row.id}


def test_samples_of_the_open_system_become_columns() -> None:
    row = make_row("one")
    state = reduce(
        live_state(row),
        [SystemOpened(system_id=row.id), sample(row.id, NOW_MS, 10), sample(row.id, NOW_MS + 1000, 20)],
    )
    assert state.focus is not None
    assert state.focus.live.lanes["cpu.usage_percent"].mean == (10, 20)
    assert state.focus.pace_ms == 1000
    assert state.focus.metrics == Metrics(cpu=CpuMetrics(usage_percent=20))


def test_backfill_and_other_systems_do_not_disturb() -> None:
    row = make_row("one")
    state = reduce(live_state(row), [SystemOpened(system_id=row.id), sample(row.id, NOW_MS, 10)])
    assert reduce(state, [sample(row.id, NOW_MS - 60_000, 99)]).focus == state.focus
    assert reduce(state, [sample("other", NOW_MS + 1000, 99)]).focus == state.focus
    assert reduce(state, [Received(at_ms=NOW_MS, frame=Resync(sequence=3, topics=["fleet"]))]) == state


def test_a_sample_with_a_strange_time_stamp_is_of_now() -> None:
    row = make_row("one")
    frame = SystemSample(sequence=1, system=row.id, timestamp="yesterday", metrics=Metrics())
    state = reduce(live_state(row), [SystemOpened(system_id=row.id), Received(at_ms=NOW_MS + 5, frame=frame)])
    assert state.focus is not None
    assert state.focus.sampled_ms == NOW_MS + 5


def test_history_of_another_window_or_system_is_ignored() -> None:
    row = make_row("one")
    columns = Columns(resolution_ms=1000, timestamps_ms=(1,), lanes={"a": Lane.exact((1.0,))})
    state = reduce(live_state(row), [SystemOpened(system_id=row.id), WindowChosen(window=HOUR)])
    assert state.focus is not None
    assert state.focus.loading
    late = HistoryLoaded(system_id=row.id, window=LIVE, columns=columns)
    foreign = HistoryLoaded(system_id="other", window=HOUR, columns=columns)
    assert reduce(state, [late, foreign]) == state
    loaded = reduce(state, [HistoryLoaded(system_id=row.id, window=HOUR, columns=columns)])
    assert loaded.focus is not None
    assert loaded.focus.history == columns
    assert not loaded.focus.loading


def test_a_new_window_keeps_the_old_curves_until_its_own_arrive() -> None:
    row = make_row("one")
    state = reduce(
        live_state(row), [SystemOpened(system_id=row.id), sample(row.id, NOW_MS, 10), WindowChosen(window=HOUR)]
    )
    assert state.focus is not None
    assert state.focus.history == state.focus.live
    back = reduce(state, [WindowChosen(window=LIVE)])
    assert back.focus is not None
    assert back.focus.history is None


def test_history_failed_is_said() -> None:
    row = make_row("one")
    state = reduce(live_state(row), [SystemOpened(system_id=row.id), WindowChosen(window=HOUR)])
    failed = reduce(state, [HistoryFailed(system_id=row.id, window=HOUR, reason="it broke")])
    assert failed.focus is not None
    assert failed.focus.problem == "it broke"


def test_no_loading_is_promised_while_offline() -> None:
    row = make_row("one")
    state = reduce(
        live_state(row),
        [
            SystemOpened(system_id=row.id),
            Disconnected(at_ms=NOW_MS, reason="gone", retry_at_ms=NOW_MS),
            WindowChosen(window=HOUR),
        ],
    )
    assert state.focus is not None
    assert not state.focus.loading
    assert "away" in state.focus.problem


def test_opening_and_closing() -> None:
    row = make_row("one")
    state = reduce(live_state(row), [SystemOpened(system_id=row.id)])
    details = HostDetails(hostname="one", os_name="Debian")
    state = reduce(state, [DetailsLoaded(system_id="other", details=details)])
    assert state.focus is not None
    assert state.focus.details is None
    state = reduce(state, [DetailsLoaded(system_id=row.id, details=details), SystemOpened(system_id=row.id)])
    assert state.focus is not None
    assert state.focus.details == details
    assert state.focus_row == row
    closed = reduce(state, [SystemClosed(), WindowChosen(window=HOUR), sample(row.id, NOW_MS, 1)])
    assert closed.focus is None
    assert closed.focus_row is None
