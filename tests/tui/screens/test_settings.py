"""The settings: what is chosen on the screen, and what is asked of the hub."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Input

from beszel_tui.choices import load_choices
from beszel_tui.errors import HubUnreachable
from beszel_tui.screens.dialog import BoxForm, SecretScreen
from beszel_tui.screens.form import FormScreen
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.screens.settings import SettingsScreen
from beszel_tui.screens.themes import ThemesScreen
from beszel_tui.state.account import (
    ChangeUser,
    DeleteBackup,
    DeleteUser,
    EndSession,
    Heartbeat,
    NewBackup,
    NewToken,
    NewUser,
    RestoreBackup,
    RevokeToken,
    SendHeartbeat,
)
from tests.support.pilotapp import Client, running_client
from tests.support.scriptedaccount import ScriptedAccount

HOSTILE = "[red]\x1b[2J\u202eevil\n" + "x" * 10_000


def account_of(client: Client) -> ScriptedAccount:
    account = client.source.account
    assert account is not None
    return account


async def open_settings(client: Client, section: str = "looks") -> SettingsScreen:
    await account_of(client).tell_demo()
    await client.press("comma")
    await client.until(lambda: isinstance(client.app.screen, SettingsScreen) and client.app.screen.account)
    screen = client.app.screen
    assert isinstance(screen, SettingsScreen)
    screen.show_section(section)
    await client.until(lambda: screen.section.key == section and client.app.focused is screen.panel.table)
    await client.settle()
    return screen


async def fill(client: Client, *texts: str) -> None:
    """A form, field after field."""
    await client.until(lambda: isinstance(client.app.screen, BoxForm))
    for text in texts:
        await client.until(lambda: client.app.focused is not None)
        focused = client.app.focused
        if isinstance(focused, Input):
            focused.value = ""
            await client.type(text)
        else:
            await client.press(*text.split())
        await client.press("enter")


def test_a_choice_shows_at_once_and_is_there_at_the_next_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client)
            await client.until_text("12.3M / 340K")
            await client.press("j", "j", "j", "enter")
            await client.until_text("12.9M / 348k")
            await client.press("left")
            await client.until_text("12.3M / 340K")
            await client.press("j", "enter", "j", "enter", "j", "enter")
            await client.until_text("129°F")
            assert client.app.look.clock.is_twelve
            await client.until(lambda: any(half in client.lines()[0] for half in ("am ", "pm ")))
        choices = load_choices(client.app.settings.paths.choices_file)
        assert (choices.degrees, choices.times, choices.clock) == ("fahrenheit", "utc", "12h")
        async with running_client(tmp_path) as client:
            assert client.app.settings.looks.degrees == "fahrenheit"
            assert client.app.settings.looks.rates == "binary"

    asyncio.run(main())


def test_a_small_form_stays_small_after_a_large_one(tmp_path: Path) -> None:
    async def width(client: Client, form: type[BoxForm | FormScreen]) -> int:
        await client.until(lambda: isinstance(client.app.screen, form))
        await client.settle()
        found = client.app.screen.query_one("#box").region.width
        await client.press("escape")
        return found

    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client, "tokens")
            await client.press("n")
            small = await width(client, BoxForm)
            client.source.tell_alerts()
            client.app.open_alerts(pane="rules")
            await client.until(lambda: client.app.bridge.state.book is not None)
            await client.settle()
            await client.press("n")
            assert await width(client, FormScreen) > small
            await client.press("escape")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            await client.press("n")
            assert await width(client, BoxForm) == small

    asyncio.run(main())


def test_what_a_flag_settles_stays(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, symbols="ascii") as client:
            await open_settings(client)
            await client.until_text("settled by flag")
            await client.press("j", "enter")
            assert client.app.settings.looks.symbols == "ascii"

    asyncio.run(main())


def test_the_theme_is_picked_from_here(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client)
            await client.press("enter")
            await client.until(lambda: isinstance(client.app.screen, ThemesScreen))
            await client.press("escape")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            await client.press("escape")
            await client.until(lambda: client.fleet)

    asyncio.run(main())


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 16), (20, 5)])
def test_every_section_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=size) as client:
            screen = await open_settings(client)
            for number, section in enumerate(screen.sections, 1):
                await client.press(str(number % 10))
                assert screen.section is section
                await client.until(partial(client.fills, size[0]))
                if size[1] > 10 and section.key != "hubs":
                    assert client.app.focused is screen.panel.table
                    assert screen.row is not None

    asyncio.run(main())


def test_what_somebody_else_wrote_is_text(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            account = account_of(client)
            await account.tell_demo()
            facts = account.facts
            assert not isinstance(facts, Exception)
            screen = await open_settings(client, "sessions")
            sessions = (msgspec.structs.replace(facts.sessions[1], address=HOSTILE, agent=HOSTILE),)
            tokens = (msgspec.structs.replace(facts.tokens[0], name=HOSTILE),)
            account.facts = msgspec.structs.replace(facts, sessions=sessions, tokens=tokens)
            await client.press("r")
            await client.until_text("[red][2Jevilxx")
            await client.until(partial(client.fills, 160))
            screen.show_section("tokens")
            await client.until_text("[red][2Jevilxx")
            await client.press("d")
            await client.until(lambda: isinstance(client.app.screen, QuestionScreen))
            await client.until_text("[red]")
            await client.until(partial(client.fills, 160))

    asyncio.run(main())


def test_a_token_is_made_shown_once_and_copied(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client, "tokens")
            await client.press("n")
            await fill(client, "", "", "right")
            await client.until_text("a token needs a name")
            name = client.app.screen.query_one("#name", Input)
            name.focus()
            await client.until(lambda: client.app.focused is name)
            await fill(client, "report", "right", "")
            await client.until(lambda: isinstance(client.app.screen, SecretScreen))
            await client.until_text("the-secret-token")
            await client.press("y")
            assert client.app.clipboard == "the-secret-token"
            await client.press("escape")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            assert "the-secret-token" not in client.text()
            assert account_of(client).orders == [NewToken(name="report", scope="write", expires_ms=None)]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("section", "order"),
    [
        ("sessions", EndSession(session_id="s1")),
        ("tokens", RevokeToken(token_id="t1")),
        ("users", DeleteUser(user_id="demo00000000ada")),
        ("backups", DeleteBackup(key="@auto_beszel_backup_20260301030000.zip")),
    ],
)
def test_what_cannot_be_undone_is_asked_first(tmp_path: Path, section: str, order: object) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client, section)
            for answer, orders in (("n", []), ("escape", []), ("y", [order])):
                await client.press("d")
                await client.until(lambda: isinstance(client.app.screen, QuestionScreen))
                await client.press(answer)
                await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
                await client.until(lambda orders=orders: account_of(client).orders == orders)  # type: ignore[misc]

    asyncio.run(main())


def test_users_are_made_and_changed(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client, "users")
            await client.press("n")
            await fill(client, "lin@example.net", "right", "one long password", "another one")
            await client.until_text("the passwords are not the same")
            await fill(client, "one long password")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            made = NewUser(email="lin@example.net", role="readonly", password="one long password")
            assert account_of(client).orders == [made]
            await client.press("j", "enter")
            await fill(client, "right")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            await client.press("w")
            await fill(client, "quite a password", "quite a password")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            grace = "demo00000grace0"
            assert account_of(client).orders[1:] == [
                ChangeUser(user_id=grace, role="readonly"),
                ChangeUser(user_id=grace, password="quite a password"),
            ]

    asyncio.run(main())


def test_a_backup_is_made_and_put_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client, "backups")
            await client.until_text("made by the hub itself")
            await client.press("n")
            account_of(client).refusal = "name: There is a backup of that name already."
            await fill(client, "one.zip")
            await client.until_text("of that name already")
            account_of(client).refusal = ""
            await fill(client, "two.zip")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            await client.until_text("the backup is made")
            await client.press("j", "j", "enter")
            await client.until(lambda: isinstance(client.app.screen, QuestionScreen))
            await client.until_text("moved aside")
            await client.press("y")
            await client.until(lambda: len(account_of(client).orders) == 2)
            assert account_of(client).orders == [NewBackup(name="two.zip"), RestoreBackup(key="before-upgrade.zip")]

    asyncio.run(main())


def test_what_the_database_takes_and_that_it_gets_full(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_settings(client, "store")
            await client.until_text("9.0M of it free, at most 2.0G")
            facts = account_of(client).facts
            assert not isinstance(facts, Exception)
            assert facts.store is not None
            assert [row.level for row in screen.panel.rows[:2]] == ["good", "good"]
            full = msgspec.structs.replace(facts.store, max_bytes=640 << 20, disk_free_bytes=900 << 20)
            account_of(client).facts = msgspec.structs.replace(facts, store=full)
            await client.press("r")
            await client.until_text("too little for a backup")
            assert [row.level for row in screen.panel.rows[:2]] == ["critical", "warning"]

    asyncio.run(main())


def test_a_refusal_stays_in_the_form(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_settings(client, "account")
            account_of(client).refusal = "username: This name is taken."
            await client.press("j", "enter")
            await fill(client, "grace")
            await client.until_text("This name is taken.")
            await client.press("escape")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))

    asyncio.run(main())


def test_who_may_not_is_not_offered(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, read_only=True) as client:
            screen = await open_settings(client, "tokens")
            for keys in ("n", "d"):
                await client.press(keys)
                assert client.app.screen is screen
            assert "revoke" not in client.lines()[-1]
            assert "new" not in client.lines()[-1]
            facts = account_of(client).facts
            assert not isinstance(facts, Exception)
            person = msgspec.structs.replace(facts.person, role="user")
            account_of(client).facts = msgspec.structs.replace(facts, person=person)
            await client.press("r")
            await client.until(lambda: "Users" not in client.lines()[1])
            assert "Backups" not in client.lines()[1]
            assert "Store" not in client.lines()[1]

    asyncio.run(main())


def test_a_hub_that_does_not_answer_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            account_of(client).facts = HubUnreachable("the hub does not answer")
            await client.press("colon")
            await client.type("settings users")
            await client.press("enter")
            await client.until(lambda: isinstance(client.app.screen, SettingsScreen))
            await client.press("2")
            await client.until_text("the hub does not answer")
            await client.until_text("r asks again")
            await account_of(client).tell_demo()
            await client.press("r")
            await client.until_text("ada@example.net")

    asyncio.run(main())


def test_keys_of_the_config_file_count_and_mistakes_are_told(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "beszel-tui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[keys]\n"fleet.sort" = "o"\n"fleet.dance" = "x"\n')

    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("no key is called 'fleet.dance'")
            assert client.fleet.sort.key == "name"
            await client.press("s")
            assert client.fleet.sort.key == "name"
            await client.press("o")
            assert client.fleet.sort.key == "cpu"
            assert " o sort" in client.lines()[-1]
            await client.press("question_mark")
            await client.until(lambda: any(line.split()[1:3] == ["o", "Sort"] for line in client.lines()))
            await client.press("escape")
            screen = await open_settings(client, "keys")
            screen.panel.set_filter("fleet.sort")
            await client.until_text("o  *")

    asyncio.run(main())


def test_the_heartbeat_is_seen_and_tried(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(140, 30)) as client:
            account = account_of(client)
            screen = await open_settings(client, "hub")
            assert "change" not in client.lines()[-1], "this hub has none"
            assert not isinstance(account.facts, Exception)
            beat = Heartbeat(enabled=True, url="hc.example.net", interval=60, method="POST", last_error="answered 503")
            account.facts = msgspec.structs.replace(account.facts, heartbeat=beat)
            await client.press("r")
            await client.until_text("not taken")
            await client.until_text("answered 503; POST to hc.example.net every 1m, never taken")
            screen.panel.table.move_cursor("version")
            await client.press("enter")
            await client.until_text("only its heartbeat can be tried")
            screen.panel.table.move_cursor("heartbeat")
            account.refusal = "the heartbeat was not taken: answered 503"
            await client.press("enter")
            await client.until_text("the heartbeat was not taken: answered 503")
            account.refusal = ""
            await client.press("enter")
            await client.until_text("the heartbeat was taken")
            assert account.orders == [SendHeartbeat()]

    asyncio.run(main())


def test_a_heartbeat_that_is_off_says_how_it_is_turned_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(140, 30)) as client:
            account = account_of(client)
            await open_settings(client, "hub")
            assert not isinstance(account.facts, Exception)
            account.facts = msgspec.structs.replace(account.facts, heartbeat=Heartbeat(enabled=False))
            await client.press("r")
            await client.until_text("HEARTBEAT_URL at the hub turns it on")
            await client.press("enter")
            await client.settle()
            assert account.orders == []

    asyncio.run(main())
