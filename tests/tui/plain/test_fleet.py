import io
import json

import pytest

from beszel_protocol.feed import FleetRow
from beszel_protocol.sample import CpuMetrics, MemoryMetrics, Metrics
from beszel_protocol.storage import DiskMetrics
from beszel_protocol.units import Style
from beszel_tui.plain.fleet import ChartOrder, chart, format_json, format_plain, format_sample_line, status, watch
from beszel_tui.state.series import Columns, Lane
from beszel_tui.state.windows import Window
from tests.support.scriptedsource import NOW_MS, ScriptedSource, make_row

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


def test_watch_prints_a_document_for_each_sample() -> None:
    source = ScriptedSource()
    source.connect()
    source.tell(UP)
    for usage in (12.0, 13.0):
        source.sample(UP.id, Metrics(cpu=CpuMetrics(usage_percent=usage)))
    source.lose()
    out = io.StringIO()
    assert watch(source, "web", out, as_json=True) == 2
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["system"], first["system_id"], first["metrics"]) == ("web-1", UP.id, {"cpu": {"usage_percent": 12.0}})
    assert first["timestamp"].startswith("2026-11-22T10:24:31")
    assert second["metrics"]["cpu"]["usage_percent"] == 13.0


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


HOUR = Window(name="1h", span_ms=3_600_000)
ADDRESS = "cpu.usage_percent"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def history_of(value: float | None) -> Columns:
    times = tuple(NOW_MS - 3_600_000 + minute * 60_000 for minute in range(60))
    return Columns(resolution_ms=60_000, timestamps_ms=times, lanes={ADDRESS: Lane.exact((value,) * 60)})


def run_chart(
    source: ScriptedSource,
    system: str = "web-1",
    metrics: str = ADDRESS,
    *,
    colour: bool = True,
    terminal: bool = False,
) -> tuple[int, str]:
    out = Terminal() if terminal else io.StringIO()
    order = ChartOrder(system, metrics, HOUR, (60, 12), Style(), "braille", colour)
    return chart(source, order, out), out.getvalue()


def source_with(value: float | None) -> ScriptedSource:
    source = ScriptedSource()
    source.connect()
    source.tell(UP, make_row("nas"))
    source.history = history_of(value)
    return source


def test_a_chart_of_the_hour_by_the_clock_of_the_hub() -> None:
    source = source_with(41.0)
    code, text = run_chart(source, "we")
    assert code == 0
    assert text.startswith("web-1 · CPU (percent)\n")
    assert len(text.splitlines()) == 12
    assert "\x1b" not in text
    assert source.asked == [(UP.id, (ADDRESS,), NOW_MS - 3_600_000, NOW_MS, 60)]


def test_a_chart_has_colour_only_on_a_terminal_that_wants_it() -> None:
    assert "\x1b[" in run_chart(source_with(41.0), terminal=True)[1]
    assert "\x1b" not in run_chart(source_with(41.0), terminal=True, colour=False)[1]


@pytest.mark.parametrize("history", [history_of(None), Columns(resolution_ms=1000)])
def test_a_chart_of_nothing(history: Columns) -> None:
    source = source_with(None)
    source.history = history
    assert run_chart(source) == (1, "web-1: no readings of CPU in the last 1h\n")


@pytest.mark.parametrize(
    ("system", "metrics", "says"),
    [
        ("db", ADDRESS, "no system is called 'db'"),
        ("web-1", "cpu.speed", "no metric is called 'cpu.speed'"),
        ("web-1", f"{ADDRESS},memory.used_bytes", "one unit"),
    ],
)
def test_a_chart_that_cannot_be(system: str, metrics: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_chart(source_with(41.0), system, metrics) == (2, "")
    complaint = capsys.readouterr().err
    assert says in complaint
    assert complaint.count("\n") == 1


def test_a_chart_that_the_hub_does_not_give(capsys: pytest.CaptureFixture[str]) -> None:
    source = source_with(41.0)
    source.history = None
    assert run_chart(source) == (2, "")
    assert "no history here" in capsys.readouterr().err
