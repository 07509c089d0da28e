import io
import json

import pytest

from beszel_protocol.feed import FleetRow
from beszel_protocol.sample import CpuMetrics, DiskMetrics, MemoryMetrics, Metrics
from beszel_tui.plain import format_json, format_plain, format_sample_line, status, watch
from tests.support.scriptedsource import ScriptedSource, make_row

UP = make_row("web-1", cpu=41.2, load_average=[0.8, 0.5, 0.2], uptime_seconds=86400.0 * 3, recv_bytes_per_second=2048.0)


def run_status(*rows: FleetRow, as_json: bool = True) -> tuple[int, str]:
    source = ScriptedSource()
    source.connect()
    source.tell(*rows)
    out = io.StringIO()
    return status(source, as_json=as_json, out=out), out.getvalue()


@pytest.mark.parametrize(
    ("statuses", "code"),
    [(["up"], 0), (["up", "paused"], 0), (["up", "down"], 1), (["pending"], 1), ([], 0)],
)
def test_exit_status(statuses: list[str], code: int) -> None:
    rows = [make_row(f"s{number}", status=name) for number, name in enumerate(statuses)]
    assert run_status(*rows)[0] == code


def test_json_has_units_in_its_names_and_nothing_unknown() -> None:
    system = json.loads(run_status(UP)[1])["systems"][0]
    assert system["name"] == "web-1"
    assert system["status"] == "up"
    assert system["cpu_percent"] == 41.2
    assert system["recv_bytes_per_second"] == 2048.0
    assert "temperature_celsius" not in system


def test_a_system_that_is_down_has_no_numbers() -> None:
    system = json.loads(format_json([make_row("nas", cpu=55.0, status="down")]))["systems"][0]
    assert system["status"] == "down"
    assert "cpu_percent" not in system
    assert "55" not in format_plain([make_row("nas", cpu=55.0, status="down")])


def test_plain_is_a_table_of_words() -> None:
    text = run_status(UP, make_row("a-long-name", status="down"), as_json=False)[1]
    lines = text.splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "CPU", "MEMORY", "DISK", "RECEIVED", "SENT", "LOAD", "UPTIME"]
    assert lines[1].split()[:2] == ["a-long-name", "down"]
    assert lines[2].split() == ["web-1", "up", "41.2%", "50.0%", "40.0%", "2.0K/s", "-", "0.80", "3d"]
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(("event", "says"), [("lose", "connection refused"), ("refuse", "does not accept the token")])
def test_a_hub_that_cannot_be_reached(event: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = ScriptedSource()
    getattr(source, event)()
    assert status(source, as_json=True, out=io.StringIO()) == 2
    assert says in capsys.readouterr().err


def test_watch_prints_a_line_for_each_sample(capsys: pytest.CaptureFixture[str]) -> None:
    source = ScriptedSource()
    source.connect()
    source.tell(UP)
    source.sample(UP.id, Metrics(cpu=CpuMetrics(usage_percent=12.0)))
    source.lose()
    out = io.StringIO()
    assert watch(source, "web-1", out) == 2
    assert source.watched == UP.id
    assert out.getvalue().startswith("10:24:31  cpu 12.0%")
    assert "connection refused" in capsys.readouterr().err


def test_watch_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    source = ScriptedSource()
    source.tell(UP)
    assert watch(source, "web-9", io.StringIO()) == 2
    assert "no system is called 'web-9'" in capsys.readouterr().err


def test_a_sample_line() -> None:
    metrics = Metrics(
        cpu=CpuMetrics(usage_percent=12.0, load_average=[0.5]),
        memory=MemoryMetrics(usage_percent=70.0),
        disk={"/": DiskMetrics(usage_percent=44.0)},
    )
    assert format_sample_line("2026-11-22T10:30:00.000Z", metrics) == (
        "10:30:00  cpu 12.0%  memory 70.0%  load 0.50  received -  sent -  disk / 44.0%"
    )
