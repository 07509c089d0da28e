"""The `metrics` collection and the series route, over HTTP."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx2
import msgspec
import pytest

from beszel_hub.metrics import collection
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_protocol.timestamps import format_timestamp
from tests.support.runninghub import RunningHub
from tests.support.samples import make_metrics

METRICS = "/api/collections/metrics/records"
SERIES = "/api/beszel/series"
# On a border of the buckets below, so that it does not depend on the second how many of them lie in the gap.
NOW = time.time_ns() // 10_000_000_000 * 10_000


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    admin = hub.create_user("grace@example.org", "admin")
    with httpx2.Client(
        base_url=hub.url, headers={"Authorization": hub.create_token(admin, "write")}, timeout=10
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def system_id(hub: RunningHub) -> str:
    """Ten minutes of samples with a minute missing, and one of two hours ago."""
    created, _ = hub.create_system("stored")
    ages = [*range(300), *range(360, 600), 7200]
    samples = [
        NewSample(created, NOW - 1000 * age, 0, msgspec.json.encode(make_metrics(float(age % 100)))) for age in ages
    ]
    hub.hub.database.write_now(lambda: insert_samples(samples))
    return created


def listed(client: httpx2.Client, **parameters: Any) -> dict[str, Any]:
    page: dict[str, Any] = client.get(METRICS, params=parameters).raise_for_status().json()
    return page


def test_without_a_time_filter_it_is_the_last_hour(client: httpx2.Client, system_id: str) -> None:
    page = listed(client, filter=f"system='{system_id}' && type='cpu'", perPage=1000)
    assert page["totalItems"] == 540
    stamps = [item["timestamp"] for item in page["items"]]
    assert stamps == sorted(stamps)


def test_a_record_has_the_samples_shape(client: httpx2.Client, system_id: str) -> None:
    (item,) = listed(client, filter=f"system='{system_id}' && type='memory'", perPage=1)["items"]
    assert item["value"]["total_bytes"] == 8 << 30
    assert item["collectionName"] == "metrics"
    assert (item["system"], item["type"], item["resolution"], item["skewed"]) == (system_id, "memory", 1, False)
    assert client.get(f"{METRICS}/{item['id']}").json() == item


@pytest.mark.parametrize("kind", ["cpu", "memory", "disk", "network", "load", "temperature"])
def test_every_type_is_there(client: httpx2.Client, system_id: str, kind: str) -> None:
    page = listed(client, filter=f"system='{system_id}' && type='{kind}'", perPage=1)
    assert page["totalItems"] == 540


def test_what_a_host_does_not_tell_makes_no_record(client: httpx2.Client, system_id: str) -> None:
    assert listed(client, filter=f"system='{system_id}' && type='gpu'")["totalItems"] == 0


def test_time_ranges_reach_further_back(client: httpx2.Client, system_id: str) -> None:
    since = format_timestamp(NOW - 7_200_000).replace("T", " ")
    page = listed(client, filter=f"system='{system_id}' && type='cpu' && timestamp >= '{since}'", perPage=1)
    assert page["totalItems"] == 541
    until = format_timestamp(NOW - 7_100_000)
    page = listed(client, filter=f"system='{system_id}' && type='cpu' && timestamp < '{until}'", perPage=1)
    assert page["totalItems"] == 1


def test_values_filter_and_sort(client: httpx2.Client, system_id: str) -> None:
    page = listed(
        client,
        filter=f"system='{system_id}' && type='cpu' && value.usage_percent > 97",
        sort="-value.usage_percent,timestamp",
        perPage=3,
        fields="value.usage_percent",
    )
    assert [item["value"]["usage_percent"] for item in page["items"]] == [99.0, 99.0, 99.0]
    assert page["totalItems"] == 2 * 6


@pytest.mark.parametrize(
    ("where", "missing"),
    [("", "`system`"), ("system='{id}'", "`type`"), ("system='{id}' && type='cpu'", "a narrower range")],
)
def test_too_much_names_what_is_missing(
    client: httpx2.Client, system_id: str, monkeypatch: pytest.MonkeyPatch, where: str, missing: str
) -> None:
    monkeypatch.setattr(collection, "MAX_ROWS", 100)
    answer = client.get(METRICS, params={"filter": where.format(id=system_id)})
    assert answer.status_code == 400
    assert missing in answer.json()["message"]


def series(client: httpx2.Client, system_id: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(SERIES, params={"system": system_id, "metric": "cpu.usage_percent", **parameters})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def test_a_series_has_aligned_buckets_and_leaves_gaps_open(client: httpx2.Client, system_id: str) -> None:
    answer = series(client, system_id, **{"from": NOW - 600_000, "to": NOW, "points": 60})
    assert answer["resolution_seconds"] == 10
    stamps = answer["timestamps"]
    assert all(stamp % 10_000 == 0 for stamp in stamps)
    assert all(later - earlier == 10_000 for earlier, later in pairwise(stamps))
    columns = answer["series"]["cpu.usage_percent"]
    assert set(columns) == {"mean", "min", "max"}
    assert all(len(column) == len(stamps) for column in columns.values())
    gap = [stamp for stamp, mean in zip(stamps, columns["mean"], strict=True) if mean is None]
    assert 4 <= len(gap) <= 6
    assert all(NOW - 370_000 <= stamp <= NOW - 300_000 for stamp in gap)
    for least, mean, most in zip(columns["min"], columns["mean"], columns["max"], strict=True):
        assert (least is None) == (mean is None) == (most is None)
        assert mean is None or least <= mean <= most


def test_a_series_is_as_fine_as_its_samples_and_the_points_allow(client: httpx2.Client, system_id: str) -> None:
    fine = series(client, system_id, **{"from": NOW - 60_000, "to": NOW, "points": 600})
    assert fine["resolution_seconds"] == 1
    assert None not in fine["series"]["cpu.usage_percent"]["mean"][1:-1]
    coarse = series(client, system_id, **{"from": NOW - 86_400_000, "to": NOW, "points": 100})
    assert coarse["resolution_seconds"] == 900
    assert len(coarse["timestamps"]) <= 101


def test_several_series_come_in_one_answer(client: httpx2.Client, system_id: str) -> None:
    metric = "cpu.usage_percent,disk[/mnt/v1.2].usage_percent,network.interfaces[eth0].errors,gpus[0].usage_percent"
    answer = series(client, system_id, metric=metric, **{"from": NOW - 60_000, "to": NOW})
    assert list(answer["series"]) == metric.split(",")
    assert {mean for mean in answer["series"]["disk[/mnt/v1.2].usage_percent"]["mean"] if mean is not None} == {50.0}
    assert set(answer["series"]["gpus[0].usage_percent"]["mean"]) == {None}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (str(NOW - 60_000), str(NOW)),
        (format_timestamp(NOW - 60_000), format_timestamp(NOW)),
        (format_timestamp(NOW - 60_000).replace("T", " "), format_timestamp(NOW).replace("T", " ")),
        (format_timestamp(NOW - 60_000).replace("Z", "+00:00"), ""),
    ],
    ids=["milliseconds", "T", "space", "offset, no end"],
)
def test_instants_come_in_three_forms(client: httpx2.Client, system_id: str, start: str, end: str) -> None:
    answer = series(client, system_id, **{"from": start, "to": end, "points": 60})
    assert 0 <= NOW - 60_000 - answer["timestamps"][0] < answer["resolution_seconds"] * 1000


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"metric": ""}, "metric"),
        ({"metric": "cpu."}, "metric"),
        ({"metric": "cpu.colour"}, "metric"),
        ({"metric": ",".join(f"cpu.cores_percent[{index}]" for index in range(65))}, "metric"),
        ({"metric": "x" * 9000}, "metric"),
        ({"system": ""}, "system"),
        ({"from": "yesterday"}, "from"),
        ({"from": "9" * 20}, "from"),
        ({"from": str(NOW), "to": str(NOW)}, "from"),
        ({"points": "0"}, "points"),
        ({"points": "1e3"}, "points"),
        ({"points": "5001"}, "points"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    client: httpx2.Client, system_id: str, parameters: dict[str, str], field: str
) -> None:
    answer = client.get(SERIES, params={"system": system_id, "metric": "cpu.usage_percent", **parameters})
    assert answer.status_code == 400
    assert list(answer.json()["data"]) == [field]


def test_clients_of_beszel_list_rows_of_a_tier(client: httpx2.Client, system_id: str) -> None:
    path = "/api/collections/system_stats/records"
    since = format_timestamp(NOW - 3_600_000).replace("T", " ")
    found = client.get(
        path,
        params={
            "filter": f"system='{system_id}' && created > '{since}' && type='1m'",
            "fields": "created,stats",
            "sort": "created",
            "perPage": 100,
        },
    )
    items = found.raise_for_status().json()["items"]
    assert 9 <= len(items) <= 11
    assert all(item["created"].endswith(":00.000Z") for item in items)
    assert [item["created"] for item in items] == sorted(item["created"] for item in items)
    stats = items[-2]["stats"]
    assert (stats["m"], stats["mu"], stats["mp"]) == (8.0, 2.0, 25.0)
    assert stats["efs"] == {"/mnt/v1.2": {"d": 1024.0, "du": 512.0}}
    assert client.get(path, params={"filter": f"system='{system_id}'", "perPage": 500}).json()["totalItems"] <= 378


def test_the_busiest_systems_come_first(hub: RunningHub, client: httpx2.Client, system_id: str) -> None:
    idle, _ = hub.create_system("idle")
    document = msgspec.json.encode(make_metrics(0.5))
    hub.hub.database.write_now(lambda: insert_samples([NewSample(idle, NOW - 60_000, 0, document)]))
    answer = client.get(
        "/api/beszel/top", params={"metric": "cpu.usage_percent", "from": NOW - 600_000, "to": NOW, "by": "max"}
    )
    ranking = answer.raise_for_status().json()
    names = [ranked["name"] for ranked in ranking["systems"]]
    assert names.index("stored") < names.index("idle")
    assert next(ranked for ranked in ranking["systems"] if ranked["system"] == idle)["max"] == 0.5
    assert ranking["from"] <= NOW - 600_000 < NOW <= ranking["to"]


def test_a_system_keeps_its_history_as_long_as_it_says(client: httpx2.Client, system_id: str) -> None:
    path = f"/api/collections/systems/records/{system_id}"
    kept = {"raw": 604_800, "8h": None}
    assert client.patch(path, json={"retention": kept}).raise_for_status().json()["retention"] == kept
    for wrong in ({"raw": 5}, {"1s": 86_400}, {"raw": "7d"}, [1], {"raw": True}):
        answer = client.patch(path, json={"retention": wrong})
        assert answer.status_code == 400
        assert list(answer.json()["data"]) == ["retention"]
    assert client.get(path).json()["retention"] == kept


def test_a_resolution_gives_what_is_kept_of_each_interval(client: httpx2.Client, system_id: str) -> None:
    page = listed(client, filter=f"system='{system_id}' && type='cpu' && resolution=60", perPage=1000)
    expected: dict[int, list[float]] = {}
    for age in [*range(300), *range(360, 600)]:
        instant_ms = NOW - 1000 * age
        expected.setdefault(instant_ms // 60_000 * 60_000, []).append(float(age % 100))
    found = {item["timestamp"]: item["value"] for item in page["items"]}
    assert sorted(found) == [format_timestamp(start).replace("T", " ") for start in sorted(expected)]
    for start, readings in expected.items():
        value = found[format_timestamp(start).replace("T", " ")]
        assert value["usage_percent"] == pytest.approx(sum(readings) / len(readings))
        assert value["load_average"] == pytest.approx([0.8, 0.6, 0.4])
        assert len(value["cores_percent"]) == 2
    assert {item["resolution"] for item in page["items"]} == {60}


@pytest.mark.parametrize("resolution", [1, 60, 600, 28_800])
def test_every_row_of_a_list_is_found_by_its_id(client: httpx2.Client, system_id: str, resolution: int) -> None:
    since = format_timestamp(NOW - 86_400_000)
    wanted = f"system='{system_id}' && resolution={resolution} && timestamp>='{since}'"
    items = listed(client, filter=wanted, perPage=1000, sort="timestamp,type")["items"]
    assert len(items) > 4
    for item in (*items[:7], items[-1]):
        assert client.get(f"{METRICS}/{item['id']}").raise_for_status().json() == item
    ends = f"(id='{items[0]['id']}' || id='{items[-1]['id']}')"
    assert listed(client, filter=ends, sort="timestamp,type")["items"] == [items[0], items[-1]]
    assert listed(client, filter=f"{ends} && type='none'")["totalItems"] == 0


@pytest.mark.parametrize("record_id", ["0" * 15, "z" * 15, "kqlmnaz00000000", "none", "Ä" * 15])
def test_no_row_has_an_id_that_no_list_gave(client: httpx2.Client, system_id: str, record_id: str) -> None:
    assert system_id
    assert client.get(f"{METRICS}/{record_id}").status_code == 404


def test_a_row_is_found_by_its_id_only_by_those_who_see_its_system(
    hub: RunningHub, client: httpx2.Client, system_id: str
) -> None:
    (item,) = listed(client, filter=f"system='{system_id}' && resolution=60", perPage=1)["items"]
    stranger = hub.create_token(hub.create_user("stranger-of-rows@example.org"))
    answer = httpx2.get(f"{hub.url}{METRICS}/{item['id']}", headers={"Authorization": stranger})
    assert answer.status_code == 404


def test_buckets_have_the_samples_shape(client: httpx2.Client, system_id: str) -> None:
    (item, *_) = listed(client, filter=f"system='{system_id}' && type='network' && resolution=600")["items"]
    assert item["value"]["interfaces"]["eth0"]["bytes_sent"] == 1000
    assert listed(client, filter=f"system='{system_id}' && resolution=7")["totalItems"] == 0
