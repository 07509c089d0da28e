"""Series asked for without their names."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx2
import msgspec
import pytest

from beszel_hub.metrics import series, series_rollup, series_upkeep
from beszel_hub.metrics.open_series import is_open
from beszel_hub.metrics.series import NewSample
from beszel_protocol.addresses import parse_address
from beszel_protocol.sample import ContainerMetrics, CpuMetrics, Metrics
from tests.support.runninghub import RunningHub

STEP_MS = 10_000
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    admin = hub.create_user("sammet@example.org", "admin")
    with httpx2.Client(base_url=hub.url, headers={"Authorization": hub.create_token(admin)}, timeout=20) as opened:
        yield opened


@pytest.fixture(scope="module")
def now_ms(hub: RunningHub) -> int:
    return hub.hub.clock() // HOUR_MS * HOUR_MS


@pytest.fixture(scope="module")
def system_id(hub: RunningHub, now_ms: int) -> str:
    """Three hours: `a]b` always, `old` in the first two of them."""
    created, _ = hub.create_system("with history")

    def metrics(age_ms: int) -> Metrics:
        names = ["a]b", "old"] if age_ms > HOUR_MS else ["a]b"]
        told = [ContainerMetrics(id="", name=name, cpu_percent=float(len(name)), pids=7) for name in names]
        return Metrics(cpu=CpuMetrics(usage_percent=50.0), containers=told)

    ages = range(STEP_MS, 3 * HOUR_MS, STEP_MS)
    samples = [NewSample(created, now_ms - age, 0, msgspec.json.encode(metrics(age))) for age in ages]
    database = hub.hub.database
    database.write_now(lambda: series.insert_samples(samples))
    for window in database.read_now(lambda: series_upkeep.find_due(now_ms - 2 * HOUR_MS)):
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        assert sealed is not None
        database.write_now(partial(series_upkeep.replace_by_chunk, sealed))
    while dues := database.read_now(lambda: series_rollup.find_rollups(now_ms)):
        for due in dues:
            database.write_now(
                partial(series_rollup.store_rollup, database.read_now(partial(series_rollup.roll_up, due)))
            )
    return created


def asked(client: httpx2.Client, system_id: str, metric: str, from_ms: int, to_ms: int, points: int) -> dict[str, Any]:
    answer = client.get(
        "/api/beszel/series",
        params={"system": system_id, "metric": metric, "from": from_ms, "to": to_ms, "points": points},
    )
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


@pytest.mark.parametrize("points", [60, 360], ids=["rolled up", "samples"])
@pytest.mark.parametrize(
    ("hours_ago", "names"),
    [(3, {r"containers[a\]b]", "containers[old]"}), (1, {r"containers[a\]b]"}), (100, set())],
)
def test_every_container_of_then_is_told(
    client: httpx2.Client, system_id: str, now_ms: int, points: int, hours_ago: int, names: set[str]
) -> None:
    from_ms = now_ms - hours_ago * HOUR_MS
    metric = "containers[].cpu_percent,containers[].pids,cpu.usage_percent"
    told = asked(client, system_id, metric, from_ms, from_ms + HOUR_MS, points)
    wanted = {f"{name}.{field}" for name in names for field in ("cpu_percent", "pids")}
    assert set(told["series"]) == wanted | {"cpu.usage_percent"}
    for address in wanted:
        means = told["series"][address]["mean"]
        assert len(means) == len(told["timestamps"])
        assert set(means) - {None} == {7.0 if address.endswith("pids") else 3.0}


def test_without_a_named_series_the_resolution_is_the_same(client: httpx2.Client, system_id: str, now_ms: int) -> None:
    for points in (10, 60, 300):
        span = (now_ms - HOUR_MS, now_ms, points)
        named = asked(client, system_id, r"containers[a\]b].cpu_percent", *span)
        assert asked(client, system_id, "containers[].cpu_percent", *span) == named


@pytest.mark.parametrize(
    ("text", "expected"),
    [("containers[].cpu_percent", True), ("containers[a].cpu_percent", False), ("cpu.usage_percent", False)],
)
def test_an_empty_key_is_open(text: str, expected: bool) -> None:
    assert is_open(parse_address(text)) is expected


def test_a_steady_stream_has_no_gaps_whether_named_or_not(hub: RunningHub, client: httpx2.Client, now_ms: int) -> None:
    """Samples fall now just before a border of seconds, now just after it."""
    created, _ = hub.create_system("at the border")
    told = msgspec.json.encode(Metrics(containers=[ContainerMetrics(id="", name="job", cpu_percent=1.0)]))
    begin_ms = now_ms - HOUR_MS
    samples = [NewSample(created, begin_ms + 1000 * second + second * 7 % 60 - 30, 0, told) for second in range(200)]
    hub.hub.database.write_now(lambda: series.insert_samples(samples))
    span = (begin_ms + 20_000, begin_ms + 180_000, 300)
    named = asked(client, created, "containers[job].cpu_percent", *span)
    unnamed = asked(client, created, "containers[].cpu_percent", *span)
    assert named["resolution_seconds"] == 1
    assert named["series"]["containers[job].cpu_percent"]["mean"] == [1.0] * 160
    assert unnamed == named
