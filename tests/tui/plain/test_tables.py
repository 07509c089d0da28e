"""The tables of a system without a screen."""

import io
import json
from typing import Any

import pytest

from beszel_protocol.processes import ProcessList
from beszel_protocol.sample import (
    CheckMetrics,
    GpuMetrics,
    GpuProcess,
    Metrics,
    ProcessCounts,
    ProcessMetrics,
    ServiceMetrics,
    ServiceUnitMetrics,
)
from beszel_protocol.storage import ArrayMetrics, SmartMetrics
from beszel_tui.errors import HubRefused
from beszel_tui.plain.tables import TableOrder, print_table
from beszel_tui.state.sheets import BY_KEY, SHEETS
from tests.support.scriptedsource import ScriptedSource, make_row

UP = make_row("web-1")
THINGS = Metrics(
    temperatures={"cpu": 50.0},
    gpus={"0": GpuMetrics(name="RTX", usage_percent=7.0, processes=[GpuProcess(pid=7, name="python")])},
    services=ServiceMetrics(
        units={
            "cron": ServiceUnitMetrics(state="active", sub_state="running", memory_bytes=4 << 20),
            "restic\x1b[2J": ServiceUnitMetrics(state="failed", sub_state="failed", restarts=3),
        }
    ),
    smart={"S1": SmartMetrics(device="sda", severity=0, temperature_celsius=33.0)},
    arrays={"md0": ArrayMetrics(severity=0, level="raid1", members=2)},
    checks={"shop": CheckMetrics(up=1, severity=0, latency_ms=12.5)},
)


def run(key: str, *, as_json: bool = False, sort: str = "", source: ScriptedSource | None = None) -> tuple[int, str]:
    if source is None:
        source = ScriptedSource()
        source.running = ProcessList(
            counts=ProcessCounts(), processes=[ProcessMetrics(pid=1, name="init", cpu_percent=2.0)]
        )
    source.connect()
    source.tell(UP, make_row("nas", status="down"))
    source.sample(UP.id, THINGS)
    out = io.StringIO()
    order = TableOrder(BY_KEY[key], "web", as_json=as_json, sort=sort)
    return print_table(source, order, out), out.getvalue()


def test_services_failed_ones_first() -> None:
    code, text = run("services")
    assert code == 1
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["NAME", "IS", "STATE", "SUB", "MEMORY", "RESTARTS"]
    assert lines[1] == ["restic[2J", "in", "trouble", "failed", "failed", "-", "3"]
    assert lines[2] == ["cron", "well", "active", "running", "4.0M", "-"]


def test_json_has_all_that_is_told() -> None:
    code, text = run("services", as_json=True)
    assert code == 1
    assert "\x1b" not in text
    assert json.loads(text)["services"][1] == {
        "name": "cron", "state": "active", "sub_state": "running", "memory_bytes": 4 << 20, "level": "good",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("processes", {"pid": 1, "name": "init", "cpu_percent": 2.0}),
        ("sensors", {"kind": "temperature", "name": "cpu", "temperature_celsius": 50.0, "level": "good"}),
        ("gpu", {"id": "0", "name": "RTX", "usage_percent": 7.0, "processes": [{"pid": 7, "name": "python"}]}),
        ("checks", {"name": "shop", "severity": 0, "up": 1, "latency_ms": 12.5, "level": "good"}),
    ],
)
def test_every_table_for_scripts(key: str, told: dict[str, Any]) -> None:
    code, text = run(key, as_json=True)
    assert code == 0
    document = json.loads(text)
    assert document["system"] == "web-1"
    assert document[key] == [told]


def test_disks_arrays_and_pools() -> None:
    code, text = run("health")
    assert code == 0
    assert [line.split()[0] for line in text.splitlines()] == ["NAME", "md0", "sda"]
    assert "raid1" in text
    assert "33°C" in text


@pytest.mark.parametrize("key", [sheet.key for sheet in SHEETS])
def test_nothing_to_tell_is_said(key: str) -> None:
    source = ScriptedSource()
    source.running = ProcessList(counts=ProcessCounts(), processes=[])
    source.connect()
    source.tell(UP)
    source.sample(UP.id, Metrics())
    out = io.StringIO()
    assert print_table(source, TableOrder(BY_KEY[key], "web-1"), out) == 0
    assert out.getvalue().startswith("web-1: no ")


@pytest.mark.parametrize("key", [sheet.key for sheet in SHEETS])
def test_every_table_can_be_sorted_by_every_column(key: str) -> None:
    for column in BY_KEY[key].columns:
        assert run(key, sort=column.key)[0] in {0, 1}


def test_what_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("services", sort="nonsense") == (2, "")
    assert "no column 'nonsense': name state" in capsys.readouterr().err
    source = ScriptedSource()
    source.running = HubRefused(503, "The agent of this system is not connected.")
    assert run("processes", source=source) == (2, "")
    assert "not connected" in capsys.readouterr().err
    source = ScriptedSource()
    source.connect()
    source.tell(UP, make_row("nas", status="down"))
    assert print_table(source, TableOrder(BY_KEY["services"], "nas"), io.StringIO()) == 2
    assert "nas is down" in capsys.readouterr().err
