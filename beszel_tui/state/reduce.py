"""The next state, from this one and what happened; a tick's batch at a time."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec.structs import replace

from beszel_protocol.feed import ALERTS_TOPIC, Alerts, Containers, Fleet, FleetRow, HostContainers, SystemSample
from beszel_protocol.timestamps import parse_timestamp
from beszel_tui.state.charts import charted_readings
from beszel_tui.state.containers import key_of
from beszel_tui.state.events import (
    AlertBookFailed,
    AlertBookLoaded,
    Connected,
    ContainersChosen,
    ContainerTrailsLoaded,
    DetailsLoaded,
    Disconnected,
    Event,
    HistoryFailed,
    HistoryLoaded,
    HubChanged,
    PageLoaded,
    PastChosen,
    PastLeft,
    ProcessesFailed,
    ProcessesLeft,
    ProcessesLoaded,
    Received,
    Refused,
    SystemClosed,
    SystemOpened,
    Ticked,
    TrailsLoaded,
    WindowChosen,
)
from beszel_tui.state.hubs import hub_of
from beszel_tui.state.model import Connection, Focus, State
from beszel_tui.state.past import Page, Past, number_of
from beszel_tui.state.pastcontainers import make_page
from beszel_tui.state.series import Trail, append_readings, extend_trail, join_columns, join_trails


def reduce(state: State, events: Iterable[Event]) -> State:
    for event in events:
        state = _HANDLERS[type(event)](state, event)
    return state


def _connected(state: State, event: Connected) -> State:
    connection = Connection(phase="live", since_ms=event.at_ms)
    return replace(
        state, now_ms=event.at_ms, connection=connection, containers_loaded=False, alerts_loaded=False,
        awaited=state.awaited | {""},
    )  # fmt: skip


def _disconnected(state: State, event: Disconnected) -> State:
    was = state.connection
    since_ms = was.since_ms if was.phase == "offline" else event.at_ms
    connection = Connection(phase="offline", since_ms=since_ms, reason=event.reason, retry_at_ms=event.retry_at_ms)
    return replace(state, now_ms=event.at_ms, connection=connection)


def _refused(state: State, event: Refused) -> State:
    connection = Connection(phase="refused", since_ms=event.at_ms, reason=event.reason)
    return replace(state, now_ms=event.at_ms, connection=connection)


_PHASES: Final = ("live", "connecting", "offline", "refused")
"""Of several hubs, the best is how things stand."""


def _hub_changed(state: State, event: HubChanged) -> State:
    alone = State(connection=state.hubs.get(event.hub, Connection()))
    now = _HANDLERS[type(event.event)](alone, event.event)
    hubs = {**state.hubs, event.hub: now.connection}
    best = min(hubs.values(), key=lambda connection: _PHASES.index(connection.phase))
    awaited = state.awaited | {event.hub} if now.connection.phase == "live" else state.awaited
    return replace(state, now_ms=now.now_ms, connection=best, hubs=hubs, awaited=awaited)


def _received(state: State, event: Received) -> State:
    frame = event.frame
    if isinstance(frame, Fleet):
        return _fleet_changed(_without_gone(state, frame, event.hub), frame, event.at_ms)
    if isinstance(frame, SystemSample):
        return _sampled(state, frame, event.at_ms)
    if isinstance(frame, Containers):
        return _containers_changed(state, frame, event.at_ms)
    if isinstance(frame, Alerts):
        return _alerts_changed(state, frame, event.at_ms)
    if ALERTS_TOPIC in frame.topics:
        return replace(state, alerts_loaded=False)
    return state  # a resync is answered by the source, which asks for everything again


def _without_gone(state: State, frame: Fleet, hub: str) -> State:
    """The first frame of a connection has every system; one that is not in it went while we were away."""
    if hub not in state.awaited:
        return state
    told = {row.id for row in frame.systems}
    gone = {system_id for system_id in state.systems if system_id not in told and hub_of(system_id) == hub}
    systems = {system_id: row for system_id, row in state.systems.items() if system_id not in gone}
    trails = {system_id: trail for system_id, trail in state.trails.items() if system_id not in gone}
    return replace(state, systems=systems, trails=trails, awaited=state.awaited - {hub})


def _fleet_changed(state: State, frame: Fleet, at_ms: int) -> State:
    systems = dict(state.systems)
    trails = dict(state.trails)
    for row in frame.systems:
        systems[row.id] = row
        if row.status == "up" and row.cpu_percent is not None and _is_new(row, state.systems.get(row.id)):
            trails[row.id] = extend_trail(trails.get(row.id), row.updated_ms or frame.hub_ms, row.cpu_percent)
    for system_id in frame.removed:
        systems.pop(system_id, None)
        trails.pop(system_id, None)
    return replace(state, systems=systems, trails=trails, loaded=True, now_ms=at_ms, hub_offset_ms=frame.hub_ms - at_ms)


def _containers_changed(state: State, frame: Containers, at_ms: int) -> State:
    """A frame says of each host what changed, the first one all there is; trails go with their containers."""
    containers = dict(state.containers) if state.containers_loaded else {}
    trails = dict(state.container_trails)
    for told in frame.hosts:
        before = containers.get(told.system)
        merged = _merge_host(before, told)
        containers[told.system] = merged
        if told.facts is not None and before is not None:
            _drop_trails(trails, told.system, before, keep={facts.id for facts in told.facts})
        for used in told.usage or ():
            if used.cpu_percent is not None:
                key = key_of(told.system, used.id)
                trails[key] = extend_trail(trails.get(key), told.updated_ms or frame.hub_ms, used.cpu_percent)
    for system_id in frame.removed:
        gone = containers.pop(system_id, None)
        if gone is not None:
            _drop_trails(trails, system_id, gone, keep=set())
    return replace(
        state, containers=containers, container_trails=trails, containers_loaded=True, now_ms=at_ms,
        hub_offset_ms=frame.hub_ms - at_ms,
    )  # fmt: skip


def _alerts_changed(state: State, frame: Alerts, at_ms: int) -> State:
    """The first frame after subscribing says all that fires: what it does not name is over."""
    alerts = dict(state.alerts) if state.alerts_loaded else {}
    alerts |= {alert.id: alert for alert in frame.alerts}
    for alert_id in frame.removed:
        alerts.pop(alert_id, None)
    return replace(state, alerts=alerts, alerts_loaded=True, now_ms=at_ms, hub_offset_ms=frame.hub_ms - at_ms)


def _merge_host(before: HostContainers | None, told: HostContainers) -> HostContainers:
    if before is None:
        return told
    return HostContainers(
        system=told.system,
        facts=before.facts if told.facts is None else told.facts,
        image_updates=before.image_updates if told.image_updates is None else told.image_updates,
        usage=before.usage if told.usage is None else told.usage,
        updated_ms=before.updated_ms if told.updated_ms is None else told.updated_ms,
    )


def _drop_trails(trails: dict[str, Trail], system_id: str, host: HostContainers, *, keep: set[str]) -> None:
    for facts in host.facts or ():
        if facts.id not in keep:
            trails.pop(key_of(system_id, facts.id), None)


def _containers_chosen(state: State, _event: ContainersChosen) -> State:
    """What was known is kept until it is told anew, so that a screen opened again is not blank."""
    return replace(state, containers_loaded=False)


def _is_new(row: FleetRow, before: FleetRow | None) -> bool:
    return before is None or row.updated_ms is None or row.updated_ms != before.updated_ms


def _sampled(state: State, frame: SystemSample, at_ms: int) -> State:
    focus = state.focus
    if focus is None or focus.system_id != frame.system:
        return state
    try:
        sampled_ms = parse_timestamp(frame.timestamp)
    except ValueError:
        sampled_ms = at_ms + state.hub_offset_ms
    if focus.sampled_ms is not None and sampled_ms <= focus.sampled_ms:
        return state  # backfill of an outage; history has it
    pace_ms = None if focus.sampled_ms is None else sampled_ms - focus.sampled_ms
    live = append_readings(focus.live, sampled_ms, charted_readings(frame.metrics))
    standing = focus.standing.after(sampled_ms, frame.metrics)
    whole = standing.beside(frame.metrics)
    return replace(
        state,
        focus=replace(
            focus, metrics=frame.metrics, sampled_ms=sampled_ms, pace_ms=pace_ms, live=live, standing=standing,
            whole=whole,
        ),
    )  # fmt: skip


def _ticked(state: State, event: Ticked) -> State:
    return replace(state, now_ms=event.at_ms)


def _opened(state: State, event: SystemOpened) -> State:
    if state.focus is not None and state.focus.system_id == event.system_id:
        return state
    return replace(state, focus=Focus(system_id=event.system_id, loading=True))


def _closed(state: State, _event: SystemClosed) -> State:
    return replace(state, focus=None)


def _window_chosen(state: State, event: WindowChosen) -> State:
    if state.focus is None or event.window == state.focus.window:
        return state
    # What was loaded stays until the new window arrives: charts move at once and never blink empty.
    keep = None if event.window.live else (state.focus.history or state.focus.live)
    loading = state.is_live and not event.window.live
    problem = "" if state.is_live else "no history while the hub is away"
    return replace(
        state,
        focus=replace(state.focus, window=event.window, history=keep, loading=loading, problem=problem),
    )


def _trails_loaded(state: State, event: TrailsLoaded) -> State:
    trails = dict(state.trails)
    for system_id, trail in event.trails.items():
        if system_id in state.systems:
            trails[system_id] = join_trails(trail, trails.get(system_id))
    return replace(state, trails=trails)


def _container_trails_loaded(state: State, event: ContainerTrailsLoaded) -> State:
    trails = dict(state.container_trails)
    for key, trail in event.trails.items():
        trails[key] = join_trails(trail, trails.get(key))
    return replace(state, container_trails=trails)


def _details_loaded(state: State, event: DetailsLoaded) -> State:
    if state.focus is None or state.focus.system_id != event.system_id:
        return state
    return replace(state, focus=replace(state.focus, details=event.details))


def _processes_loaded(state: State, event: ProcessesLoaded) -> State:
    if state.focus is None or state.focus.system_id != event.system_id:
        return state
    return replace(state, focus=replace(state.focus, processes=event.processes, processes_problem=""))


def _processes_failed(state: State, event: ProcessesFailed) -> State:
    if state.focus is None or state.focus.system_id != event.system_id:
        return state
    return replace(state, focus=replace(state.focus, processes_problem=event.reason))


def _processes_left(state: State, _event: ProcessesLeft) -> State:
    """Old ones are not shown when somebody looks again."""
    if state.focus is None:
        return state
    return replace(state, focus=replace(state.focus, processes=None, processes_problem=""))


def _alert_book_loaded(state: State, event: AlertBookLoaded) -> State:
    return replace(state, book=event.book, book_problem="")


def _alert_book_failed(state: State, event: AlertBookFailed) -> State:
    """What was read before is still the best there is."""
    return replace(state, book_problem=event.reason)


def _history_loaded(state: State, event: HistoryLoaded) -> State:
    focus = _focus_of(state, event)
    if focus is None:
        return state
    if event.window.live:
        return replace(
            state, focus=replace(focus, live=join_columns(event.columns, focus.live), loading=False, problem="")
        )
    return replace(state, focus=replace(focus, history=event.columns, loading=False, problem=""))


def _history_failed(state: State, event: HistoryFailed) -> State:
    focus = _focus_of(state, event)
    return state if focus is None else replace(state, focus=replace(focus, loading=False, problem=event.reason))


def _past_chosen(state: State, event: PastChosen) -> State:
    past = state.past or Past(at_ms=event.at_ms)
    return replace(state, past=replace(past, at_ms=event.at_ms, speed=event.speed))


def _past_left(state: State, _event: PastLeft) -> State:
    return replace(state, past=None)


def _page_loaded(state: State, event: PageLoaded) -> State:
    past = state.past
    if past is None or event.number != number_of(past.at_ms):
        return state
    if event.of_containers:
        of_containers = make_page(event.number, event.end_ms, event.columns)
        return replace(state, past=replace(past, containers={**past.containers, event.system_id: of_containers}))
    page = Page(number=event.number, end_ms=event.end_ms, columns=event.columns, created_ms=event.created_ms)
    return replace(state, past=replace(past, pages={**past.pages, event.system_id: page}))


def _focus_of(state: State, event: HistoryLoaded | HistoryFailed) -> Focus | None:
    """The open system, if the answer still fits what it shows."""
    focus = state.focus
    return focus if focus and focus.system_id == event.system_id and focus.window == event.window else None


_HANDLERS: Final[dict[type, Callable[[State, Any], State]]] = {
    Connected: _connected,
    Disconnected: _disconnected,
    HubChanged: _hub_changed,
    Refused: _refused,
    Received: _received,
    Ticked: _ticked,
    SystemOpened: _opened,
    SystemClosed: _closed,
    WindowChosen: _window_chosen,
    ContainersChosen: _containers_chosen,
    TrailsLoaded: _trails_loaded,
    ContainerTrailsLoaded: _container_trails_loaded,
    DetailsLoaded: _details_loaded,
    ProcessesLoaded: _processes_loaded,
    ProcessesFailed: _processes_failed,
    ProcessesLeft: _processes_left,
    AlertBookLoaded: _alert_book_loaded,
    AlertBookFailed: _alert_book_failed,
    HistoryLoaded: _history_loaded,
    HistoryFailed: _history_failed,
    PastChosen: _past_chosen,
    PastLeft: _past_left,
    PageLoaded: _page_loaded,
}
