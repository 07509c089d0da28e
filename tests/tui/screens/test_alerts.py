"""The screen of alerts: what fires, is acknowledged, snoozed, made, changed, deleted and tried."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Static

from beszel_protocol.timestamps import format_timestamp
from beszel_tui.screens.alerts import AlertsScreen
from beszel_tui.screens.form import FormScreen
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.state.alertbook import Account, AlertBook, Trial, TrialStep
from beszel_tui.widgets.lines_field import LinesField
from tests.support.alertbook import FULL_BOOK, ME, make_alert, make_book, make_rule
from tests.support.pilotapp import FLEET, Client, running_client
from tests.support.scriptedsource import NOW_MS, make_row

WEB, NAS = make_row("web-1").id, make_row("nas").id
DOWN = make_alert(NAS, "down", target="status", severity="critical", value=None, peak=None, threshold=None)
HOSTILE = "\x1b]0;owned\x07[red]x[/]\u202e" + "y" * 10_000


@contextlib.asynccontextmanager
async def alerted_client(
    home: Path, pane: str = "active", size: tuple[int, int] = (160, 45), **flags: bool
) -> AsyncIterator[Client]:
    """With two alerts, at a pane of their screen, once the hub has told everything."""
    async with running_client(home, size=size, **flags) as client:
        client.source.tell_alerts(make_alert(WEB), DOWN)
        await client.until(lambda: client.app.bridge.state.alerts)
        client.app.open_alerts(pane=pane)
        await client.until(lambda: client.app.bridge.state.book is not None and screen_of(client).panel.rows)
        await client.settle()
        yield client


def screen_of(client: Client) -> AlertsScreen:
    screen = client.app.screen
    assert isinstance(screen, AlertsScreen), screen
    return screen


async def at_line(client: Client, name: str) -> None:
    """Put the cursor there."""
    row = next(row for row in screen_of(client).panel.rows if row.name == name)
    await client.until(lambda: row.key in screen_of(client).panel.table.visible_ids)
    screen_of(client).panel.table.move_cursor(row.key)


def said(client: Client) -> str:
    """What the form on the screen complains about."""
    lines = client.app.screen.query("#says, .wrong").results(Static)
    return "".join(str(line.content) for line in lines)


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


def test_a_rule_is_made_from_a_template(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules") as client:
            await client.press("n")
            await client.until_text("New rule")
            await client.until_text("CPU > 80.0% over 10m")
            await client.press("right", "right")
            await client.until_text("Disk > 90.0%, each Disk by itself")
            await client.press("ctrl+s")
            await client.until(lambda: isinstance(client.app.screen, AlertsScreen))
            kind, record_id, values = client.source.alerts.saved[0]
            assert (kind, record_id, values["name"]) == ("rules", None, "disk nearly full")
            assert values["conditions"][0]["target"] == "disk[*].usage_percent"
            assert (values["severity"], values["system"], values["tag"]) == ("critical", "", "")
            await client.until(lambda: client.source.alerts.reads >= 2)

    asyncio.run(main())


@pytest.mark.parametrize("size", [(160, 45), (60, 16)])
def test_conditions_are_added_changed_and_taken_out(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules", size) as client:
            await client.press("n", "down", "down", "down", "right")
            await client.until_text("‹ all of several ›")
            await client.press("down", "right")
            await client.until_text("‹ one more ›")
            if size[1] > 16:
                await client.until_text("there is no such condition")
            await client.press("down")
            await client.type("temperature")
            await client.press("down", "down")
            await client.type("75")
            await client.press("up", "up", "up")
            await client.until_text("2 of 2: Temperature > 75")
            await client.press("left")
            await client.until_text("1 of 2: CPU > 80.0%")
            assert client.fills(size[0])
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            _, _, values = client.source.alerts.saved[0]
            assert values["match"] == "all"
            assert [(held["target"], held["value"]) for held in values["conditions"]] == [
                ("cpu.usage_percent", 80.0), ("temperature", 75.0),
            ]  # fmt: skip

    asyncio.run(main())


@pytest.mark.parametrize("size", [(160, 45), (60, 16)])
def test_a_template_of_several_lines_is_typed(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "channels", size) as client:
            await at_line(client, "mail")
            await client.press("e", *["down"] * 11)
            await client.until(lambda: isinstance(client.app.focused, LinesField))
            await client.press(*"${sytem}", "enter", *"now")
            await client.press("ctrl+s")
            await client.until(lambda: said(client).startswith("There is no field sytem"))
            await client.press("up", "home", "right", "right", "right", "right", "s")
            assert not said(client)
            await client.press("down", "down")
            await client.until(lambda: not isinstance(client.app.focused, LinesField))
            await client.press("up", "tab")
            await client.until(lambda: not isinstance(client.app.focused, LinesField))
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            assert client.source.alerts.saved[0][2]["template"] == "${system}\nnow"

    asyncio.run(main())


def test_a_set_that_the_hub_has_ready_is_made(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules") as client:
            await client.press("N")
            await client.until_text("of every host: System down, CPU busy")
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            assert client.source.alerts.saved == [("sets", None, {"template": "host", "system": "", "tag": ""})]

    asyncio.run(main())


def test_a_form_says_what_is_wrong_and_stays(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules", (60, 16)) as client:
            await client.press("n", "down")
            await client.press("ctrl+u", "ctrl+s")
            await client.until(lambda: said(client) == "a rule needs a name")
            await client.type("mine")
            await client.until(lambda: not said(client))
            client.source.alerts.problem = "conditions: nonsense"
            await client.press("ctrl+s")
            await client.until(lambda: said(client) == "conditions: nonsense")
            assert isinstance(client.app.screen, FormScreen)
            await client.press("escape")
            screen_of(client)
            assert not client.source.alerts.saved

    asyncio.run(main())


def test_a_rule_is_turned_off_changed_and_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules") as client:
            await at_line(client, "busy")
            await client.press("o")
            await client.until(lambda: client.source.alerts.saved == [("rules", "rulebusy", {"enabled": False})])
            await client.press("e")
            await client.until_text("Rule busy")
            await client.press("ctrl+s")
            await client.until(lambda: len(client.source.alerts.saved) == 2)
            assert client.source.alerts.saved[1][1] == "rulebusy"
            await client.press("D")
            assert isinstance(client.app.screen, QuestionScreen)
            await client.press("escape", "D", "y")
            await client.until(lambda: client.source.alerts.deleted == [("rules", "rulebusy")])
            await client.until(lambda: [row.name for row in screen_of(client).panel.rows] == ["disk full"])

    asyncio.run(main())


def test_what_is_not_ones_own_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules") as client:
            await at_line(client, "disk full")
            for key in ("e", "o", "D"):
                await client.press(key)
                await client.until_text("in the hub's file of rules")
                screen_of(client)
            assert not client.source.alerts.saved
            client.source.alerts.book = make_book(make_rule(user=""))
            client.source.tell_alerts()
            await client.until(lambda: len(screen_of(client).panel.rows) == 1)
            await client.press("e")
            await client.until_text("for an administrator")
            client.source.alerts.book = make_book(make_rule(user=""), account=Account(id=ME, is_admin=True))
            client.source.tell_alerts()
            await client.until(lambda: screen_of(client).view.book.account.is_admin)
            await client.press("e")
            assert isinstance(client.app.screen, FormScreen)

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


def test_quiet_hours_are_made_by_a_clock_on_the_wall(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "quiet") as client:
            await client.press("n")
            await client.until_text("Time zone")
            await client.press("right")
            await client.until_text("sat sun")
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            _, _, values = client.source.alerts.saved[0]
            assert (values["type"], values["days"]) == ("weekly", ["sat", "sun"])
            await at_line(client, "later")
            await client.press("e")
            await client.until_text("2026-11-22")
            await client.press("ctrl+s")
            await client.until(lambda: len(client.source.alerts.saved) == 2)
            assert client.source.alerts.saved[1][:2] == ("quiet", "quiet2")
            assert client.source.alerts.saved[1][2]["type"] == "one-time"

    asyncio.run(main())


def test_a_rule_is_tried_on_the_past(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules", (60, 16)) as client:
            await at_line(client, "busy")
            await client.press("t")
            await client.until_text("CPU > 80.0%")
            await client.press("ctrl+u")
            await client.type("web-1")
            await client.press("ctrl+s")
            await client.until_text("There are no samples of that time.")
            assert client.source.alerts.tried == [f"rulebusy {WEB} 86400"]
            steps = [TrialStep(at="2026-11-22T10:00:00.000Z", kind="fired", text=f"CPU \x1b {n}") for n in range(30)]
            client.source.alerts.trial = Trial(fired=30, samples=900, steps=steps)
            await client.press("ctrl+s")
            await client.until_text("It would have fired 30 times.")
            assert "\x1b" not in client.text()
            client.source.alerts.problem = "this cannot be tried"
            await client.press("ctrl+s")
            await client.until(lambda: said(client) == "this cannot be tried")

    asyncio.run(main())


def test_a_channel_is_tried_and_the_truth_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "channels") as client:
            await at_line(client, "pager")
            client.source.alerts.test_result = "the host is not allowed"
            await client.press("t")
            await client.until_text("pager did not take it: the host is not allowed")
            client.source.alerts.test_result = ""
            await client.press("t")
            await client.until_text("pager has taken it")
            assert client.source.alerts.tried == ["channel2"] * 2

    asyncio.run(main())


def test_where_a_channel_leads_is_only_ever_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "channels") as client:
            await at_line(client, "mail")
            await client.press("e")
            await client.until_text("unchanged: ops@example.net")
            await client.press("ctrl+s")
            await client.until(lambda: client.source.alerts.saved)
            assert "url" not in client.source.alerts.saved[0][2]
            await client.press("n")
            await client.until_text("New channel")
            await client.type("mine")
            await client.press("enter", "enter", "ctrl+s")
            await client.until(lambda: said(client).startswith("where to?"))
            await client.type("a@example.net")
            await client.press("ctrl+s")
            await client.until(lambda: len(client.source.alerts.saved) == 2)
            _, record_id, values = client.source.alerts.saved[1]
            assert (record_id, values["name"], values["kind"], values["url"]) == (
                None,
                "mine",
                "email",
                "a@example.net",
            )

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


def test_a_rule_for_the_marked_systems_is_one_for_each(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.fleet.table.move_cursor(WEB)
            await client.press("space", "space", "W")
            await client.until_text("the 2 marked systems")
            await client.press("ctrl+s")
            await client.until(lambda: len(client.source.alerts.saved) == 2)
            systems = {values["system"] for _, _, values in client.source.alerts.saved}
            assert systems == {WEB, make_row("web-2").id}

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


def test_reading_that_fails_is_said_and_what_was_read_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with alerted_client(tmp_path, "rules") as client:
            client.source.alerts.read_problem = "the hub does not answer"
            client.source.tell_alerts()
            await client.until_text("the hub does not answer")
            assert "busy" in client.text()
            assert len(screen_of(client).panel.rows) == len(FULL_BOOK.rules)

    asyncio.run(main())


def test_nothing_is_made_before_the_hub_has_told_what_it_has(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            told = asyncio.Event()
            read = client.source.alerts.read

            async def read_late() -> AlertBook:
                await told.wait()
                return await read()

            client.source.alerts.read = read_late  # type: ignore[method-assign]
            client.app.open_alerts(pane="rules")
            await client.until(lambda: isinstance(client.app.screen, AlertsScreen))
            await client.press("n")
            await client.until_text("the hub is still telling")
            told.set()
            await client.until(lambda: client.app.bridge.state.book is not None)
            await client.settle()
            await client.press("n")
            await client.until_text("New rule")

    asyncio.run(main())
