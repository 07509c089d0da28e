"""Alerts without a screen."""

import io
import json
from collections.abc import Callable

import pytest

from beszel_tui.cli import run_command_line
from beszel_tui.errors import RequestError
from beszel_tui.plain.alerts import AlertOrder, acknowledge, find_alert, follow, list_alerts, snooze
from beszel_tui.state.alertbook import AlertBook
from beszel_tui.state.alerts import AlertView, zone_of
from beszel_tui.state.model import State
from tests.support.alertbook import make_alert
from tests.support.scriptedsource import ScriptedSource, make_row

WEB, NAS = make_row("web-1").id, make_row("nas").id


def make_source(*, fires: bool = True) -> ScriptedSource:
    source = ScriptedSource()
    source.connect()
    source.tell(make_row("web-1"), make_row("nas", status="down"))
    alerts = [make_alert(WEB), make_alert(NAS, "down\x1b[2J", target="status", severity="critical", value=None)]
    source.tell_alerts(*(alerts if fires else []))
    return source


def run(command: Callable[[ScriptedSource, io.StringIO], int], source: ScriptedSource | None = None) -> tuple[int, str]:
    out = io.StringIO()
    return command(source or make_source(), out), out.getvalue()


def test_what_fires_in_a_table_that_names_ids() -> None:
    status, text = run(lambda source, out: list_alerts(source, AlertOrder(), out))
    assert status == 1
    header, worst, other = text.splitlines()
    assert header.split()[:4] == ["ID", "SYSTEM", "IS", "SEVERITY"]
    assert worst.split()[:4] == [make_alert(NAS, "down\x1b[2J").id.replace("\x1b", ""), "nas", "in", "trouble"]
    assert "91.4%" in other
    assert "\x1b" not in text


def test_nothing_fires() -> None:
    status, text = run(lambda source, out: list_alerts(source, AlertOrder(), out), make_source(fires=False))
    assert (status, text) == (0, "nothing fires\n")


@pytest.mark.parametrize(
    ("pane", "part"), [("history", "recovered"), ("rules", "CPU > 80.0%"), ("quiet", "nap"), ("channels", "pager")]
)
def test_every_table_as_words_and_as_json(pane: str, part: str) -> None:
    status, text = run(lambda source, out: list_alerts(source, AlertOrder(pane), out))
    assert status == 0
    assert part in text
    _, document = run(lambda source, out: list_alerts(source, AlertOrder(pane, as_json=True), out))
    assert part in document
    assert all(isinstance(row, dict) for row in json.loads(document)[pane])


def test_only_of_one_system() -> None:
    _, document = run(lambda source, out: list_alerts(source, AlertOrder(system="web", as_json=True), out))
    (alert,) = json.loads(document)["active"]
    assert (alert["system"], alert["value"], alert["unit"]) == ("web-1", 91.4, "percent")
    status, _ = run(lambda source, out: list_alerts(source, AlertOrder(system="none"), out))
    assert status == 2


def test_an_alert_is_acknowledged_by_its_system_or_id() -> None:
    for name in ("web-1", make_alert(WEB).id[:12]):
        source = make_source()
        status, text = run(lambda source, out, name=name: acknowledge(source, name, out), source)  # type: ignore[misc]
        assert (status, text) == (0, "acknowledged: web-1  busy\n")
        assert source.alerts.acknowledged == [make_alert(WEB).id]


def test_an_alert_is_snoozed() -> None:
    source = make_source()
    status, text = run(lambda source, out: snooze(source, "web-1", "4h", out), source)
    assert (status, text) == (0, "snoozed for 4h: web-1  busy\n")
    (saved,) = source.alerts.saved
    assert (saved[0], saved[2]["rule"]) == ("quiet", "rulebusy")
    status, _ = run(lambda source, out: snooze(source, "web-1", "soon", out))
    assert status == 2


def test_following_tells_what_happens_until_the_hub_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    source = make_source(fires=False)
    source.tell_alerts(make_alert(WEB, text="CPU at 91.4%"))
    source.tell_alerts(make_alert(WEB, acknowledged=True))
    source.tell_alerts(make_alert(WEB, acknowledged=True, severity="critical"))
    source.tell_alerts(removed=[make_alert(WEB).id])
    source.lose()
    status, text = run(follow, source)
    assert status == 2
    assert "cannot be reached" in capsys.readouterr().err
    words = [line.split("  ", 1)[1] for line in text.splitlines()]
    assert words == [
        "fires  warning  web-1  busy: CPU at 91.4%",
        "acknowledged  web-1  busy",
        "escalated  critical  web-1  busy",
        "over  web-1  busy",
    ]


def test_which_alert_is_meant() -> None:
    alerts = {alert.id: alert for alert in (make_alert(WEB), make_alert(WEB, "disk"))}
    view = AlertView(State(alerts=alerts, systems={WEB: make_row("web-1")}), AlertBook(), zone_of(""))
    assert find_alert(view, "alertdisk").name == "disk"
    for name, reason in (("web-1", "may be any of"), ("nothing", "no alert that fires"), ("", "no alert that fires")):
        with pytest.raises(RequestError, match=reason):
            find_alert(view, name)


@pytest.mark.parametrize(
    "arguments",
    [["ack"], ["sing"], ["follow", "x"], ["--rules", "--history"], ["ack", "x", "--rules"], ["--json", "--plain"]],
)
def test_what_makes_no_sense_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["alerts", *arguments]) == 2
    assert "Usage" in capsys.readouterr().err
