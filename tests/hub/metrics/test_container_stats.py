"""The `container_stats` collection: Beszel's rows, whatever tier of history they are read from."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx2
import msgspec
import pytest

from beszel_hub.metrics import container_stats, series, series_rollup, series_upkeep
from beszel_hub.metrics.series import NewSample
from beszel_hub.metrics.tier_rows import TYPES
from beszel_protocol.sample import ContainerMetrics, Metrics
from beszel_protocol.timestamps import format_timestamp, parse_timestamp
from tests.support.runninghub import RunningHub

STATS = "/api/collections/container_stats/records"
STEP_MS = 10_000


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    admin = hub.create_user("hamilton@example.org", "admin")
    with httpx2.Client(base_url=hub.url, headers={"Authorization": hub.create_token(admin)}, timeout=20) as opened:
        yield opened


def containers(age_ms: int) -> list[ContainerMetrics] | None:
    """`web` always; `old` only until two hours ago; none at all between 30 and 20 minutes ago."""
    if 1_200_000 < age_ms <= 1_800_000:
        return None
    web = ContainerMetrics(
        id="a", name="we]b", cpu_percent=10.0, memory_bytes=64 << 20, rx_bytes_per_second=5.4, tx_bytes_per_second=2.0
    )
    old = ContainerMetrics(id="b", name="old", cpu_percent=1.0)
    return [web, old] if age_ms > 7_200_000 else [web]


@pytest.fixture(scope="module")
def now_ms(hub: RunningHub) -> int:
    return hub.hub.clock()


@pytest.fixture(scope="module")
def system_id(hub: RunningHub, now_ms: int) -> str:
    """Two days of samples, sealed and rolled up as far as the hub's own jobs would have got."""
    created, _ = hub.create_system("with containers")
    ages = range(0, 48 * 3_600_000, STEP_MS)
    samples = [
        NewSample(created, now_ms - age, 0, msgspec.json.encode(Metrics(containers=containers(age)))) for age in ages
    ]
    database = hub.hub.database
    database.write_now(lambda: series.insert_samples(samples))
    for window in database.read_now(lambda: series_upkeep.find_due(now_ms - 60_000)):
        sealed = database.read_now(partial(series_upkeep.seal_window, window))
        assert sealed is not None
        database.write_now(partial(series_upkeep.replace_by_chunk, sealed))
    while dues := database.read_now(lambda: series_rollup.find_rollups(now_ms)):
        for due in dues:
            database.write_now(
                partial(series_rollup.store_rollup, database.read_now(partial(series_rollup.roll_up, due)))
            )
    return created


def listed(client: httpx2.Client, where: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get(STATS, params={"filter": where, "perPage": 1000, **parameters})
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


def created_ms(row: dict[str, Any]) -> int:
    return parse_timestamp(row["created"].replace(" ", "T"))


@pytest.mark.parametrize("kind", TYPES)
def test_rows_of_every_interval(client: httpx2.Client, system_id: str, now_ms: int, kind: str) -> None:
    rows = listed(client, f"system='{system_id}' && type='{kind}'", sort="created")
    interval = TYPES[kind]
    assert 0 < len(rows) <= interval.rows
    instants = [created_ms(row) for row in rows]
    assert all(instant % (1000 * interval.seconds) == 0 for instant in instants)
    assert now_ms - 1000 * interval.seconds <= instants[-1]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert {"n": "we]b", "c": 10.0, "m": 64.0, "b": [2, 5]} in row["stats"]


def test_a_gap_has_no_rows(client: httpx2.Client, system_id: str, now_ms: int) -> None:
    ages = [now_ms - created_ms(row) for row in listed(client, f"system='{system_id}' && type='1m'")]
    assert not [age for age in ages if 1_260_000 < age < 1_740_000]
    assert 49 <= len(ages) <= 51


def test_a_container_that_is_gone_is_in_the_rows_of_its_time(
    client: httpx2.Client, system_id: str, now_ms: int
) -> None:
    for row in listed(client, f"system='{system_id}' && type='10m'"):
        names = {item["n"] for item in row["stats"]}
        age_ms = now_ms - created_ms(row)
        assert age_ms > 6_000_000 or "old" not in names
        assert age_ms < 7_800_000 or "old" in names


def test_a_container_that_is_gone_since_a_moment_is_in_the_rows_of_its_time(
    hub: RunningHub, client: httpx2.Client, now_ms: int
) -> None:
    """None of it is rolled up, and the newest sample has it no longer."""
    created, _ = hub.create_system("with a container that has died")
    found = {600_000: "dead", 300_000: "alive"}
    samples = [
        NewSample(
            created, now_ms - age_ms, 0,
            msgspec.json.encode(Metrics(containers=[ContainerMetrics(id="a", name=name, cpu_percent=1.0)])),
        )
        for age_ms, name in found.items()
    ]  # fmt: skip
    hub.hub.database.write_now(lambda: series.insert_samples(samples))
    rows = listed(client, f"system='{created}' && type='1m'", sort="created")
    assert [[item["n"] for item in row["stats"]] for row in rows] == [["dead"], ["alive"]]


def test_as_beszels_charts_ask(client: httpx2.Client, system_id: str, now_ms: int) -> None:
    since, until = (format_timestamp(now_ms - age_ms).replace("T", " ") for age_ms in (600_000, 0))
    where = f"system='{system_id}' && created > '{since}' && created <= '{until}' && type='1m'"
    rows = listed(client, where, fields="created,stats", sort="created")
    assert len(rows) == 10
    assert set(rows[0]) == {"created", "stats"}


def test_too_many_systems_want_a_filter(client: httpx2.Client, system_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_stats, "MAX_SYSTEMS", 0)
    answer = client.get(STATS, params={"filter": f"system='{system_id}'"})
    assert answer.status_code == 400
    assert "`system`" in answer.json()["message"]
