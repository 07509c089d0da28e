"""Inventories as agents tell them over the link, and as the API lists them."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from beszel_hub.inventory.containers import FORGET_MS, Inventory
from beszel_hub.inventory.queries import load_inventories
from beszel_hub.inventory.tables import ContainerRow
from beszel_hub.store.database import Database
from beszel_hub.systems.queries import delete_system, insert_system, set_paused
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.feed import Containers
from beszel_protocol.messages import Containers as Told
from beszel_protocol.sample import Metrics
from tests.support.bareagent import LinkAgent
from tests.support.containers import DB_ID, WEB_ID, container_agent, make_facts, make_usage, until
from tests.support.databases import place_at
from tests.support.feedclient import feed
from tests.support.runninghub import RunningHub

LIST = "/api/collections/containers/records"


def listed(client: httpx2.Client, **parameters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(LIST, params=parameters).raise_for_status().json()["items"]
    return items


def test_what_an_agent_tells_is_listed_with_what_its_newest_sample_says(hub: RunningHub, client: httpx2.Client) -> None:
    system = hub.create_system("listed")

    async def run() -> None:
        async with container_agent(hub, system, make_facts(), make_facts(DB_ID, "db", state="exited")) as agent:
            sample = agent.connection.agent.sample(1)
            metrics = Metrics(containers=[make_usage()])
            await agent.connection.send(msgspec.structs.replace(sample, metrics=metrics))
            await until(lambda: hub.hub.latest.get(system[0]) is not None)
            db, web = await asyncio.to_thread(listed, client, filter=f"system='{system[0]}'")
            assert (web["id"], web["name"], web["cpu"], web["memory"], web["net"]) == (
                WEB_ID,
                "web",
                12.5,
                64.0,
                1500.0,
            )
            assert (db["name"], db["state"], db["cpu"]) == ("db", "exited", 0)
            assert web["collectionName"] == "containers"
            assert abs(web["updated"] - hub.hub.clock()) < 60_000
            await agent.tell(make_facts())
            await until(lambda: len(hub.hub.inventory.get(system[0]).facts) == 1)  # type: ignore[union-attr]
            (left,) = await asyncio.to_thread(listed, client, filter=f"system='{system[0]}'", sort="-cpu")
            assert left["name"] == "web"

    asyncio.run(run())


def test_no_agent_reaches_the_rows_of_another_system(hub: RunningHub, client: httpx2.Client) -> None:
    mine, theirs = hub.create_system("mine"), hub.create_system("theirs")

    async def run() -> None:
        async with (
            container_agent(hub, mine, make_facts(name="mine")),
            container_agent(hub, theirs, make_facts(name="theirs")) as hostile,
        ):
            await hostile.tell()
            await until(lambda: hub.hub.inventory.get(theirs[0]).facts == ())  # type: ignore[union-attr]
            rows = await asyncio.to_thread(listed, client, filter=f"system='{mine[0]}'")
            assert [row["name"] for row in rows] == ["mine"]
            assert await asyncio.to_thread(listed, client, filter=f"system='{theirs[0]}'") == []

    asyncio.run(run())


def test_names_are_shown_and_never_obeyed(hub: RunningHub, client: httpx2.Client) -> None:
    system = hub.create_system("hostile names")
    nasty = make_facts(name="web\x1b[2J\u202e[red]", labels={"\x1b]0;x\x07": "\x9b2J"}, image="i" * 5000)

    async def run() -> None:
        async with container_agent(hub, system) as agent:
            await agent.tell(nasty, make_facts("../../../etc", "escape"), make_facts(DB_ID, "\x1b\x07"))
            await until(lambda: hub.hub.inventory.get(system[0]) is not None)
            (row,) = await asyncio.to_thread(listed, client, filter=f"system='{system[0]}'")
            assert row["name"] == "web[2J[red]"
            assert len(row["image"]) == 256
            assert "\x1b" not in str(row)

    asyncio.run(run())


def test_containers_of_a_paused_system_are_not_forgotten_while_its_agent_is_there(hub: RunningHub) -> None:
    system_id, token = hub.create_system("paused")
    hub.hub.database.write_now(lambda: set_paused(system_id, 0, is_paused=True))
    hub.refresh()

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            await agent.send(Told(containers=[make_facts()]))
            await agent.send(agent.agent.sample(1))
            await agent.await_stored((1, 1))
            seen = hub.hub.inventory.get(system_id)
            assert seen is not None
            before_ms = seen.seen_ms
            await agent.send(agent.agent.sample(2))
            await agent.await_stored((2, 2))
            seen = hub.hub.inventory.get(system_id)
            assert seen is not None
            assert seen.seen_ms > before_ms

    asyncio.run(run())


def test_the_feed_tells_of_changes_and_of_usage(hub: RunningHub, token: str) -> None:
    system = hub.create_system("followed")

    async def run() -> None:
        async with feed(hub.feed_url, token) as follower:
            await follower.subscribe(f"containers:{system[0]}")
            first = await follower.receive_until(Containers)
            assert first.hosts == []
            async with container_agent(hub, system, make_facts()) as agent:
                told = await follower.receive_until(Containers)
                assert told.hosts[0].facts == [make_facts()]
                sample = agent.connection.agent.sample(1)
                await agent.connection.send(msgspec.structs.replace(sample, metrics=Metrics(containers=[make_usage()])))
                used = await follower.receive_until(Containers)
                assert (used.hosts[0].facts, used.hosts[0].usage) == (None, [make_usage()])
                await agent.tell()
                emptied = await follower.receive_until(Containers, lambda frame: frame.hosts[0].facts == [])
                assert emptied.hosts[0].system == system[0]
            hub.call(_remove(hub, system[0]))
            gone = await follower.receive_until(Containers, lambda frame: bool(frame.removed))
            assert gone.removed == [system[0]]

    asyncio.run(run())


async def _remove(hub: RunningHub, system_id: str) -> None:
    hub.hub.broker.remove_system(system_id)


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def test_containers_survive_a_restart_and_age_out_without_their_agent(tmp_path: Path) -> None:
    clock = Clock()
    database = Database(place_at(tmp_path / "data.db"))
    database.open()
    system_id = database.write_now(lambda: insert_system(name="one", now_ms=0, members=[]))
    told: list[tuple[str, int]] = []

    async def run() -> None:
        first = Inventory(database, clock)
        first.put(system_id, [make_facts(), make_facts(DB_ID, "db")])
        first.put("deleted meanwhile", [make_facts()])
        await first.save()
        clock.now_ms += FORGET_MS
        first.agent_seen(system_id)
        await first.upkeep()
        second = Inventory(database, clock)
        second.on_changed.append(lambda system, facts: told.append((system, len(facts))))
        await second.restore()
        assert told == [(system_id, 2)]
        clock.now_ms += FORGET_MS
        await second.upkeep()
        assert second.get(system_id) is not None
        clock.now_ms += 1
        await second.upkeep()
        await second.save()
        assert told[1:] == [(system_id, 0)]
        assert second.get(system_id) is None

    try:
        asyncio.run(run())
        assert database.read_now(load_inventories) == {}
    finally:
        database.close()


def test_two_hundred_containers_that_come_and_go_leave_no_rows(tmp_path: Path) -> None:
    database = Database(place_at(tmp_path / "data.db"))
    database.open()
    system_id = database.write_now(lambda: insert_system(name="one", now_ms=0, members=[]))

    async def run() -> None:
        inventory = Inventory(database, Clock())
        for number in range(200):
            inventory.put(system_id, [make_facts(f"{number:012x}", f"c{number}")])
            await inventory.save()
        assert await database.read(lambda: ContainerRow.select().count()) == 1
        await database.write(lambda: delete_system(system_id))
        assert await database.read(lambda: ContainerRow.select().count()) == 0

    try:
        asyncio.run(run())
    finally:
        database.close()


def test_a_row_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    database = Database(place_at(tmp_path / "data.db"))
    database.open()

    def write() -> None:
        system_id = insert_system(name="one", now_ms=0, members=[])
        good = msgspec.to_builtins(make_facts())
        ContainerRow.insert(system_id=system_id, id=WEB_ID, facts=good, seen=5).execute()
        ContainerRow.insert(system_id=system_id, id=DB_ID, facts={"id": 7}, seen=6).execute()

    try:
        database.write_now(write)
        (stored,) = database.read_now(load_inventories).values()
        assert stored.facts == (make_facts(),)
        assert isinstance(stored.facts[0], ContainerFacts)
    finally:
        database.close()
