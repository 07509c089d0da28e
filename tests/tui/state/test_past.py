import pytest

from beszel_protocol.feed import FleetRow
from beszel_tui.state.events import PageLoaded, PastChosen, PastLeft
from beszel_tui.state.model import State
from beszel_tui.state.past import LEAD_MS, PAGE_MS, moment, number_of, page_bounds, value_then
from beszel_tui.state.reduce import reduce
from beszel_tui.state.series import Columns, Lane

NOW_MS = 100 * PAGE_MS + 200_000
ROW = FleetRow(id="a", name="web", status="up", cpu_percent=99.0, tags=["prod"], host="web.example.net")


def make_columns(*readings: float | None, start_ms: int = 100 * PAGE_MS, step_ms: int = 5000) -> Columns:
    times = tuple(start_ms + index * step_ms for index in range(len(readings)))
    return Columns(resolution_ms=step_ms, timestamps_ms=times, lanes={"cpu.usage_percent": Lane.exact(readings)})


def make_state(at_ms: int) -> State:
    return reduce(State(now_ms=NOW_MS, systems={"a": ROW}), [PastChosen(at_ms=at_ms, speed=0)])


@pytest.mark.parametrize(
    ("elapsed_ms", "value"),
    [(-1, None), (0, 1.0), (4999, 1.0), (5000, 2.0), (12_000, 2.0), (19_999, 2.0), (20_001, None), (25_000, 3.0)],
)
def test_a_reading_stands_for_a_while(elapsed_ms: int, value: float | None) -> None:
    columns = make_columns(1.0, 2.0, None, None, None, 3.0)
    assert value_then(columns, "cpu.usage_percent", 100 * PAGE_MS + elapsed_ms) == value
    assert value_then(columns, "memory.usage_percent", 100 * PAGE_MS + elapsed_ms) is None


def test_a_page_is_asked_for_with_what_was_before_it_and_not_beyond_now() -> None:
    assert page_bounds(99, NOW_MS) == (99 * PAGE_MS - LEAD_MS, 100 * PAGE_MS)
    assert page_bounds(number_of(NOW_MS), NOW_MS) == (100 * PAGE_MS - LEAD_MS, NOW_MS)


def test_the_moment_has_the_numbers_of_then() -> None:
    at_ms = 100 * PAGE_MS + 7000
    state = make_state(at_ms)
    assert moment(state).systems["a"].status == "pending", "until it is known"
    state = reduce(state, [PageLoaded(system_id="a", number=100, end_ms=NOW_MS, columns=make_columns(10.0, 20.0))])
    then = moment(state)
    row = then.systems["a"]
    assert (row.status, row.cpu_percent, row.memory_percent, row.updated_ms) == ("up", 20.0, None, at_ms)
    assert (row.name, row.tags) == ("web", ["prod"])
    assert then.hub_now_ms == at_ms
    assert then.trails["a"].means[-1] == 10.0
    assert then.past is not None
    assert then.past.behind_ms == NOW_MS - at_ms
    assert state.systems["a"].cpu_percent == 99.0


def test_a_system_without_readings_was_down() -> None:
    state = make_state(100 * PAGE_MS + 100_000)
    state = reduce(state, [PageLoaded(system_id="a", number=100, end_ms=NOW_MS, columns=make_columns(10.0))])
    assert moment(state).systems["a"].status == "down"


def test_a_page_tells_nothing_of_what_came_after_it() -> None:
    state = make_state(100 * PAGE_MS + 100_000)
    page = PageLoaded(system_id="a", number=100, end_ms=100 * PAGE_MS + 50_000, columns=make_columns(10.0))
    assert moment(reduce(state, [page])).systems["a"].status == "pending"
    late = PageLoaded(system_id="a", number=99, end_ms=NOW_MS, columns=make_columns(10.0))
    assert reduce(state, [late]) is state, "an answer for a page that was left"


def test_now_is_as_it_is() -> None:
    state = make_state(100 * PAGE_MS)
    left = reduce(state, [PastLeft()])
    assert moment(left) is left
