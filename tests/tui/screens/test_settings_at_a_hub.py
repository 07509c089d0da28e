"""A password changed and a session ended on the screen, at a real hub."""

import asyncio
from pathlib import Path

from textual.widgets import Input

from beszel_tui.app import BeszelApp
from beszel_tui.client.session import load_session
from beszel_tui.context import Context
from beszel_tui.screens.dialog import BoxForm
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.login import LoginScreen
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.screens.settings import SettingsScreen
from tests.support.pilotapp import Client, make_settings
from tests.support.runninghub import PASSWORD, RunningHub, running_hub
from tests.support.scriptedsource import ScriptedSource

NEW_PASSWORD = "another battery of horses"


async def visit(home: Path, hub: RunningHub) -> None:
    async with asyncio.TaskGroup() as group:
        context = Context(make_settings(home), group)
        await context.login(hub.url, "ada@example.org", PASSWORD)
        sessions = context.settings.paths.sessions_file
        first = load_session(sessions)
        app = BeszelApp(context)
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            client = Client(app, pilot, ScriptedSource())
            await client.until(lambda: isinstance(app.screen, FleetScreen) and app.bridge.state.is_live)
            await open_account(client)
            await client.press("j", "j", "j", "enter")
            await client.until(lambda: isinstance(app.screen, BoxForm))
            for text in (PASSWORD, NEW_PASSWORD, NEW_PASSWORD):
                await client.until(lambda: isinstance(app.focused, Input) and not app.focused.value)
                await client.type(text)
                await client.press("enter")
            await client.until(lambda: isinstance(app.screen, FleetScreen) and app.bridge.state.is_live)
            second = load_session(sessions)
            assert first is not None
            assert second is not None
            assert first.token != second.token
            await open_account(client)
            await client.press("G", "k", "enter")
            await client.until(lambda: isinstance(app.screen, QuestionScreen))
            await client.press("y")
            await client.until(lambda: isinstance(app.screen, LoginScreen))
            await client.until_text("you are logged out")
            assert load_session(sessions) is None
        context.stop()


async def open_account(client: Client) -> None:
    client.app.run_command("settings account")
    await client.until(lambda: isinstance(client.app.screen, SettingsScreen) and client.app.screen.account)
    await client.until_text("ada@example.org")
    await client.until(lambda: client.app.focused is not None)


def test_a_new_password_begins_a_new_session_and_logging_out_ends_it(tmp_path: Path) -> None:
    with running_hub(tmp_path / "hub") as hub:
        hub.create_user("ada@example.org")
        asyncio.run(visit(tmp_path, hub))
