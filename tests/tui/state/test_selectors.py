import pytest

from beszel_protocol.feed import FleetRow
from beszel_tui.state.filterline import NO_FILTER, parse_filter
from beszel_tui.state.model import Connection, State
from beszel_tui.state.selectors import (
    STALE_MS,
    Sort,
    Thresholds,
    age,
    counts,
    fleet_line,
    natural_key,
    sort_rows,
    status_note,
    visible_rows,
)
from tests.support.scriptedsource import NOW_MS, make_row


def make_state(*rows: FleetRow, phase: str = "live") -> State:
    connection = Connection(phase=phase)  # type: ignore[arg-type]
    return State(now_ms=NOW_MS, connection=connection, systems={row.id: row for row in rows}, loaded=True)


def names(rows: list[FleetRow]) -> list[str]:
    return [row.name for row in rows]


ROWS = [
    make_row("web-10", cpu=5.0),
    make_row("web-2", cpu=50.0, tags=["b"]),
    make_row("nas", cpu=99.0, status="down"),
    make_row("db", cpu=None, tags=["a"]),
    make_row("alpha", cpu=50.0),
]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort(), ["alpha", "db", "nas", "web-2", "web-10"]),
        (Sort("name", descending=True), ["web-10", "web-2", "nas", "db", "alpha"]),
        (Sort("cpu", descending=True), ["alpha", "web-2", "web-10", "db", "nas"]),
        (Sort("cpu"), ["web-10", "alpha", "web-2", "db", "nas"]),
        (Sort("tags"), ["db", "web-2", "alpha", "nas", "web-10"]),
    ],
)
def test_sorting(sort: Sort, expected: list[str]) -> None:
    assert names(sort_rows(ROWS, sort)) == expected


def test_filtered_and_sorted() -> None:
    state = make_state(*ROWS)
    assert names(visible_rows(state, parse_filter("web"), Sort("cpu", descending=True))) == ["web-2", "web-10"]
    assert len(visible_rows(state, NO_FILTER, Sort())) == 5


def test_counts() -> None:
    number = counts(make_state(*ROWS, make_row("new", status="pending"), make_row("off", status="paused")))
    assert (number.total, number.up, number.down, number.paused, number.pending) == (7, 4, 1, 1, 1)


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (make_row("a"), ""),
        (make_row("a", status="paused"), "paused"),
        (make_row("a", status="pending"), "waiting for the agent"),
        (make_row("a", status="down", at_ms=NOW_MS - 245_000), "no data for 4m"),
        (FleetRow(id="a", name="a", status="down"), "no data"),
        (FleetRow(id="a", name="a", status="down", status_since_ms=NOW_MS - 7_500_000), "no data for 2h 5m"),
    ],
)
def test_what_stands_in_place_of_numbers(row: FleetRow, note: str) -> None:
    assert status_note(row, NOW_MS) == note


def test_numbers_age_when_the_hub_or_the_agent_is_silent() -> None:
    row = make_row("a")
    stale = make_row("b", at_ms=NOW_MS - STALE_MS - 1)
    assert not fleet_line(make_state(row), row, 5, Thresholds()).aged
    assert fleet_line(make_state(stale), stale, 5, Thresholds()).aged
    assert fleet_line(make_state(row, phase="offline"), row, 5, Thresholds()).aged


def test_a_critical_number_marks_the_line() -> None:
    full = make_row("a", disk=95.0)
    assert fleet_line(make_state(full), full, 5, Thresholds()).critical
    down = make_row("b", disk=95.0, status="down")
    assert not fleet_line(make_state(down), down, 5, Thresholds()).critical


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [(-5, "0s"), (0, "0s"), (59_999, "59s"), (60_000, "1m"), (3_600_000, "1h 0m"), (2 * 86_400_000, "2d")],
)
def test_age(elapsed: int, text: str) -> None:
    assert age(elapsed) == text


@pytest.mark.parametrize(("value", "level"), [(64.9, "good"), (65, "warning"), (90, "critical")])
def test_levels(value: float, level: str) -> None:
    assert Thresholds().level(value) == level


def test_natural_order_survives_hostile_digits() -> None:
    assert sorted(["a10", "a9", "a" + "9" * 300, "b"], key=natural_key) == ["a9", "a10", "a" + "9" * 300, "b"]
    natural_key("²٣")
