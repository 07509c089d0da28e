"""A client that is open for longer than its session lasts, at real hubs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from beszel_hub.accounts import sessions, tokens
from beszel_hub.accounts.tables import Session as SessionRow
from beszel_hub.live import feed
from beszel_tui.app import BeszelApp
from beszel_tui.client import renewal
from beszel_tui.client.session import known_sessions, load_session
from beszel_tui.context import Context
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.login import LoginScreen
from tests.support.pilotapp import Client, make_settings
from tests.support.runninghub import PASSWORD, RunningHub, running_hub
from tests.support.scriptedsource import ScriptedSource

LIFETIME_SECONDS = 3


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sessions, tokens):
        monkeypatch.setattr(module, "LOGIN_LIFETIME_SECONDS", LIFETIME_SECONDS)
    monkeypatch.setattr(feed, "TOKEN_CHECK_SECONDS", 0.05)
    monkeypatch.setattr(renewal, "START_SECONDS", 0.05)
    monkeypatch.setattr(renewal, "_LEAST_PAUSE_SECONDS", 0.1)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with running_hub(tmp_path / "hub") as running:
        running.create_user("ada@example.org")
        yield running


def test_nobody_is_thrown_out_while_the_session_is_renewed(tmp_path: Path, hub: RunningHub) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            context = Context(make_settings(tmp_path), group)
            await context.login(hub.url, "ada@example.org", PASSWORD)
            path = context.settings.paths.sessions_file
            first = load_session(path)
            assert first is not None
            app = BeszelApp(context)
            async with app.run_test(size=(120, 40), notifications=True) as pilot:
                client = Client(app, pilot, ScriptedSource())
                await client.until(lambda: isinstance(app.screen, FleetScreen) and app.bridge.state.is_live)
                ends = renewal.expiry_of(first.token)
                assert ends is not None
                await client.until(lambda: hub.hub.clock() > 1000 * (ends + 1))
                await client.until(lambda: app.bridge.state.is_live)
                now = load_session(path)
                assert now is not None
                assert now.identity == "ada@example.org"
                last = renewal.expiry_of(now.token)
                assert last is not None
                assert last > ends
                assert isinstance(app.screen, FleetScreen)
                assert await context.source.account.read()  # type: ignore[union-attr]
            context.stop()

    asyncio.run(main())


def test_a_session_that_was_ended_leads_to_the_login(
    tmp_path: Path, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "TOKEN_CHECK_SECONDS", 60.0)  # so that only the renewal can know

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            context = Context(make_settings(tmp_path), group)
            await context.login(hub.url, "ada@example.org", PASSWORD)
            app = BeszelApp(context)
            async with app.run_test(size=(120, 40), notifications=True) as pilot:
                client = Client(app, pilot, ScriptedSource())
                await client.until(lambda: isinstance(app.screen, FleetScreen) and app.bridge.state.is_live)
                hub.hub.database.write_now(lambda: SessionRow.delete().execute())
                await client.until(lambda: isinstance(app.screen, LoginScreen))
                await client.until_text("please log in again: the session has ended")
                assert load_session(context.settings.paths.sessions_file) is None
            context.stop()

    asyncio.run(main())


def test_every_hub_of_several_keeps_its_own(tmp_path: Path, hub: RunningHub) -> None:
    async def main(other: RunningHub) -> None:
        config = tmp_path / ".config" / "beszel-tui" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'[profiles.home]\nhub = "{hub.url}"\n[profiles.work]\nhub = "{other.url}"\n')
        async with asyncio.TaskGroup() as group:
            context = Context(make_settings(tmp_path, all_hubs=True), group)
            for each in (hub, other):
                await context.login(each.url, "ada@example.org", PASSWORD)
            path = context.settings.paths.sessions_file
            before = {session.hub: session.token for session in known_sessions(path)}
            assert set(before) == {hub.url, other.url}
            context.stop()
            assert context.open_known()
            app = BeszelApp(context)
            async with app.run_test(size=(120, 40), notifications=True) as pilot:
                client = Client(app, pilot, ScriptedSource())
                await client.until(lambda: isinstance(app.screen, FleetScreen) and app.bridge.state.is_live)

                def are_renewed() -> bool:
                    now = {session.hub: session.token for session in known_sessions(path)}
                    return set(now) == set(before) and all(now[url] != token for url, token in before.items())

                await client.until(are_renewed)
                other.hub.database.write_now(lambda: SessionRow.delete().execute())
                await client.until_text("work: ")
                await client.until_text(":hub work")
                assert isinstance(app.screen, FleetScreen)
                assert app.bridge.state.is_live
            context.stop()

    with running_hub(tmp_path / "other") as other:
        other.create_user("ada@example.org")
        asyncio.run(main(other))
