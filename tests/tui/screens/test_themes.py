"""Choosing a theme: what is on the screen wears the one under the cursor."""

import asyncio
from pathlib import Path

import pytest
from textual.css.query import NoMatches

from beszel_tui.choices import Choices, load_choices, save_choices
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.themes import ThemesScreen
from tests.support.pilotapp import Client, running_client


async def open_themes(client: Client) -> list[str]:
    """The names as they are listed."""
    await client.press("T")
    await client.until(lambda: isinstance(client.app.screen, ThemesScreen))
    await client.until_text("esc keep as it was")
    by_name = client.app.themes.by_name
    return sorted(by_name, key=lambda name: (not by_name[name].dark, name))


def test_moving_previews_and_escape_brings_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            names = await open_themes(client)
            assert client.app.theme == "midnight"
            await client.press("end")
            assert client.app.theme == names[-1]
            painted = client.app.look.palette.text.color
            fleet = client.app.screen_stack[-2]
            assert isinstance(fleet, FleetScreen)
            await client.until(lambda: fleet.table._look.palette.text.color == painted)
            await client.press("k", "home")
            assert client.app.theme == names[0]
            await client.press("escape")
            await client.until(lambda: client.fleet)
            assert client.app.theme == "midnight"
            assert load_choices(client.app.settings.paths.choices_file) == Choices()

    asyncio.run(main())


def test_what_is_chosen_is_there_at_the_next_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            names = await open_themes(client)
            await client.press("home", "j", "enter")
            await client.until(lambda: client.fleet)
            assert client.app.theme == names[1]
        async with running_client(tmp_path) as client:
            assert client.app.theme == names[1]
        async with running_client(tmp_path, theme="paper") as client:
            assert client.app.theme == "paper", "a flag wins"
            client.app.choose_theme("ember")
            await client.until_text("the settings say paper")

    asyncio.run(main())


def test_a_click_previews_and_a_second_one_chooses(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            names = await open_themes(client)
            await client.pilot.click("ThemeList", offset=(5, 2))
            assert client.app.theme == names[2]
            await client.pilot.click("ThemeList", offset=(5, 2))
            await client.until(lambda: client.fleet)
            kept = client.app.settings.paths.choices_file
            await client.until(lambda: load_choices(kept).theme == names[2])

    asyncio.run(main())


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 16), (40, 8)])
def test_the_theme_under_the_cursor_is_always_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=size) as client:
            for name in await open_themes(client):
                label = client.app.themes.by_name[client.app.theme].label
                try:
                    await client.until_text(label[:20])
                except NoMatches:
                    raise AssertionError(name) from None
                await client.press("j")

    asyncio.run(main())


def test_a_spoilt_file_of_choices_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "choices.json"
    assert load_choices(path) == Choices()
    path.write_text("{")
    assert load_choices(path) == Choices()
    save_choices(path, Choices(theme="ember"))
    assert load_choices(path).theme == "ember"
    assert path.stat().st_mode & 0o777 == 0o600
