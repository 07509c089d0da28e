"""Rows of the tables of a system: what they say, in which order, and what the filter finds."""

import pytest

from beszel_protocol.processes import ProcessList
from beszel_protocol.sample import (
    BatteryMetrics,
    CheckMetrics,
    GpuMetrics,
    Metrics,
    ProcessCounts,
    ProcessMetrics,
    ServiceMetrics,
    ServiceUnitMetrics,
    UpsMetrics,
)
from beszel_protocol.standing import Standing
from beszel_protocol.storage import ArrayMetrics, PoolMetrics, SmartMetrics
from beszel_tui.errors import FilterError
from beszel_tui.state.checks import CHECKS
from beszel_tui.state.demo import demo_processes, demo_rows, demo_sample
from beszel_tui.state.filterline import NO_FILTER, parse_filter
from beszel_tui.state.gpus import GPUS
from beszel_tui.state.health import HEALTH
from beszel_tui.state.model import Focus
from beszel_tui.state.processes import PROCESSES, order_asked
from beszel_tui.state.selectors import Level, Sort, Thresholds
from beszel_tui.state.sensors import SENSORS
from beszel_tui.state.services import SERVICES
from beszel_tui.state.sheet import Sheet, SheetRow, fold_columns, sheet_rows, told_keys, vocabulary_of
from beszel_tui.state.sheets import BY_KEY, SHEETS
from tests.support.scriptedsource import NOW_MS


def rows_of(sheet: Sheet, metrics: Metrics) -> list[SheetRow]:
    standing = Standing().after(NOW_MS, metrics)
    focus = Focus(system_id="s", whole=metrics, standing=standing, sampled_ms=NOW_MS + 4000)
    return sheet.rows(focus, Thresholds())


def levels_of(sheet: Sheet, metrics: Metrics) -> dict[str, Level | None]:
    return {row.name: row.level for row in rows_of(sheet, metrics)}


def services(**states: str) -> Metrics:
    units = {name: ServiceUnitMetrics(state=state, cpu_percent=len(name)) for name, state in states.items()}
    return Metrics(services=ServiceMetrics(units=units))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.key)
def test_a_host_that_tells_nothing_has_no_rows(sheet: Sheet) -> None:
    assert sheet.rows(Focus(system_id="s"), Thresholds()) == []
    assert rows_of(sheet, Metrics()) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.key)
def test_a_declaration_fits_together(sheet: Sheet) -> None:
    keys = {column.key for column in sheet.columns}
    assert BY_KEY[sheet.key] is sheet
    assert {key for key, _ in sheet.claims} == keys
    assert sheet.sort.key in keys
    assert sheet.claims[0][0] == sheet.columns[0].key
    assert len(fold_columns(sheet)) == len(sheet.columns)
    vocabulary = vocabulary_of(sheet)
    for term in sheet.hint.split():
        parse_filter(term, vocabulary)


@pytest.mark.parametrize("key", [row.id for row in demo_rows(NOW_MS)])
def test_rows_of_the_demonstration_have_the_columns_of_their_sheet(key: str) -> None:
    focus = Focus(system_id=key, whole=demo_sample(key, NOW_MS), processes=demo_processes(key, "cpu", NOW_MS))
    for sheet in SHEETS:
        rows = sheet.rows(focus, Thresholds())
        assert len({row.key for row in rows}) == len(rows)
        for row in rows:
            assert row.values.keys() <= {column.key for column in sheet.columns}


def test_services_in_trouble_come_first() -> None:
    rows = rows_of(SERVICES, services(b="active", a="inactive", d="failed", c="activating"))
    assert [row.name for row in sheet_rows(rows, NO_FILTER, SERVICES.sort, SERVICES)] == ["d", "c", "b", "a"]


def test_what_does_not_tell_comes_last_either_way() -> None:
    metrics = services(a="active", bbb="active", cc="active")
    assert metrics.services is not None
    units = {**(metrics.services.units or {}), "mute": ServiceUnitMetrics(state="active")}
    rows = rows_of(SERVICES, Metrics(services=ServiceMetrics(units=units)))
    for descending, names in ((True, ["bbb", "cc", "a", "mute"]), (False, ["a", "cc", "bbb", "mute"])):
        assert [row.name for row in sheet_rows(rows, NO_FILTER, Sort("cpu", descending), SERVICES)] == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("web", ["web-10", "web-2"]), ("failed", ["web-2"]), ("state:fail", ["web-2"]), ("!failed", ["db", "web-10"]),
        ("cpu>5", ["web-10"]), ("/^w/ !cpu>5", ["web-2"]), ("name:db", ["db"]),
    ],
)  # fmt: skip
def test_the_filter(text: str, names: list[str]) -> None:
    rows = rows_of(SERVICES, services(**{"web-2": "failed", "web-10": "active", "db": "active"}))
    wanted = parse_filter(text, vocabulary_of(SERVICES))
    assert sorted(row.name for row in sheet_rows(rows, wanted, Sort("name"), SERVICES)) == names


def test_a_filter_by_a_number_that_is_none() -> None:
    with pytest.raises(FilterError, match="no number is called"):
        parse_filter("bogus>1", vocabulary_of(SERVICES))


def test_only_columns_with_something_in_them() -> None:
    rows = rows_of(SERVICES, services(a="active"))
    assert told_keys(rows, SERVICES) == {"name", "state", "cpu"}
    assert told_keys([], SERVICES) == {"name"}


def test_sensors_and_power() -> None:
    metrics = Metrics(
        temperatures={"cpu2": 95.0, "cpu10": 70.0, "board": 30.0},
        fans={"fan1": 0.0, "fan2": 900.0},
        batteries={
            "BAT0": BatteryMetrics(charge_percent=15.0, state="discharging"),
            "BAT1": BatteryMetrics(charge_percent=5.0, state="discharging"),
            "BAT2": BatteryMetrics(charge_percent=5.0, state="charging"),
        },
        ups={
            "calm": UpsMetrics(status="OL", load_percent=20.0),
            "full": UpsMetrics(status="OL", load_percent=95.0),
            "on": UpsMetrics(status="OB DISCHRG", charge_percent=80.0),
            "low": UpsMetrics(status="OB LB", charge_percent=30.0),
            "spent": UpsMetrics(on_battery=1, charge_percent=4.0),
        },
    )
    assert levels_of(SENSORS, metrics) == {
        "board": "good", "cpu2": "critical", "cpu10": "warning", "fan1": None, "fan2": "good", "BAT0": "warning",
        "BAT1": "critical", "BAT2": "good", "calm": "good", "full": "critical", "low": "critical", "on": "warning",
        "spent": "critical",
    }  # fmt: skip


def test_disks_arrays_and_pools() -> None:
    metrics = Metrics(
        pools={"tank": PoolMetrics(severity=1, devices=4, devices_missing=1)},
        arrays={"md0": ArrayMetrics(severity=0, members=1, spares=2, sync_percent=61.44)},
        smart={
            "S9": SmartMetrics(device="sda", severity=9, pending_sectors=1, reallocated_sectors=2, power_on_hours=48),
            "S1": SmartMetrics(model="none tells"),
        },
    )
    rows = {row.name: row for row in rows_of(HEALTH, metrics)}
    assert list(rows) == ["tank", "md0", "S1", "sda"]
    assert {name: row.level for name, row in rows.items()} == {
        "tank": "warning", "md0": "good", "S1": None, "sda": "critical",
    }  # fmt: skip
    assert rows["tank"].values["about"] == "4 devices, 1 missing"
    assert rows["md0"].values["about"] == "1 member, 2 spares, sync 61.4%"
    assert (rows["sda"].values["errors"], rows["sda"].values["hours"]) == (3, 48 * 3600.0)
    assert (rows["S1"].values["errors"], rows["S1"].values["state"]) == (None, "unknown")


def test_checks_say_how_old_they_are() -> None:
    checks = {"a": CheckMetrics(severity=2, up=0), "b": CheckMetrics(state="not allowed here"), "c": CheckMetrics()}
    rows = rows_of(CHECKS, Metrics(checks=checks))
    assert [(row.level, row.values["state"], row.values["age"]) for row in rows] == [
        ("critical", "down", 4.0), (None, "not allowed here", 4.0), (None, "not made", 4.0),
    ]  # fmt: skip


def test_gpus_are_full_or_hot() -> None:
    gpus = {
        "0": GpuMetrics(memory_used_bytes=95, memory_total_bytes=100),
        "1": GpuMetrics(name="A", temperature_celsius=66.0, engines_percent={"a": 1.0, "b": 9.0}),
        "2": GpuMetrics(state="suspended"),
    }
    rows = rows_of(GPUS, Metrics(gpus=gpus))
    assert [(row.name, row.level) for row in rows] == [("GPU 0", "critical"), ("A", "warning"), ("GPU 2", None)]
    assert rows[1].values["engines"] == "b 9.0%  a 1.0%"


def test_processes_that_were_asked_for_win() -> None:
    busiest = Metrics(top_processes=[ProcessMetrics(pid=1, name="busy")])
    told = ProcessList(counts=ProcessCounts(threads=5, zombies=2), processes=[ProcessMetrics(pid=2, name="all")])
    before = Focus(system_id="s", whole=busiest)
    assert [row.name for row in PROCESSES.rows(before, Thresholds())] == ["busy"]
    assert PROCESSES.note(before) == "the busiest only: asking the host for the rest…"
    failed = Focus(system_id="s", whole=busiest, processes_problem="not connected")
    assert PROCESSES.note(failed) == "the busiest only: not connected"
    after = Focus(system_id="s", whole=busiest, processes=told, processes_problem="not connected")
    assert [row.name for row in PROCESSES.rows(after, Thresholds())] == ["all"]
    assert PROCESSES.note(after) == "5 threads · 2 zombies · of before: not connected"


@pytest.mark.parametrize(
    ("column", "order"), [("cpu", "cpu"), ("mem", "memory"), ("read", "io"), ("write", "io"), ("user", "cpu")]
)
def test_the_host_is_asked_for_what_the_table_is_sorted_by(column: str, order: str) -> None:
    assert order_asked(Sort(column)) == order
