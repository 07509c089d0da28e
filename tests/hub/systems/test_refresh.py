"""The directory is read again for many who ask at once, and each of them sees what was there when it asked."""

import asyncio
from pathlib import Path

import pytest

from beszel_hub.systems import queries
from beszel_hub.systems.directory import Entry
from tests.support.runninghub import RunningHub, running_hub

CALLERS = 20


def test_who_asks_while_others_wait_is_served_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_hub(tmp_path / "hub") as hub:
        reads = 0
        load_entries = queries.load_entries

        def counted() -> list[Entry]:
            nonlocal reads
            reads += 1
            return load_entries()

        monkeypatch.setattr(queries, "load_entries", counted)
        hub.call(add_and_refresh(hub))
        assert 2 <= reads < CALLERS  # those who ask during the first reading cannot rely on it


async def add_and_refresh(hub: RunningHub) -> None:
    systems = hub.hub.systems

    async def add(number: int) -> None:
        system_id = await hub.hub.database.write(
            lambda: queries.insert_system(name=f"host-{number}", now_ms=1, members=())
        )
        await systems.refresh()
        assert systems.directory.get(system_id) is not None

    async with asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            group.create_task(add(number))
