"""What is shown where the demonstration never comes to: at the door, without systems, of a hub that is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from beszel_tui.app import BeszelApp
from beszel_tui.client.session import Session, save_session
from beszel_tui.client.several import SeveralHubs
from beszel_tui.context import CodeProof, Context
from beszel_tui.errors import CodeNeeded, Unauthorized
from beszel_tui.screens.login import LoginScreen
from tests.support.pilotapp import FLEET, Client, Viewer, make_settings, running_client
from tests.support.scriptedsource import ScriptedSource, make_row
from tests.support.snapshots import SIZES, frozen_zone, matches

Scene: TypeAlias = Callable[[Path], contextlib.AbstractAsyncContextManager[Viewer]]

HUB: Final = "https://hub.example.net"
PROFILES: Final = """
[profiles.home]
hub = "https://home.example.net"
[profiles.work]
hub = "https://hub.example.net"
"""


@pytest.fixture(autouse=True)
def _one_zone() -> Iterator[None]:
    with frozen_zone():
        yield


# The door


class Door(Context):
    """Of a hub that admits nobody: it wants a code after the password `right`."""

    is_new = False

    async def is_first_run(self, hub: str) -> bool:
        return self.is_new and hub == HUB

    async def login(self, hub: str, identity: str, password: str) -> None:
        if password != "right":
            raise Unauthorized("wrong e-mail or password")
        raise CodeNeeded("mfa")

    async def request_code(self, hub: str, email: str) -> str:
        return "code"

    async def login_with_code(self, hub: str, email: str, proof: CodeProof) -> None:
        raise Unauthorized("this code is wrong or has expired")


@contextlib.asynccontextmanager
async def at_the_door(home: Path, *, hub: str = HUB, is_new: bool = False) -> AsyncIterator[Client]:
    async with asyncio.TaskGroup() as group:
        context = Door(make_settings(home, hub=hub), group)
        context.is_new = is_new
        app = BeszelApp(context)
        async with app.run_test(size=SIZES[0]) as pilot:
            client = Client(app, pilot, ScriptedSource())
            await client.until(lambda: isinstance(app.screen, LoginScreen))
            yield client


async def fill(client: Client, *values: str) -> None:
    for value in values:
        await client.type(value)
        await client.press("enter")


@contextlib.asynccontextmanager
async def login(home: Path) -> AsyncIterator[Client]:
    async with at_the_door(home, hub="") as client:
        await client.until_text("E-mail")
        yield client


@contextlib.asynccontextmanager
async def login_refused(home: Path) -> AsyncIterator[Client]:
    async with at_the_door(home) as client:
        await fill(client, "ada@example.org", "wrong")
        await client.until_text("wrong e-mail or password")
        yield client


@contextlib.asynccontextmanager
async def login_code(home: Path) -> AsyncIterator[Client]:
    async with at_the_door(home) as client:
        await fill(client, "ada@example.org", "right")
        await client.until_text("A code is on its way")
        yield client


@contextlib.asynccontextmanager
async def login_code_refused(home: Path) -> AsyncIterator[Client]:
    async with login_code(home) as client:
        await fill(client, "123456")
        await client.until_text("this code is wrong")
        yield client


@contextlib.asynccontextmanager
async def login_first_user(home: Path) -> AsyncIterator[Client]:
    async with at_the_door(home, is_new=True) as client:
        await client.until_text("once more")
        yield client


# The fleet


@contextlib.asynccontextmanager
async def fleet_empty(home: Path) -> AsyncIterator[Client]:
    async with running_client(home) as client:
        client.source.tell(removed=[row.id for row in FLEET])
        await client.until_text("no systems yet")
        yield client


@contextlib.asynccontextmanager
async def fleet_no_match(home: Path) -> AsyncIterator[Client]:
    async with running_client(home) as client:
        client.fleet.set_filter("tag:nowhere cpu>200")
        await client.until(lambda: not client.fleet.visible_ids)
        yield client


@contextlib.asynccontextmanager
async def fleet_offline(home: Path) -> AsyncIterator[Client]:
    async with running_client(home) as client:
        client.source.clock.advance(12)
        client.source.lose()
        client.source.clock.advance(80)
        client.source.lose(retry_seconds=17)
        await client.until_text("next try in 17s")
        yield client


@contextlib.asynccontextmanager
async def system_offline(home: Path) -> AsyncIterator[Client]:
    async with fleet_offline(home) as client:
        await client.press("enter")
        await client.until(lambda: client.system)
        yield client


@contextlib.asynccontextmanager
async def fleet_refused(home: Path) -> AsyncIterator[Client]:
    async with running_client(home) as client:
        client.source.refuse()
        await client.until_text("not admitted")
        yield client


@contextlib.asynccontextmanager
async def add_connected(home: Path) -> AsyncIterator[Client]:
    async with running_client(home) as client:
        await client.press("A")
        await fill(client, "web-9")
        await client.until_text("waiting for the agent")
        client.source.tell(make_row("web-9", agent_version="0.1.0"))
        await client.until_text("connected, agent 0.1.0")
        yield client


# Several hubs


def write_profiles(home: Path) -> None:
    folder = home / ".config" / "beszel-tui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(PROFILES)


@contextlib.asynccontextmanager
async def hubs_all(home: Path) -> AsyncIterator[Client]:
    write_profiles(home)
    sources = {"home": ScriptedSource(), "work": ScriptedSource()}
    for source, rows in zip(sources.values(), (FLEET[3:], FLEET[:3]), strict=True):
        source.connect()
        source.tell(*rows)
    async with asyncio.TaskGroup() as group:
        context = Context(
            make_settings(home, all_hubs=True), group, source=SeveralHubs(sources), clock=sources["home"].clock
        )
        app = BeszelApp(context)
        async with app.run_test(size=SIZES[0]) as pilot:
            client = Client(app, pilot, sources["home"])
            await client.until(lambda: len(client.names) == len(FLEET))
            sources["home"].lose()
            await client.until_text("1 of 2 hubs live")
            yield client
        context.stop()


@contextlib.asynccontextmanager
async def hubs_switch(home: Path) -> AsyncIterator[Client]:
    write_profiles(home)
    settings = make_settings(home)
    save_session(settings.paths.sessions_file, Session(hub=HUB, token="t", identity="ada@example.org"))
    async with running_client(home, hub="work") as client:
        client.app.run_command("settings hubs")
        await client.until_text("all of these at once")
        yield client


SCENES: Final[tuple[Scene, ...]] = (
    login,
    login_refused,
    login_code,
    login_code_refused,
    login_first_user,
    fleet_empty,
    fleet_no_match,
    fleet_offline,
    fleet_refused,
    system_offline,
    add_connected,
    hubs_all,
    hubs_switch,
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_looks_as_it_did(scene: Scene, tmp_path: Path) -> None:
    async def main() -> None:
        async with scene(tmp_path) as viewer:
            for width, height in SIZES:
                await viewer.pilot.resize_terminal(width, height)
                await matches(viewer, f"{scene.__name__.replace('_', '-')}-{width}x{height}")

    asyncio.run(main())
