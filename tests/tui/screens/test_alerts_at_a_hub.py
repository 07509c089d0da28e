"""A rule of two conditions made on the screen, as a real hub then has it."""

import asyncio
from pathlib import Path

from beszel_tui.app import BeszelApp
from beszel_tui.context import Context
from beszel_tui.screens.alerts import AlertsScreen
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.form import FormScreen
from beszel_tui.state.alertbook import Condition, Rule
from tests.support.pilotapp import Client, make_settings
from tests.support.runninghub import PASSWORD, RunningHub, running_hub
from tests.support.scriptedsource import ScriptedSource


async def make_rule(home: Path, hub: RunningHub) -> Rule:
    async with asyncio.TaskGroup() as group:
        context = Context(make_settings(home), group)
        await context.login(hub.url, "ada@example.org", PASSWORD)
        app = BeszelApp(context)
        async with app.run_test(size=(120, 45), notifications=True) as pilot:
            client = Client(app, pilot, ScriptedSource())
            await client.until(lambda: isinstance(app.screen, FleetScreen) and app.bridge.state.is_live)
            app.open_alerts(pane="rules")
            await client.until(lambda: isinstance(app.screen, AlertsScreen) and app.bridge.state.book is not None)
            await client.press("n")
            await client.until(lambda: isinstance(app.screen, FormScreen))
            await client.press("down", "down", "down", "right", "right")
            await client.until_text("‹ any of several ›")
            await client.press("down", "right", "down")
            await client.until_text("there is no such condition")
            await client.type("memory.usage_percent")
            await client.press("down", "right", "down")
            await client.type("5")
            await client.press("down")
            await client.type("7.5")
            await client.until_text("2 Memory < 5.0% over 1m")
            await client.press("ctrl+s")
            await client.until(lambda: isinstance(app.screen, AlertsScreen))
            await client.until(lambda: app.bridge.state.book is not None and app.bridge.state.book.rules)
            await client.until_text("or Memory < 5.0%")
            book = app.bridge.state.book
            assert book is not None
            (rule,) = book.rules.values()
        context.stop()
    return rule


def test_a_rule_of_several_conditions_is_stored_as_it_was_typed(tmp_path: Path) -> None:
    with running_hub(tmp_path / "hub") as hub:
        hub.create_user("ada@example.org")
        rule = asyncio.run(make_rule(tmp_path, hub))
        assert (rule.name, rule.match) == ("busy", "any")
        assert rule.conditions == [
            Condition(target="cpu.usage_percent", value=80.0, recover_value=70.0, window_seconds=600),
            Condition(target="memory.usage_percent", comparison="below", value=5.0, recover_value=7.5),
        ]
