"""`/api/beszel/export` over HTTP, every format read back by somebody else's reader."""

import io
import subprocess
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx2
import pyarrow.parquet
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from beszel_hub.export.openmetrics import write_openmetrics
from beszel_hub.export.plan import Plan, Source
from beszel_hub.export.query import Format
from beszel_hub.permissions import ANONYMOUS
from beszel_protocol.sample import BatteryMetrics, CpuMetrics, Metrics
from beszel_protocol.timestamps import parse_timestamp
from tests.support.exports import (
    COUNT,
    EXPORT,
    Shelf,
    cpu_percent,
    fetch,
    read_csv,
    read_json_lines,
    series_of_one_sample,
    store,
)
from tests.support.runninghub import RunningHub
from tests.support.samples import NOON_MS, make_metrics
from tests.support.services import need_program

CPU = "cpu.usage_percent"


def test_json_lines_have_every_reading_once(client: httpx2.Client, shelf: Shelf) -> None:
    rows = read_json_lines(fetch(client, shelf, format="jsonl"))
    assert len(rows) == 2 * COUNT * series_of_one_sample()
    places = [(row["system"], parse_timestamp(row["timestamp"]), row["metric"]) for row in rows]
    assert places == sorted(set(places))
    usages = [row["value"] for row in rows if row["system"] == shelf.first and row["metric"] == CPU]
    assert usages == [cpu_percent(index) for index in range(COUNT)]


def test_csv_says_the_same(client: httpx2.Client, shelf: Shelf) -> None:
    content = fetch(client, shelf, format="csv")
    assert content.startswith(b"timestamp,system,name,metric,value\r\n")
    told = [(row["timestamp"], row["system"], row["metric"], float(row["value"])) for row in read_csv(content)]
    lines = read_json_lines(fetch(client, shelf, format="jsonl"))
    assert told == [(row["timestamp"], row["system"], row["metric"], row["value"]) for row in lines]


def test_csv_makes_no_formula_of_a_name(client: httpx2.Client, shelf: Shelf) -> None:
    names = {row["name"] for row in read_csv(fetch(client, shelf, metric=CPU))}
    assert names == {"plain", '\'=cmd|"/c calc"!A1'}
    untouched = {row["name"] for row in read_json_lines(fetch(client, shelf, format="jsonl", metric=CPU))}
    assert untouched == {"plain", '=cmd|"/c calc"!A1'}


def test_parquet_says_the_same(client: httpx2.Client, shelf: Shelf) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(fetch(client, shelf, format="parquet")))
    assert str(table.schema.field("timestamp").type) == "timestamp[ms, tz=UTC]"
    told = [
        (round(row["timestamp"].timestamp() * 1000), row["system"], row["name"], row["metric"], row["value"])
        for row in table.to_pylist()
    ]
    assert told == [
        (parse_timestamp(row["timestamp"]), row["system"], row["name"], row["metric"], row["value"])
        for row in read_json_lines(fetch(client, shelf, format="jsonl"))
    ]


def test_openmetrics_passes_the_reference_parser(client: httpx2.Client, shelf: Shelf) -> None:
    text = fetch(client, shelf, format="openmetrics").decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert sum(len(family.samples) for family in families.values()) == 2 * COUNT * series_of_one_sample()
    usage = families["beszel_cpu_usage_percent"]
    assert (usage.type, usage.unit) == ("gauge", "percent")
    told = [(float(sample.timestamp), sample.value) for sample in usage.samples[:COUNT]]
    assert told == [((NOON_MS + 1000 * index) / 1000, cpu_percent(index)) for index in range(COUNT)]
    assert families["beszel_network_sent_bytes"].type == "counter"
    disks = {sample.labels["disk"] for sample in families["beszel_disk_usage_percent"].samples}
    assert disks == {"/", "/mnt/v1.2"}


def test_prometheus_makes_blocks_of_an_export(client: httpx2.Client, shelf: Shelf, tmp_path: Path) -> None:
    promtool = need_program("promtool")
    path, blocks = tmp_path / "export.om", tmp_path / "blocks"
    path.write_bytes(fetch(client, shelf, format="openmetrics", metric="cpu.usage_percent,disk[].usage_percent"))
    argv = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(path), str(blocks)]
    subprocess.run(argv, check=True, capture_output=True, timeout=30)
    listed = subprocess.run(
        [promtool, "tsdb", "list", str(blocks)], check=True, capture_output=True, text=True, timeout=30
    )
    rows = [row.split() for row in listed.stdout.splitlines()[1:]]
    assert [(row[4], row[6]) for row in rows] == [(str(6 * COUNT), "6")], "samples and series of one block"


def test_openmetrics_reads_in_several_passes_what_one_would_not_hold(hub: RunningHub, shelf: Shelf) -> None:
    plan = Plan(sources=(Source(shelf.first, "a"), Source(shelf.second, "b")), from_ms=shelf.from_ms, to_ms=shelf.to_ms)

    async def collect(budget_readings: int) -> bytes:
        blocks = [block async for block in write_openmetrics(hub.hub.database, plan, budget_readings=budget_readings)]
        return b"".join(blocks)

    assert hub.call(collect(5 * COUNT)) == hub.call(collect(10**9))


@pytest.mark.parametrize("resolution", ["60", "60s", "1m"])
def test_buckets_have_mean_least_and_greatest(client: httpx2.Client, shelf: Shelf, resolution: str) -> None:
    rows = read_json_lines(fetch(client, shelf, format="jsonl", resolution=resolution, metric=CPU, system=shelf.first))
    expected = [[cpu_percent(index) for index in range(start, start + 60)] for start in range(0, COUNT, 60)]
    assert [row["value"] for row in rows] == pytest.approx([fmean(bucket) for bucket in expected])
    assert [(row["minimum"], row["maximum"]) for row in rows] == [(min(bucket), max(bucket)) for bucket in expected]
    assert {row["samples"] for row in rows} == {60}
    assert {parse_timestamp(row["timestamp"]) % 60_000 for row in rows} == {0}


def test_a_bucket_longer_than_a_chunk_is_whole(client: httpx2.Client, shelf: Shelf) -> None:
    (row,) = read_json_lines(fetch(client, shelf, format="jsonl", resolution="1h", metric=CPU, system=shelf.first))
    assert (row["samples"], row["maximum"]) == (COUNT, 99.0)


def test_a_bucket_rolls_up_as_declared(client: httpx2.Client, hub: RunningHub, shelf: Shelf) -> None:
    system_id, _ = hub.create_system("rolled")
    store(hub, system_id, [
        (NOON_MS + 1000 * index, Metrics(batteries={"BAT0": BatteryMetrics(health_percent=90.0 - index)}))
        for index in range(10)
    ])  # fmt: skip
    (row,) = read_json_lines(fetch(client, shelf, format="jsonl", system=system_id, resolution=60))
    assert (row["value"], row["minimum"], row["maximum"]) == (81.0, 81.0, 90.0)


def fmean_of_all() -> Any:
    return pytest.approx(fmean(cpu_percent(index) for index in range(COUNT)))


def test_parquet_has_buckets_too(client: httpx2.Client, shelf: Shelf) -> None:
    content = fetch(client, shelf, format="parquet", resolution="1h", metric=CPU, system=shelf.first)
    (row,) = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    assert (row["samples"], row["minimum"], row["maximum"], row["value"]) == (COUNT, 0.0, 99.0, fmean_of_all())


def test_patterns_name_every_key(client: httpx2.Client, shelf: Shelf) -> None:
    rows = read_json_lines(fetch(client, shelf, format="jsonl", metric="disk[].usage_percent,cpu.cores_percent[1]"))
    assert {row["metric"] for row in rows} == {
        "disk[/].usage_percent", "disk[/mnt/v1.2].usage_percent", "cpu.cores_percent[1]",
    }  # fmt: skip


@pytest.mark.parametrize("chosen", ["csv", "jsonl"])
@pytest.mark.parametrize("lines", [1, 30, 7000, 12_000])
def test_an_export_goes_on_after_any_line(client: httpx2.Client, shelf: Shelf, chosen: str, lines: int) -> None:
    whole = fetch(client, shelf, format=chosen)
    kept = whole.splitlines(keepends=True)[:lines]
    if chosen == "csv" and lines == 1:
        return
    last = read_csv(kept[0] + kept[-1])[0] if chosen == "csv" else read_json_lines(kept[-1])[0]
    after = f"{last['system']},{parse_timestamp(last['timestamp'])},{last['metric']}"
    assert b"".join(kept) + fetch(client, shelf, format=chosen, after=after) == whole


def test_an_export_from_the_beginning_of_time_skips_what_is_empty(client: httpx2.Client, shelf: Shelf) -> None:
    rows = read_json_lines(
        fetch(client, shelf, format="jsonl", metric=CPU, **{"from": "1970-01-01", "to": "9000-01-01"})
    )
    assert len(rows) >= 2 * COUNT


def test_two_samples_of_one_instant_make_one_reading(client: httpx2.Client, hub: RunningHub, shelf: Shelf) -> None:
    system_id, _ = hub.create_system("twice")
    store(hub, system_id, [(NOON_MS, Metrics(cpu=CpuMetrics(usage_percent=value))) for value in (1.0, 2.0)])
    assert [row["value"] for row in read_json_lines(fetch(client, shelf, format="jsonl", system=system_id))] == [1.0]


def test_nothing_is_an_empty_file(client: httpx2.Client, hub: RunningHub, shelf: Shelf) -> None:
    empty, _ = hub.create_system("empty")
    assert fetch(client, shelf, format="jsonl", system=empty) == b""
    assert fetch(client, shelf, format="csv", system=empty) == b"timestamp,system,name,metric,value\r\n"
    assert fetch(client, shelf, format="openmetrics", system=empty) == b"# EOF\n"
    assert pyarrow.parquet.read_table(io.BytesIO(fetch(client, shelf, format="parquet", system=empty))).num_rows == 0


@pytest.mark.parametrize(
    ("chosen", "media_type", "ending"),
    [
        ("csv", "text/csv", "csv"),
        ("jsonl", "application/jsonl", "jsonl"),
        ("parquet", "application/vnd.apache.parquet", "parquet"),
        ("openmetrics", "application/openmetrics-text", "openmetrics"),
    ],
)
def test_an_answer_is_a_named_file(
    client: httpx2.Client, shelf: Shelf, chosen: str, media_type: str, ending: str
) -> None:
    answer = client.get(EXPORT, params={"format": chosen, "from": shelf.from_ms, "to": shelf.to_ms, "metric": CPU})
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["content-disposition"] == f'attachment; filename="beszel-2026-11-22T120000.{ending}"'
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"format": "xlsx"}, "format"),
        ({"metric": "cpu.colour"}, "metric"),
        ({"metric": "cpu["}, "metric"),
        ({"metric": "x" * 9000}, "metric"),
        ({"system": ",".join(map(str, range(1000)))}, "system"),
        ({"from": "yesterday"}, "from"),
        ({"from": str(NOON_MS), "to": str(NOON_MS)}, "from"),
        ({"resolution": "0"}, "resolution"),
        ({"resolution": "1y"}, "resolution"),
        ({"resolution": "9999999d"}, "resolution"),
        ({"after": "x"}, "after"),
        ({"after": "x,1,"}, "after"),
        ({"after": "x,1,cpu.usage_percent", "format": "parquet"}, "after"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(client: httpx2.Client, parameters: dict[str, str], field: str) -> None:
    answer = client.get(EXPORT, params=parameters)
    assert answer.status_code == 400
    assert list(answer.json()["data"]) == [field]


def test_no_more_than_two_at_once(client: httpx2.Client, hub: RunningHub, shelf: Shelf) -> None:
    exports = hub.hub.exports
    plan = Plan(sources=(), from_ms=0, to_ms=1)

    async def hold_two_and_ask(ask: Any) -> Any:
        async def hold(depth: int) -> Any:
            if depth == 0:
                return await ask()
            stream = exports.stream(ANONYMOUS, plan, Format.CSV)
            await anext(stream)
            try:
                return await hold(depth - 1)
            finally:
                await stream.aclose()

        return await hold(2)

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(base_url=hub.url, headers=client.headers, timeout=20) as other:
            return await other.get(EXPORT, params={"from": shelf.from_ms, "to": shelf.to_ms, "metric": CPU})

    refused = hub.call(hold_two_and_ask(ask))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert hub.call(ask()).status_code == 200


def test_a_client_that_leaves_frees_its_place(client: httpx2.Client, hub: RunningHub, shelf: Shelf) -> None:
    for _ in range(5):
        with client.stream("GET", EXPORT, params={"from": shelf.from_ms, "to": shelf.to_ms}) as answer:
            next(answer.iter_raw())
    again: defaultdict[int, int] = defaultdict(int)
    for _ in range(40):
        status = client.get(EXPORT, params={"from": shelf.from_ms, "to": shelf.to_ms, "metric": CPU}).status_code
        again[status] += 1
        if status == 200:
            break
    assert again[200] == 1, dict(again)


def test_metrics_in_order_whatever_is_sealed(client: httpx2.Client, hub: RunningHub, shelf: Shelf) -> None:
    system_id, _ = hub.create_system("hot")
    store(hub, system_id, [(NOON_MS, make_metrics())])
    hot = [row["metric"] for row in read_json_lines(fetch(client, shelf, format="jsonl", system=system_id))]
    sealed = read_json_lines(fetch(client, shelf, format="jsonl", system=shelf.first, to=NOON_MS + 1))
    assert hot == [row["metric"] for row in sealed]
