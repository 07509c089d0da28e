"""More than one hub: going over to another, and all at once."""

import asyncio
from pathlib import Path

from textual.widgets import Input

from beszel_protocol.feed import FleetRow
from beszel_tui.app import BeszelApp
from beszel_tui.bridge import SLOW_SECONDS
from beszel_tui.client.session import Session, save_session
from beszel_tui.client.several import SeveralHubs
from beszel_tui.context import Context
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.login import LoginScreen
from tests.support.pilotapp import Client, make_settings, running_client
from tests.support.scriptedsource import ScriptedSource, make_row

CONFIG = """
[profiles.home]
hub = "http://127.0.0.1:9"
[profiles.work]
hub = "http://127.0.0.1:10"
token_file = "{token}"
"""


def write_config(home: Path) -> None:
    folder = home / ".config" / "beszel-tui"
    folder.mkdir(parents=True)
    (folder / "token").write_text("secret")
    (folder / "config.toml").write_text(CONFIG.format(token=folder / "token"))


def test_going_over_to_another_hub(tmp_path: Path) -> None:
    write_config(tmp_path)

    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.app.run_command("hub nowhere")
            await client.until_text("hubs: all home work")
            client.app.run_command("hub work")
            await client.until_text("127.0.0.1:10")
            await client.until(lambda: isinstance(client.app.screen, FleetScreen))
            assert [hub.name for hub in client.app.known_hubs() if hub.is_current] == ["work"]
            client.app.run_command("hub home")
            await client.until(lambda: isinstance(client.app.screen, LoginScreen))
            await client.until(lambda: client.app.screen.query_one("#hub", Input).value == "http://127.0.0.1:9")

    asyncio.run(main())


def test_what_is_known_of_hubs(tmp_path: Path) -> None:
    write_config(tmp_path)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            settings = make_settings(tmp_path, all_hubs=True)
            save_session(settings.paths.sessions_file, Session(hub="https://x.example", token="t", identity="ada"))
            context = Context(settings, group)
            assert [hub.name for hub in context.known_hubs()] == ["all", "home", "work", "https://x.example"]
            assert context.open_known()
            assert isinstance(context.source, SeveralHubs)
            assert context.source.label == "1 hub"
            assert "home is left out" in context.notices[0]
            context.stop()

    asyncio.run(main())


async def running_both(home: Path) -> None:
    sources = {"home": ScriptedSource(), "work": ScriptedSource()}
    rows: dict[str, FleetRow] = {"home": make_row("web", cpu=11.0), "work": make_row("web", cpu=22.0)}
    for name, source in sources.items():
        source.connect()
        source.tell(rows[name])
    async with asyncio.TaskGroup() as group:
        settings = make_settings(home, all_hubs=True)
        context = Context(settings, group, source=SeveralHubs(sources), clock=sources["home"].clock)
        app = BeszelApp(context)
        async with app.run_test(size=(160, 45), notifications=True) as pilot:
            client = Client(app, pilot, sources["home"])
            await client.until(lambda: isinstance(app.screen, FleetScreen) and len(client.names) == 2)
            for text in ("HUB", "home", "work", "11.0%", "22.0%", "2 hubs"):
                await client.until_text(text)
            client.fleet.set_filter("hub:work")
            await client.until(lambda: "11.0%" not in client.text())
            client.fleet.clear_filter()
            await client.until_text("11.0%")
            sources["work"].lose()
            await client.until_text("1 of 2 hubs live")
            client.fleet.set_filter("hub:work")
            await client.until(lambda: "11.0%" not in client.text())
            client.fleet.table.focus()
            await client.press("p")
            await client.until(lambda: sources["work"].paused == [(rows["work"].id, True)])
            assert sources["home"].paused == []
        context.stop()


def test_all_hubs_at_once(tmp_path: Path) -> None:
    write_config(tmp_path)
    asyncio.run(running_both(tmp_path))


def test_slow_gathers_for_longer_once_there_is_something_to_see(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, slow=True) as client:
            await client.until_text("41.2%")
            assert client.app.bridge.pace_seconds == SLOW_SECONDS
        async with running_client(tmp_path) as client:
            assert client.app.bridge.pace_seconds < 1

    asyncio.run(main())
