"""Containers of an instant that is over, made from pages of history."""

import msgspec

from beszel_protocol.feed import FleetRow, HostContainers
from beszel_protocol.sample import ContainerMetrics, Metrics
from beszel_protocol.timestamps import format_timestamp
from beszel_tui.state.events import PageLoaded, PastChosen
from beszel_tui.state.model import Focus, State
from beszel_tui.state.past import PAGE_MS
from beszel_tui.state.pastcontainers import items_then, line_then, not_looked_up, whole_then
from beszel_tui.state.reduce import reduce
from beszel_tui.state.series import Columns, Lane
from tests.support.containers import make_facts

START_MS = 100 * PAGE_MS
NOW_MS = START_MS + 500_000
STEP_MS = 10_000
SYSTEMS = {name: FleetRow(id=name, name=f"host-{name}", status="up") for name in ("a", "b")}
NOW = HostContainers(
    system="a",
    facts=[
        make_facts("111111111111", "web", health="healthy", started_at=format_timestamp(START_MS - 3_600_000)),
        make_facts("222222222222", "new", started_at=format_timestamp(NOW_MS - 1000)),
        make_facts("333333333333", "again", started_at=format_timestamp(NOW_MS - 1000), restarts=9),
    ],
)


def make_columns(**readings: tuple[float | None, ...]) -> Columns:
    """Columns of processor usage by name, from the beginning of the page on."""
    count = max(map(len, readings.values()))
    times = tuple(START_MS + index * STEP_MS for index in range(count))
    lanes = {f"containers[{name}].cpu_percent": Lane.exact(values) for name, values in readings.items()}
    return Columns(resolution_ms=STEP_MS, timestamps_ms=times, lanes=lanes)


def looking(at_ms: int, columns: Columns, system_id: str = "a") -> State:
    state = State(now_ms=NOW_MS, systems=SYSTEMS, containers={"a": NOW}, containers_loaded=True)
    page = PageLoaded(system_id=system_id, number=100, end_ms=NOW_MS, columns=columns, of_containers=True)
    return reduce(state, [PastChosen(at_ms=at_ms, speed=0), page])


def test_who_had_readings_was_there() -> None:
    columns = make_columns(web=(1.0, 2.0, 3.0), again=(4.0, 5.0, 6.0), old=(7.0, 8.0, None), late=(None, None, 9.0))
    items = {item.facts.name: item for item in items_then(looking(START_MS + 12_000, columns))}
    assert set(items) == {"web", "again", "old"}, "what began later, or is there only now, was not"
    assert [items[name].usage.cpu_percent for name in ("web", "again", "old")] == [2.0, 5.0, 8.0]
    assert items["web"].system == "host-a"
    assert {name: item.past for name, item in items.items()} == {"web": "still", "again": "still", "old": "gone"}


def test_who_is_gone_is_known_once_the_hub_has_told_who_is_there() -> None:
    state = looking(START_MS, make_columns(web=(1.0,), old=(1.0,)))
    waiting = msgspec.structs.replace(state, containers_loaded=False)
    assert [item.past for item in items_then(waiting)] == ["still", "unknown"]


def test_what_is_not_kept_is_known_of_those_that_still_exist_only() -> None:
    columns = make_columns(web=(1.0,), again=(1.0,), old=(1.0,))
    items = {item.facts.name: item for item in items_then(looking(START_MS, columns))}
    web, again, old = items["web"], items["again"], items["old"]
    assert (web.facts.image, web.key, web.uptime_ms) == ("nginx:1.29", "a/111111111111", 3_600_000)
    assert again.uptime_ms is None, "it was started again since"
    assert again.facts.restarts is None, "its restarts are those of now"
    assert {item.facts.health for item in items.values()} == {"none"}
    assert (old.facts.image, old.facts.ports, old.facts.id, old.uptime_ms) == (None, [], "", None)
    assert len({item.key for item in items.values()}) == 3


def test_every_number_is_that_of_then() -> None:
    address = r"containers[a\]b]"
    fields = {"memory_bytes": 64.0, "pids": 3.0, "restarts": 2.0, "rx_bytes_per_second": 1.5}
    lanes = {f"{address}.{field}": Lane.exact((value,)) for field, value in fields.items()}
    columns = Columns(resolution_ms=STEP_MS, timestamps_ms=(START_MS,), lanes=lanes | {"what?": Lane.exact((1.0,))})
    (item,) = items_then(looking(START_MS + 1, columns))
    told = {field: getattr(item.usage, field) for field in fields}
    assert told == fields
    assert (item.facts.name, item.facts.restarts) == ("a]b", 2)


def test_the_curve_ends_at_that_instant() -> None:
    state = looking(START_MS + 40_000, make_columns(web=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)))
    assert state.past is not None
    (item,) = items_then(state)
    line = line_then(state.past, item)
    assert line.readings(4) == (3.0, 3.0, 4.0, 4.0)
    assert line.hub_now_ms == START_MS + 40_000


def test_systems_that_nobody_has_looked_up() -> None:
    state = looking(START_MS, make_columns(web=(1.0,)))
    assert not_looked_up(state) == 1
    assert not_looked_up(state, "a") == 0
    assert not_looked_up(state, "b") == 1
    assert items_then(state, "b") == []
    elsewhere = reduce(state, [PastChosen(at_ms=START_MS - 1, speed=0)])
    assert items_then(elsewhere) == [], "a page tells of itself only"
    assert not_looked_up(elsewhere) == 2
    assert items_then(State()) == []


def test_the_charts_are_of_the_containers_of_then() -> None:
    state = looking(START_MS, make_columns(web=(1.0,), old=(1.0,)))
    metrics = Metrics(containers=[ContainerMetrics(id="222222222222", name="new")])
    state = msgspec.structs.replace(state, focus=Focus(system_id="a", whole=metrics))
    whole = whole_then(state)
    assert whole is not None
    assert [each.name for each in whole.containers or ()] == ["old", "web"]
    now = whole_then(msgspec.structs.replace(state, past=None))
    assert now is metrics
    assert whole_then(State()) is None
