"""Login at a real hub: a code by e-mail, and the first user of a new hub."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from beszel_tui.app import BeszelApp
from beszel_tui.client.session import load_session
from beszel_tui.context import Context
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.login import LoginScreen
from tests.support.mailserver import mail_server
from tests.support.pilotapp import Client, make_settings
from tests.support.runninghub import PASSWORD, RunningHub, running_hub
from tests.support.scriptedsource import ScriptedSource


@contextlib.asynccontextmanager
async def logging_in(home: Path, hub: RunningHub, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Client]:
    """The client at its login form."""
    async with asyncio.TaskGroup() as group:
        context = Context(make_settings(home, hub=hub.url), group)
        app = BeszelApp(context)
        async with app.run_test(size=size) as pilot:
            client = Client(app, pilot, ScriptedSource())
            await client.until(lambda: isinstance(app.screen, LoginScreen))
            yield client
        context.stop()


async def fill(client: Client, *values: str) -> None:
    for value in values:
        await client.type(value)
        await client.press("enter")


def test_a_hub_that_wants_a_code_as_well(tmp_path: Path) -> None:
    async def main(hub: RunningHub) -> None:
        async with logging_in(tmp_path, hub) as client:
            await fill(client, "ada@example.org", PASSWORD)
            await client.until_text("A code is on its way to")
            code = await asyncio.to_thread(mail.next_code)
            await fill(client, "000000" if code != "000000" else "000001")
            await client.until_text("this code is wrong")
            await client.press("ctrl+r")
            another = await asyncio.to_thread(mail.next_code)
            await client.until(lambda: client.app.screen.query_one("#code").has_focus)
            await client.until(lambda: "asking for" not in client.text())
            await fill(client, another)
            await client.until(lambda: isinstance(client.app.screen, FleetScreen))
            assert load_session(client.app.settings.paths.sessions_file, hub.url) is not None

    with (
        mail_server(tmp_path) as mail,
        running_hub(
            tmp_path / "hub", mfa_otp="true", smtp_host=mail.host, smtp_port=mail.port, smtp_tls="none",
            smtp_from="hub@example.org",
        ) as hub,
    ):  # fmt: skip
        hub.create_user("ada@example.org")
        asyncio.run(main(hub))


def test_the_way_back_from_the_code(tmp_path: Path) -> None:
    async def main(hub: RunningHub) -> None:
        async with logging_in(tmp_path, hub) as client:
            await fill(client, "ada@example.org", PASSWORD)
            await client.until_text("A code is on its way")
            await asyncio.to_thread(mail.next_code)
            await client.press("escape")
            await client.until_text("tab next field")
            assert client.app.is_running
            await client.press("escape")
            await client.until(lambda: client.app._exit)

    with (
        mail_server(tmp_path) as mail,
        running_hub(
            tmp_path / "hub", mfa_otp="true", smtp_host=mail.host, smtp_port=mail.port, smtp_tls="none",
            smtp_from="hub@example.org",
        ) as hub,
    ):  # fmt: skip
        hub.create_user("ada@example.org")
        asyncio.run(main(hub))


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 16)])
def test_the_first_user_of_a_new_hub(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main(hub: RunningHub) -> None:
        async with logging_in(tmp_path, hub, size) as client:
            await client.until(lambda: client.app.screen.query_one("#repeat").display)
            await fill(client, "ada@example.org", "short", "other")
            await client.until_text("the passwords are not the same")
            await fill(client, "short")
            await client.until_text("password:")
            field = client.app.screen.query_one("#password")
            field.focus()
            await client.press("ctrl+u")
            await fill(client, PASSWORD, PASSWORD)
            await client.until(lambda: isinstance(client.app.screen, FleetScreen))
            await client.until_text("no systems yet")

    with running_hub(tmp_path / "hub") as hub:
        asyncio.run(main(hub))
