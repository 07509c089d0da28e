"""What Prometheus scrapes: the text by itself, over HTTP, and as the programs of Prometheus judge it."""

import subprocess
from typing import Any

import httpx2
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from beszel_hub.export.exposition import Scraped, TextFormat, choose_format, render
from beszel_hub.export.naming import families
from beszel_hub.export.plan import Source
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.systems.queries import set_status
from beszel_protocol.addresses import parse_address
from beszel_protocol.sample import CpuMetrics, Metrics, ServiceMetrics, ServiceUnitMetrics, catalogue
from beszel_protocol.storage import DiskMetrics, SmartMetrics
from tests.support.exports import arrive
from tests.support.runninghub import RunningHub
from tests.support.samples import make_metrics
from tests.support.services import need_program

METRICS = "/api/beszel/metrics"
HOSTILE = 'a"b\\c\nd{e="f"} # HELP {'
PARSERS = {TextFormat.OPENMETRICS: parse_openmetrics, TextFormat.PROMETHEUS: parse_prometheus}


def scraped(metrics: Metrics, name: str = "web", system_id: str = "webwebwebwebweb") -> Scraped:
    return Scraped(source=Source(system_id, name), is_up=True, age_seconds=0.5, metrics=metrics)


def parse(text: bytes, chosen: TextFormat) -> dict[str, Any]:
    return {family.name: family for family in PARSERS[chosen](text.decode())}


def everything() -> Metrics:
    """A number for every metric there is."""
    document: dict[str, Any] = {}
    for pattern in catalogue():
        node: Any = document
        address = parse_address(pattern.replace("[]", "[0]"))
        for step in address[:-1]:
            if step.key is None:
                node = node.setdefault(step.name, {})
            elif step.name == "containers":
                items = node.setdefault(step.name, [{"id": "x", "name": "0"}])
                node = items[0]
            else:
                node = node.setdefault(step.name, {}).setdefault(step.key, {})
        last = address[-1]
        is_list = last.name in {"cores_percent", "load_average"}
        node[last.name] = 1 if last.key is None else [1.0] if is_list else {last.key: 1}
    return msgspec.convert(document, Metrics)


def test_every_metric_has_a_family_of_its_own() -> None:
    names = [family.name for family in families().values()]
    assert families().keys() == catalogue().keys()
    assert len(set(names)) == len(names)
    assert all(family.name.endswith(f"_{family.unit}") for family in families().values() if family.unit)


@pytest.mark.parametrize("chosen", TextFormat)
def test_the_reference_parser_reads_every_metric(chosen: TextFormat) -> None:
    found = parse(render([scraped(everything()), scraped(everything(), "web", "another")], chosen), chosen)
    read = {sample.name for family in found.values() for sample in family.samples}
    assert read >= {family.sample_name for family in families().values()}
    assert all(len(family.samples) == 2 for family in found.values())
    units = {name: family.unit for name, family in found.items()}
    if chosen is TextFormat.OPENMETRICS:
        assert units["beszel_disk_read_bytes"] == "bytes"


def test_promtool_has_nothing_to_complain_of() -> None:
    promtool = need_program("promtool")
    text = render([scraped(everything())], TextFormat.PROMETHEUS)
    finished = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=20)
    assert (finished.returncode, finished.stderr.decode()) == (0, "")


@pytest.mark.parametrize("chosen", TextFormat)
def test_hostile_names_stay_values_of_labels(chosen: TextFormat) -> None:
    metrics = Metrics(disk={HOSTILE: DiskMetrics(usage_percent=7.0)})
    usage = parse(render([scraped(metrics, HOSTILE)], chosen), chosen)["beszel_disk_usage_percent"]
    (sample,) = usage.samples
    assert (sample.labels["disk"], sample.labels["system"], sample.value) == (HOSTILE, HOSTILE, 7.0)


def test_values_are_in_base_units_and_load_is_by_minutes() -> None:
    metrics = Metrics(
        cpu=CpuMetrics(load_average=[1.5, 2.5, 3.5]),
        disk={"/": DiskMetrics(read_await_ms=250.0)},
        smart={"S1": SmartMetrics(power_on_hours=2)},
    )
    found = parse(render([scraped(metrics)], TextFormat.OPENMETRICS), TextFormat.OPENMETRICS)
    assert found["beszel_disk_read_await_seconds"].samples[0].value == 0.25
    assert found["beszel_smart_power_on_seconds"].samples[0].value == 7200
    by_minutes = {sample.labels["minutes"]: sample.value for sample in found["beszel_cpu_load_average"].samples}
    assert by_minutes == {"1": 1.5, "5": 2.5, "15": 3.5}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TextFormat.PROMETHEUS),
        ("text/plain", TextFormat.PROMETHEUS),
        ("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5", TextFormat.OPENMETRICS),
    ],
)
def test_the_scrape_chooses_the_format(accept: str, expected: TextFormat) -> None:
    assert choose_format(accept) is expected


def test_a_scrape_has_the_newest_sample_of_what_is_up(client: httpx2.Client, hub: RunningHub) -> None:
    up, _ = hub.create_system("up")
    old, _ = hub.create_system("old")
    down, _ = hub.create_system("down")
    now_ms = hub.hub.clock()
    for system_id, age_ms in ((up, 0), (old, 3_600_000), (down, 0)):
        arrive(hub, LiveSample(system_id, now_ms - age_ms, now_ms - age_ms, make_metrics(33.0)))
        hub.hub.database.write_now(lambda system_id=system_id: set_status(system_id, "up", now_ms))  # type: ignore[misc]
    hub.hub.database.write_now(lambda: set_status(down, "down", now_ms))
    hub.refresh()
    answer = client.get(METRICS, headers={"Accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    found = parse(answer.content, TextFormat.OPENMETRICS)
    usages = {sample.labels["system"]: sample.value for sample in found["beszel_cpu_usage_percent"].samples}
    assert usages == {"up": 33.0}
    states = {sample.labels["system"]: sample.value for sample in found["beszel_system_up"].samples}
    assert (states["up"], states["old"], states["down"]) == (1, 1, 0)


def test_what_is_told_in_one_sample_only_stays_for_some_minutes(client: httpx2.Client, hub: RunningHub) -> None:
    system_id, _ = hub.create_system("disks")
    now_ms = hub.hub.clock()
    told = [
        (400_000, Metrics(custom={"gone": 1.0})),
        (200_000, Metrics(smart={"OLD": SmartMetrics(severity=0), "S1": SmartMetrics(severity=0)})),
        (60_000, Metrics(smart={"S1": SmartMetrics(severity=1)}, custom={"kept": 2.0})),
        (20_000, Metrics(services=ServiceMetrics(units={"nginx": ServiceUnitMetrics(cpu_percent=3.0)}))),
        (1000, Metrics(services=ServiceMetrics(total=7))),
    ]
    for age_ms, metrics in told:
        arrive(hub, LiveSample(system_id, now_ms - age_ms, now_ms - age_ms, metrics))
    hub.hub.database.write_now(lambda: set_status(system_id, "up", now_ms))
    hub.refresh()
    found = parse(client.get(METRICS).content, TextFormat.PROMETHEUS)
    samples = [sample for sample in found["beszel_smart_severity"].samples if sample.labels["system"] == "disks"]
    assert {sample.labels["device"]: sample.value for sample in samples} == {"S1": 1, "OLD": 0}
    assert [sample.labels["metric"] for sample in found["beszel_custom"].samples] == ["kept"]
    assert [sample.labels["unit"] for sample in found["beszel_services_unit_cpu_percent"].samples] == ["nginx"]
    assert [sample.value for sample in found["beszel_services"].samples] == [7]
