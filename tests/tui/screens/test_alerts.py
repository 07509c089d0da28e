"""The screen of alerts: what fires, how it is acknowledged and snoozed, and how one gets there."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from beszel_protocol.timestamps import format_timestamp
from beszel_tui.screens.alerts import AlertsScreen
from tests.support.alertbook import make_alert, make_book, make_rule
from tests.support.alertscreen import DOWN, NAS, WEB, alerted_client, at_line, said, screen_of
from tests.support.pilotapp import FLEET, running_client
from tests.support.scriptedsource import NOW_MS, make_row

HOSTILE = "\x1b]0;owned\x07[red]x[/]\u202e" + "y" * 10_000


def test_the_fleet_counts_alerts_and_marks_systems(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            assert "alert" not in client.lines()[0]
            client.source.tell_alerts(make_alert(WEB), make_alert(WEB, "disk"), DOWN)
            await client.until_text("3 ⚠ alerts")
            line = next(line for line in client.lines() if "web-1" in line)
            assert "web-1 ⚠2" in " ".join(line.split()) or "⚠2" in line
            client.source.tell_alerts(removed=[make_alert(WEB, "disk").id, DOWN.id])
            await client.until_text("1 ⚠ alert ")
            client.source.tell_alerts(replace(make_alert(WEB), acknowledged=True))
            await client.until(lambda: "alert" not in client.lines()[0])

    asyncio.run(main())


@pytest.mark.parametrize(("width", "height"), [(160, 45), (80, 24), (60, 16)])
def test_alerts_from_anywhere_at_every_size(tmp_path: Path, width: int, height: int) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(width, height)) as client:
            client.source.tell_alerts(make_alert(WEB), DOWN)
            await client.until(lambda: client.app.bridge.state.alerts)
            await client.press("a")
            for part in ("Active 2", "Rules", "91.4%", "x acknowledge", "z snooze", "? help"):
                await client.until_text(part)
            assert client.fills(width)
            for part in ("web-1", "disk full", "nap", "pager"):
                await client.press("tab")
                await client.until_text(part)
                assert client.fills(width)
            await client.press("escape")
            await client.until(lambda: client.fleet.is_current)

    asyncio.run(main())


def test_an_alert_is_acknowledged_by_a_key(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path) as client:
            await at_line(client, "web-1")
            await client.press("x")
            await client.until(lambda: client.source.alerts.acknowledged == [make_alert(WEB).id])
            client.source.tell_alerts(replace(make_alert(WEB), acknowledged=True))
            await client.until(lambda: screen_of(client).panel.rows[0].values["note"] == "acknowledged")
            client.source.alerts.problem = "The hub has no room."
            await client.press("x")
            await client.until_text("The hub has no room.")

    asyncio.run(main())


def test_marked_alerts_are_acknowledged_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path) as client:
            seen = replace(make_alert(WEB, "hot"), acknowledged=True)
            client.source.tell_alerts(make_alert(WEB, "disk"), seen)
            await client.until(lambda: len(screen_of(client).panel.table.visible_ids) == 4)
            await client.press("g", "space", "space", "space", "space")
            assert len(screen_of(client).panel.table.marked) == 4
            assert client.fills(160)
            client.source.alerts.over.add(DOWN.id)
            await client.press("x")
            await client.until_text("acknowledged: 2 of 3 alerts")
            await client.until_text("down: it is over")
            assert set(client.source.alerts.acknowledged) == {make_alert(WEB).id, make_alert(WEB, "disk").id}
            assert not screen_of(client).panel.table.marked
            await client.press("g", "space", "tab", "shift+tab")
            assert not screen_of(client).panel.table.marked
            await client.press("space", "escape")
            assert not screen_of(client).panel.table.marked
            screen_of(client)

    asyncio.run(main())


def test_marked_alerts_are_snoozed_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path) as client:
            again = replace(make_alert(WEB), id="the same rule again")
            client.source.tell_alerts(make_alert(WEB, "disk"), again)
            await client.until(lambda: len(screen_of(client).panel.table.visible_ids) == 4)
            await client.press("g", "space", "space", "space", "space", "z")
            await client.until_text("Snooze 4 alerts")
            await client.press("down", "enter")
            saved = client.source.alerts.saved
            await client.until(lambda: len(saved) == 3)
            assert {(kind, record_id) for kind, record_id, _ in saved} == {("quiet", None)}
            alerts = (make_alert(WEB), make_alert(WEB, "disk"), DOWN)
            assert {(values["system"], values["rule"]) for _, _, values in saved} == {
                (alert.system, alert.rule) for alert in alerts
            }
            await client.until(lambda: not screen_of(client).panel.table.marked)

    asyncio.run(main())


def test_an_alert_is_snoozed_for_a_while_or_any_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path) as client:
            await at_line(client, "web-1")
            await client.press("z")
            await client.until_text("Snooze busy of web-1")
            await client.press("right", "ctrl+s")
            await client.until(lambda: isinstance(client.app.screen, AlertsScreen))
            kind, record_id, values = client.source.alerts.saved[0]
            assert (kind, record_id, values["type"], values["rule"], values["system"]) == (
                "quiet", None, "one-time", "rulebusy", WEB,
            )  # fmt: skip
            assert values["end"] == format_timestamp(NOW_MS + 4 * 3_600_000)
            await client.press("z", "left", "left", "enter")
            await client.until_text("How long")
            await client.type("soon")
            await client.press("enter")
            await client.until(lambda: "a time such as" in said(client))
            await client.press("ctrl+u")
            await client.type("90m")
            await client.press("enter")
            await client.until(lambda: len(client.source.alerts.saved) == 2)
            assert client.source.alerts.saved[1][2]["end"] == format_timestamp(NOW_MS + 5_400_000)

    asyncio.run(main())


def test_enter_opens_the_system_at_the_tab_of_what_fires(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path) as client:
            await at_line(client, "web-1")
            await client.press("enter")
            assert client.system.tab.key == "cpu"
            assert client.source.watched == WEB

    asyncio.run(main())


def test_a_client_that_only_reads_has_no_keys_that_change(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, read_only=True) as client:
            await client.until_text("91.4%")
            await client.press("x", "z")
            for number in "2345":
                await client.press(number, "n", "o", "t", "D", "e")
                screen_of(client)
                assert "delete" not in client.lines()[-1]
            desk = client.source.alerts
            assert [*desk.acknowledged, *desk.saved, *desk.deleted, *desk.tried] == []

    asyncio.run(main())


def test_empty_panes_teach(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.alerts.book = make_book()
            client.app.open_alerts()
            await client.until_text("waiting for the hub…")
            client.source.tell_alerts()
            for text in ("nothing fires", "nothing has fired yet", "no rules", "no quiet hours", "nobody is told"):
                await client.until_text(text)
                await client.press("tab")

    asyncio.run(main())


def test_offline_the_alerts_stay_and_say_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path) as client:
            client.source.lose()
            await client.until_text("offline since")
            assert "91.4%" in client.text()
            reads = client.source.alerts.reads
            client.source.connect()
            client.source.tell_alerts(make_alert(NAS))
            await client.until(lambda: [row.name for row in screen_of(client).panel.rows] == ["nas"])
            await client.until(lambda: client.source.alerts.reads > reads)

    asyncio.run(main())


def test_hostile_names_are_text(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, make_row("web-1"), size=(80, 24)) as client:
            client.source.alerts.book = make_book(make_rule(HOSTILE, id="r"))
            client.source.tell_alerts(make_alert(WEB, HOSTILE, id="a", target="disk[" + HOSTILE + "].usage_percent"))
            await client.press("a")
            await client.until_text("[red")
            assert client.fills(80)
            await client.press("3")
            await client.until_text("owned[")
            await client.press("e")
            await client.until_text("Rule ")
            assert "\x1b" not in client.text()
            assert client.fills(80)

    asyncio.run(main())


def test_the_command_line_opens_panes_and_filters_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path) as client:
            client.app.run_command("alerts rules")
            await client.until(lambda: screen_of(client).pane.key == "rules")
            client.app.run_command("filter tells:file")
            await client.until_text("1 of 2")
            await client.press("escape")
            await client.until(lambda: "1 of 2" not in client.text())
            client.app.run_command("alerts nonsense")
            await client.until_text("alerts: active history rules quiet channels")

    asyncio.run(main())


def test_of_the_open_system_and_of_all_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, *FLEET) as client:
            client.source.tell_alerts(make_alert(WEB), DOWN)
            await client.until(lambda: client.app.bridge.state.alerts)
            client.app.open_system(WEB)
            await client.press("a")
            await client.until_text("of web-1")
            await client.until(lambda: [row.name for row in screen_of(client).panel.rows] == ["web-1"])
            await client.press("a")
            await client.until(lambda: len(screen_of(client).panel.rows) == 2)
            await at_line(client, "web-1")
            await client.press("enter")
            assert client.system.tab.key == "cpu"
            await client.press("escape")
            await client.until(lambda: client.fleet.is_current)

    asyncio.run(main())


def test_the_tab_of_a_system_has_all_about_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.tell_alerts(make_alert(WEB), DOWN)
            await client.until(lambda: client.app.bridge.state.alerts)
            client.app.open_system(WEB)
            await client.press("shift+tab")
            for part in ("fires", "rule", "was", "91.4%", "CPU > 80.0%", "recovered"):
                await client.until_text(part)
            await client.press("slash")
            await client.type("kind:was")
            await client.until_text("1 of 4")

    asyncio.run(main())
