"""Rules on the screen of alerts: made, changed, turned off, deleted, tried, and left alone if they are another's."""

import asyncio
from pathlib import Path

import pytest

from beszel_tui.screens.alerts import AlertsScreen
from beszel_tui.screens.form import FormScreen
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.state.alertbook import Account, AlertBook, Trial, TrialStep
from tests.support.alertbook import FULL_BOOK, ME, make_book, make_rule
from tests.support.alertscreen import WEB, alerted_client, at_line, said, screen_of
from tests.support.pilotapp import running_client
from tests.support.scriptedsource import make_row


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
