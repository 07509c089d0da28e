"""What follows from history: traffic by month, rankings, forecasts, and rows at Beszel's tiers."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics import series, series_rollup, series_upkeep
from beszel_hub.metrics.forecast import ForecastQuery, find_trend, make_forecast
from beszel_hub.metrics.reader import Range, read_parts
from beszel_hub.metrics.series import NewSample
from beszel_hub.metrics.sheet import Sheet
from beszel_hub.metrics.tier_rows import MAX_ROWS_A_SYSTEM, TYPES, span_of
from beszel_hub.metrics.tier_stats import PARTS, make_stats, names_of
from beszel_hub.metrics.tiers import DAY_MS, HOUR_MS
from beszel_hub.metrics.traffic import TrafficQuery, month_borders, read_traffic
from beszel_hub.records.bounds import Bounds
from beszel_hub.store.database import Database
from beszel_protocol.addresses import parse_address
from beszel_protocol.sample import (
    BatteryMetrics,
    CpuMetrics,
    GpuMetrics,
    InterfaceMetrics,
    MemoryMetrics,
    Metrics,
    NetworkMetrics,
)
from beszel_protocol.storage import DiskMetrics
from tests.support.databases import place_at

DAY = 1_795_305_600_000  # 2026-11-22T00:00Z
DISK = parse_address("disk[/].usage_percent")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(place_at(tmp_path / "data.db"))
    opened.open()
    yield opened
    opened.close()


def store(database: Database, samples: dict[int, Metrics]) -> None:
    rows = [NewSample("a", instant, 0, msgspec.json.encode(metrics)) for instant, metrics in samples.items()]
    database.write_now(lambda: series.insert_samples(rows))
    for window in database.read_now(lambda: series_upkeep.find_due(2**52)):
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        assert sealed is not None
        database.write_now(partial(series_upkeep.replace_by_chunk, sealed))
    while dues := database.read_now(lambda: series_rollup.find_rollups(2**52)):
        for due in dues:
            ready = database.read_now(partial(series_rollup.roll_up, due))
            database.write_now(partial(series_rollup.store_rollup, ready))


def date(instant_ms: int) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, UTC).strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("now", "reset_day", "expected"),
    [
        ("2026-11-22", 1, ["2026-10-01", "2026-11-01", "2026-12-01"]),
        ("2026-11-22", 22, ["2026-10-22", "2026-11-22", "2026-12-22"]),
        ("2026-11-22", 23, ["2026-09-23", "2026-10-23", "2026-11-23"]),
        ("2026-03-05", 31, ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("2026-01-01", 1, ["2025-12-01", "2026-01-01", "2026-02-01"]),
    ],
)
def test_months_begin_on_the_reset_day(now: str, reset_day: int, expected: list[str]) -> None:
    now_ms = int(datetime.fromisoformat(f"{now}T00:00:00+00:00").timestamp() * 1000)
    assert [date(border) for border in month_borders(now_ms, 2, reset_day)] == expected


def carried(counter: int) -> Metrics:
    interfaces = {"eth0": InterfaceMetrics(bytes_sent=counter, bytes_recv=2 * counter)}
    return Metrics(network=NetworkMetrics(bytes_sent=5, interfaces=interfaces))


def test_traffic_survives_reboots_and_belongs_to_its_month(database: Database) -> None:
    month = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
    store(database, {
        month - 2 * HOUR_MS: carried(1000), month - HOUR_MS: carried(5000),
        month + HOUR_MS: carried(6000), month + 30 * HOUR_MS: carried(300), month + 31 * HOUR_MS: carried(900),
    })  # fmt: skip
    query = TrafficQuery(system_id="a", now_ms=month + 3 * DAY_MS, months=2)
    traffic = database.read_now(lambda: read_traffic(query))
    assert [(date(found.from_ms), found.sent_bytes, found.recv_bytes) for found in traffic.months] == [
        ("2026-10-01", 4000, 8000),
        ("2026-11-01", 1900, 3800),
    ]
    assert traffic.months[1].interfaces["eth0"].sent_bytes == 1900
    assert msgspec.to_builtins(traffic)["months"][1]["from"] == month


def query_of(limit: float = 100.0) -> ForecastQuery:
    return ForecastQuery(system_id="a", address=DISK, from_ms=0, to_ms=1, limit=limit)


def test_a_filling_disk_is_foreseen() -> None:
    noise = random.Random(7)  # noqa: S311
    points = [(DAY + hour * HOUR_MS, 40 + hour / 24 + noise.uniform(-0.3, 0.3)) for hour in range(240)]
    points[100] = (points[100][0], 99.0)  # a spike
    forecast = make_forecast(query_of(), points)
    assert forecast.slope_per_day == pytest.approx(1.0, abs=0.02)
    assert forecast.level == pytest.approx(50, abs=0.3)
    assert forecast.reached is not None
    assert forecast.earliest is not None
    assert forecast.latest is not None
    assert forecast.earliest < forecast.reached < forecast.latest
    assert abs(forecast.reached - (DAY + 60 * DAY_MS)) < 2 * DAY_MS


def test_what_does_not_move_reaches_nothing() -> None:
    forecast = make_forecast(query_of(), [(DAY + hour * HOUR_MS, 40.0) for hour in range(50)])
    assert (forecast.slope_per_day, forecast.reached, forecast.earliest, forecast.latest) == (0, None, None, None)


def test_what_falls_reaches_what_lies_below() -> None:
    points = [(float(DAY + day * DAY_MS), 80.0 - day) for day in range(20)]
    assert make_forecast(query_of(), points).reached is None
    assert make_forecast(query_of(0.0), points).reached == DAY + 80 * DAY_MS


def test_a_few_readings_are_no_trend() -> None:
    forecast = make_forecast(query_of(), [(float(DAY), 1.0), (DAY + 1.0, 2.0)])
    assert (forecast.points, forecast.slope_per_day, forecast.level) == (2, None, None)


@given(st.lists(st.floats(0, 100), min_size=8, max_size=40))
def test_the_slope_lies_in_its_band(values: list[float]) -> None:
    trend = find_trend([(1000.0 * index, value) for index, value in enumerate(values)])
    assert trend is not None
    assert trend.low <= trend.slope <= trend.high


def whole_host(second: int) -> Metrics:
    busy = 100.0 if second == 30 else 10.0
    return Metrics(
        cpu=CpuMetrics(
            usage_percent=busy, user_percent=6.0, system_percent=3.0, iowait_percent=1.0, steal_percent=0.0,
            cores_percent=[busy, 2.4], load_average=[0.5, 0.25, 0.125],
        ),
        memory=MemoryMetrics(used_bytes=1 << 30, cache_bytes=2 << 30, zfs_arc_bytes=4 << 30),
        disk={
            "/": DiskMetrics(
                total_bytes=100 << 30, used_bytes=25 << 30, usage_percent=26.0, read_bytes_per_second=1024,
                write_bytes_per_second=2048, utilization_percent=1.5, queue_depth=0.02,
            ),
            "/data": DiskMetrics(total_bytes=1 << 40, used_bytes=1 << 39, read_bytes_per_second=1 << 20),
        },
        network=NetworkMetrics(
            sent_bytes_per_second=100, recv_bytes_per_second=200 + second,
            interfaces={"eth0": InterfaceMetrics(
                bytes_sent=1000 + second, bytes_recv=5, sent_bytes_per_second=100, recv_bytes_per_second=200
            )},
        ),
        temperatures={"cpu": 50.04},
        fans={"fan1": 901.4},
        batteries={"BAT0": BatteryMetrics(charge_percent=87.3, state="charging")},
        gpus={"0": GpuMetrics(name="A100", usage_percent=5.0, memory_used_bytes=1 << 30, power_watts=61.234,
                              engines_percent={"video": 12.0})},
    )  # fmt: skip


def test_a_bucket_has_beszels_short_keys(database: Database) -> None:
    store(database, {DAY + 1000 * second: whole_host(second) for second in range(60)})
    grid, aggregates = database.read_now(lambda: read_parts("a", PARTS, Range(DAY, DAY + 60_000), 60))
    names = names_of(msgspec.to_builtins(whole_host(0)))
    assert make_stats(Sheet(grid, aggregates), 0, names) == {
        "cpu": 11.5, "cpum": 100.0, "cpub": [6.0, 3.0, 1.0, 0.0, 87.5], "cpus": [12, 2], "la": [0.5, 0.25, 0.12],
        "mu": 1.0, "mm": 1.0, "mb": 2.0, "mz": 4.0,
        "d": 100.0, "du": 25.0, "dp": 26.0, "dio": [1024, 2048], "diom": [1024, 2048],
        "dios": [0, 0, 1.5, 0, 0, 2.0], "diosm": [0, 0, 1.5, 0, 0, 2.0],
        "b": [100, 230], "bm": [100, 259], "ni": {"eth0": [100, 200, 1059, 5]},
        "t": {"cpu": 50.04}, "f": {"fan1": 901}, "bats": {"BAT0": 87}, "bat": [87, 3],
        "efs": {"/data": {"d": 1024.0, "du": 512.0, "r": 1.0, "rm": 1.0, "rb": 1 << 20, "rbm": 1 << 20}},
        "g": {"0": {"n": "A100", "u": 5.0, "mu": 1024.0, "p": 61.23, "e": {"video": 12.0}}},
    }  # fmt: skip


def test_an_empty_bucket_makes_no_row(database: Database) -> None:
    store(database, {DAY: whole_host(0)})
    grid, aggregates = database.read_now(lambda: read_parts("a", PARTS, Range(DAY, DAY + 120_000), 60))
    sheet = Sheet(grid, aggregates)
    assert make_stats(sheet, 1, names_of({})) == {}
    assert make_stats(sheet, 0, names_of({}))["g"]["0"]["n"] == "0"


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, (DAY - 720 * 60_000, DAY)),
        ({"at_least": {"created": DAY - 700_000}}, (DAY - 1_800_000, DAY)),
        ({"at_most": {"created": DAY - 700_000}}, (DAY - 720 * 60_000, DAY - 1_200_000)),
        ({"at_least": {"created": DAY + 1}}, (DAY - 600_000, DAY)),
    ],
)
def test_filters_narrow_what_is_read(bounds: dict[str, Any], expected: tuple[int, int]) -> None:
    assert span_of(TYPES["10m"], Bounds(**bounds), DAY + 5000) == expected


def test_a_system_has_as_many_rows_as_beszel_keeps() -> None:
    assert MAX_ROWS_A_SYSTEM == 378
