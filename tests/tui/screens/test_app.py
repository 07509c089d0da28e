"""What is common to all screens: help, palette, command line, themes, login, leaving."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from rich.color import Color
from textual import events

from beszel_tui.app import BeszelApp
from beszel_tui.bindings.groups import GROUPS
from beszel_tui.bridge import AWAY_PACE_SECONDS
from beszel_tui.client.session import Session, load_session, save_session
from beszel_tui.context import Context
from beszel_tui.errors import Unauthorized
from beszel_tui.screens.base import BEAT_MS
from beszel_tui.screens.help import HelpScreen
from beszel_tui.screens.login import LoginScreen
from beszel_tui.screens.themes import ThemesScreen
from beszel_tui.state.model import State
from tests.support.pilotapp import FLEET, Client, make_settings, running_client
from tests.support.scriptedsource import ScriptedSource, make_row


def test_help_names_every_key_of_the_screen(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(100, 120)) as client:
            await client.press("question_mark")
            await client.until(lambda: isinstance(client.app.screen, HelpScreen))
            await client.until_text("The line above")
            for group in ("This table", "Fleet", "Everywhere"):
                for binding in GROUPS[group]:
                    assert binding.tooltip[:40] in client.text(), binding.id
            assert "Time cursor" not in client.text()
            await client.press("escape")
            await client.until(lambda: client.fleet)
            await client.press("enter", "f1")
            await client.until_text("Time cursor to the left")

    asyncio.run(main())


def test_help_scrolls_on_a_small_screen(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(60, 16)) as client:
            await client.press("question_mark")
            await client.until_text("The line above")
            await client.press("pagedown", "pagedown")
            await client.until(lambda: "The line above" not in client.text())

    asyncio.run(main())


def test_the_palette_finds_systems_actions_and_commands(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("ctrl+p")
            await client.type("nas")
            await client.until_text("open the system")
            await client.settle()
            await client.press("enter")
            await client.until(lambda: client.source.watched == FLEET[3].id)
            await client.press("ctrl+p")
            await client.type("theme paper")
            await client.until_text("Change the colours")
            await client.settle()
            await client.press("enter")
            await client.until(lambda: client.app.theme == "paper")
            await client.press("ctrl+p")
            await client.type("choose a theme")
            await client.until_text("key T")
            await client.settle()
            await client.press("enter")
            await client.until(lambda: isinstance(client.app.screen, ThemesScreen))

    asyncio.run(main())


def test_the_palette_has_commands_without_an_argument_everywhere(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("enter")
            await client.until(lambda: client.source.watched is not None)
            await client.press("ctrl+p")
            await client.type("add")
            await client.until_text("Add a system")
            await client.press("escape")
            await client.press("ctrl+p")
            await client.type("fleet")
            await client.until_text("Back to the fleet")
            await client.settle()
            await client.press("enter")
            await client.until(lambda: client.app.screen is client.fleet)

    asyncio.run(main())


async def enter_line(client: Client, line: str) -> None:
    await client.press("colon")
    await client.type(line)
    await client.press("enter")


def test_the_command_line(tmp_path: Path) -> None:
    checks: list[tuple[str, Callable[[Client], object]]] = [
        ("sort cpu", lambda client: client.names[0] == "db-1"),
        ("sort cpu asc", lambda client: client.names[0] == "web-2"),
        ("filter nas", lambda client: client.names == ["nas"]),
        ("theme contrast", lambda client: client.app.theme == "contrast"),
        ("re", lambda client: client.source.retries == 1),
        ("open WEB-2", lambda client: client.source.watched == FLEET[1].id),
        ("fleet", lambda client: client.source.watched is None),
        ("open web-1", lambda client: client.source.watched == FLEET[0].id),
        ("help", lambda client: isinstance(client.app.screen, HelpScreen)),
    ]

    async def main() -> None:
        async with running_client(tmp_path) as client:
            for line, check in checks:
                await enter_line(client, line)
                await client.until(partial(check, client))
            await client.press("escape")
            await enter_line(client, "quit")
            await client.until(lambda: client.app._exit)

    asyncio.run(main())


def test_a_command_that_cannot_be_carried_out_says_why(tmp_path: Path) -> None:
    complaints = {
        "dance": "no command 'dance'",
        "open nobody": "no system is called 'nobody'",
        "open": "open which system?",
        "sort nonsense": "sort by one of",
        "theme nonsense": "themes: contrast ember",
        "range 1h": "open a system first",
        "f": "which of filter fleet?",
    }

    async def main() -> None:
        async with running_client(tmp_path) as client:
            for line, says in complaints.items():
                await enter_line(client, line)
                await client.until_text(says)
            await client.press("j")
            assert client.cursor_name == "lab-pi", "the table has the keys again"

    asyncio.run(main())


def test_commands_of_a_system(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("enter")
            await client.until(lambda: client.system)
            await enter_line(client, "range 24h")
            await client.until(lambda: client.system.window.name == "24h")
            await enter_line(client, "tab mem")
            await client.until(lambda: client.system.tab.key == "memory")
            await enter_line(client, "fleet")
            await client.until(lambda: client.fleet)

    asyncio.run(main())


def test_giving_the_command_line_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("colon")
            await client.type("quit")
            await client.press("escape", "j")
            assert client.cursor_name == "lab-pi"
            assert client.app.is_running

    asyncio.run(main())


def painted_colour(client: Client, text: str) -> Color | None:
    """Of the first piece of the screen that contains `text`."""
    pieces = (piece for strip in client.strips() for piece in strip)
    style = next(piece.style for piece in pieces if text in piece.text)
    return style.color if style is not None else None


def test_every_theme_repaints_everything(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("41.2%")
            for name in sorted(client.app.themes.by_name):
                client.app.choose_theme(name)
                await client.until(lambda: painted_colour(client, "41.2%") == client.app.look.palette.text.color)

    asyncio.run(main())


def test_a_bad_theme_file_is_reported_on_the_screen(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "beszel-tui" / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("[colors")

    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("mine.toml is left out")

    asyncio.run(main())


def test_no_color(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("41.2%")
            for strip in client.strips():
                for segment in strip:
                    color = segment.style.color if segment.style else None
                    if color is not None and color.triplet is not None:
                        assert len(set(color.triplet)) == 1, "grey"

    asyncio.run(main())


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_leaving(tmp_path: Path, key: str) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press(key)
            await client.until(lambda: client.app._exit)

    asyncio.run(main())


def test_footer_keys_can_be_clicked(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("? help")
            x = client.lines()[-1].index("? help")
            await client.pilot.click("KeyBar", offset=(x, 0))
            await client.until(lambda: isinstance(client.app.screen, HelpScreen))

    asyncio.run(main())


def test_a_thousand_ticks_leave_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(80, 24)) as client:
            for number in range(300):
                client.source.clock.advance(1)
                client.source.tell(*FLEET)
                if number % 50 == 0:
                    await client.settle()
            await client.until(client.source.events.empty)
            table = client.fleet.table
            assert len(table._painted) <= 24
            trail = client.app.bridge.state.trails[FLEET[0].id]
            assert len(trail.means) <= 60

    asyncio.run(main())


# Login


class LoginContext(Context):
    """Admits one password."""

    tried: list[tuple[str, str, str]]

    async def login(self, hub: str, identity: str, password: str) -> None:
        self.tried.append((hub, identity, password))
        if password != "right":
            raise Unauthorized("wrong e-mail or password")
        source = ScriptedSource()
        source.connect()
        source.tell(*FLEET)
        self.session_hub = hub
        save_session(self.settings.paths.sessions_file, Session(hub=hub, token="t"))
        self.use(source)


def test_login_refused_then_admitted_then_ended_by_the_hub(tmp_path: Path) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            context = LoginContext(make_settings(tmp_path, hub="localhost:8090"), group)
            context.tried = []
            app = BeszelApp(context)
            async with app.run_test(size=(80, 24)) as pilot:
                client = Client(app, pilot, ScriptedSource())
                await client.until_text("http://localhost:8090")
                await client.type("ada@example.org")
                await client.press("enter")
                await client.type("wrong")
                await client.press("enter")
                await client.until_text("wrong e-mail or password")
                assert "wrong" not in client.text().replace("wrong e-mail", "")
                await client.type("right")
                await client.press("enter")
                await client.until_text("web-1")
                assert context.tried[-1] == ("http://localhost:8090", "ada@example.org", "right")
                assert load_session(context.settings.paths.sessions_file) is not None
                source = context.source
                assert isinstance(source, ScriptedSource)
                source.refuse()
                await client.until(lambda: isinstance(app.screen, LoginScreen))
                await client.until_text("please log in again")
                assert load_session(context.settings.paths.sessions_file) is None
            context.stop()

    asyncio.run(main())


def test_a_token_from_outside_that_is_refused_is_said_in_the_header(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.refuse()
            await client.until_text("not admitted")
            assert client.names

    asyncio.run(main())


def test_a_terminal_without_the_focus_is_left_alone_for_a_while(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.app.post_message(events.AppBlur())
            await client.until_text("resting")
            client.source.clock.advance(1)
            client.source.tell(make_row("web-1", cpu=77.7, at_ms=client.source.clock()))
            await client.until(lambda: client.app.bridge.state.systems[make_row("web-1").id].cpu_percent == 77.7)
            await client.settle()
            assert "77.7%" not in client.text()
            assert client.source.paces == [AWAY_PACE_SECONDS]
            client.app.post_message(events.AppFocus())
            await client.until_text("77.7%")
            assert client.source.paces == [AWAY_PACE_SECONDS, 1]
            assert "resting" not in client.text()

    asyncio.run(main())


def test_a_terminal_without_the_focus_may_still_be_in_sight(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.app.post_message(events.AppBlur())
            await client.until_text("resting")
            client.source.clock.advance(20)
            client.source.tell(make_row("web-1", cpu=77.7, at_ms=client.source.clock()))
            await client.until_text("77.7%")

    asyncio.run(main())


def test_what_only_grows_older_is_drawn_every_five_seconds_beside_a_clock_that_goes(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.settle()
            shown: list[int] = []
            show = client.fleet.show_state

            def note(state: State) -> None:
                shown.append(state.now_ms)
                show(state)

            client.fleet.show_state = note  # type: ignore[method-assign]
            start_ms = client.source.clock()
            for second in range(1, 11):
                client.source.clock.advance(1)
                client.app.bridge.rest(is_away=False)
                assert client.app.bridge.state.now_ms == start_ms + second * 1000
            assert len({now_ms // BEAT_MS for now_ms in shown}) == len(shown) == 2
            client.source.tell(make_row("web-1", cpu=77.7, at_ms=client.source.clock()))
            await client.until_text("77.7%")

    asyncio.run(main())
