"""Adding a system, from its name to the moment its agent is there."""

import asyncio
from pathlib import Path

import pytest

from beszel_protocol.installing import WAYS, command_lines
from beszel_tui.screens.enrolment import EnrolmentScreen
from beszel_tui.screens.fleet import FleetScreen
from tests.support.pilotapp import FLEET, Client, running_client
from tests.support.scriptedsource import make_enrolment, make_row


async def add(client: Client, name: str) -> None:
    await client.press("A")
    await client.until(lambda: isinstance(client.app.screen, EnrolmentScreen))
    await client.type(name)
    await client.press("enter")


def test_from_its_name_to_its_charts(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await add(client, "web-9")
            await client.until_text("waiting for the agent…")
            assert client.source.enrolled == ["web-9"]
            await client.until_text("token-of-16-chars")
            client.source.tell(make_row("web-9", cpu=None, status="pending"))
            await client.until(lambda: len(client.app.bridge.state.systems) == len(FLEET) + 1)
            assert "waiting for the agent…" in client.text()
            client.source.tell(make_row("web-9", agent_version="0.1.0"))
            await client.until_text("connected, agent 0.1.0")
            client.source.tell(make_row("web-9", cpu=None, status="down"))
            await client.until_text("the agent was there and is gone again")
            await client.press("enter")
            await client.until(lambda: client.system)
            assert client.source.watched == make_row("web-9").id
            await client.press("escape")
            await client.until(lambda: client.fleet)

    asyncio.run(main())


def test_every_way_is_shown_and_copied_as_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await add(client, "web-9")
            await client.until_text("waiting for the agent…")
            for way in WAYS:
                await client.until_text(way.note[:60])
                await client.press("y")
                lines = command_lines(way, make_enrolment("web-9").credentials)
                assert client.app.clipboard == "\n".join(lines) + "\n"
                assert lines[0] in client.text()
                await client.press("tab")
            await client.press("t")
            assert client.app.clipboard == "token-of-16-chars"
            await client.press("u")
            assert client.app.clipboard == "ssh-ed25519 AAAAkey"

    asyncio.run(main())


def test_a_refusal_is_said_and_the_name_can_be_corrected(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.enrol_problem = "Failed to create record."
            await add(client, "web-9")
            await client.until_text("Failed to create record.")
            client.source.enrol_problem = ""
            await client.press("enter")
            await client.until_text("waiting for the agent…")

    asyncio.run(main())


def test_names_that_are_there(tmp_path: Path) -> None:
    async def main() -> None:
        rows = [*FLEET, make_row("new", cpu=None, status="pending")]
        async with running_client(tmp_path, *rows) as client:
            await add(client, "web-1")
            await client.until_text("its agent has come already")
            await client.press("escape")
            await client.until(lambda: client.fleet)
            await add(client, "new")
            await client.until_text("waiting for the agent…")
            assert not client.source.enrolled, "the one that is there, with its token"
            client.source.tell(removed=[make_row("new").id])
            await client.until_text("no longer at the hub")

    asyncio.run(main())


def test_a_client_that_is_read_only_adds_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, read_only=True) as client:
            await client.press("A")
            assert isinstance(client.app.screen, FleetScreen)
            client.app.run_command("add")
            await client.until_text("this client is read-only")
            assert isinstance(client.app.screen, FleetScreen)

    asyncio.run(main())


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 16)])
def test_every_size_keeps_the_answer_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=size) as client:
            await add(client, "web-9")
            await client.until_text("waiting for the agent…")
            assert client.fills(size[0])
            for _ in range(30):
                await client.press("j")
            await client.until_text("https://hub.example.net")
            assert "waiting for the agent…" in client.text()

    asyncio.run(main())
