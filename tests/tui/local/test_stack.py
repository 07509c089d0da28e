"""`beszel-tui local` with the real hub and the real agent."""

import asyncio
import socket
from pathlib import Path

import pytest

from beszel_protocol.feed import Fleet
from beszel_protocol.hygiene import clean_text
from beszel_tui.config import load_settings
from beszel_tui.context import Context
from beszel_tui.errors import LocalError
from beszel_tui.local.stack import LocalStack
from beszel_tui.state.events import Received

LIMIT_SECONDS = 60.0

pytestmark = pytest.mark.system


async def first_numbers(context: Context) -> tuple[str, float]:
    """Name and processor usage of the first system that reports."""
    assert context.source is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            event = await context.source.events.get()
            if isinstance(event, Received) and isinstance(event.frame, Fleet):
                for row in event.frame.systems:
                    if row.cpu_percent is not None:
                        return row.name, row.cpu_percent


def run_once(folder: Path, *, second: bool = False) -> tuple[str, float]:
    async def main() -> tuple[str, float]:
        settings = load_settings(environment={"HOME": str(folder.parent)})
        async with asyncio.TaskGroup() as group:
            context = Context(settings, group)
            async with LocalStack(folder).companions(context):
                found = await first_numbers(context)
                if second:
                    other = Context(settings, group)
                    async with LocalStack(folder).companions(other):
                        assert (await first_numbers(other))[0] == found[0]
                    other.stop()
            context.stop()
        return found

    return asyncio.run(main())


def test_this_machine_is_watched_and_everything_is_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "local"
    name, _ = run_once(folder, second=True)
    assert name == clean_text(socket.gethostname())
    assert {path.name for path in folder.iterdir()} == {
        "hub", "agent", "hub.log", "agent.log", "credentials.json", "lock",
    }  # fmt: skip
    assert (folder / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not (folder / "hub" / "address").exists(), "the hub ended in order"
    assert run_once(folder)[0] == name, "the second start finds everything as it was"


def test_a_hub_that_does_not_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "local"
    (folder / "hub").mkdir(parents=True)
    (folder / "hub" / "data.db").write_text("this is no database")

    async def main() -> None:
        settings = load_settings(environment={"HOME": str(tmp_path)})
        async with asyncio.TaskGroup() as group:
            with pytest.raises(LocalError, match=r"(?s)the hub did not start.*not a database"):
                async with LocalStack(folder).companions(Context(settings, group)):
                    pass

    asyncio.run(main())
