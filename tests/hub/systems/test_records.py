"""What changing a system's record means for its agent, its history and its status. Over HTTP and real sockets."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from beszel_hub.metrics.tables import ChunkRow, HistoryRemoval, HotSample, SpoolRow
from beszel_hub.systems.tables import AgentBinding, AgentToken, DetailsRow, Membership
from beszel_protocol.messages import Interval
from tests.support.bareagent import LinkAgent
from tests.support.runninghub import RunningHub, running_hub

SYSTEMS = "/api/collections/systems/records"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def admin(hub: RunningHub) -> str:
    return hub.create_user("ada@example.org", "admin")


@pytest.fixture(scope="module")
def client(hub: RunningHub, admin: str) -> Iterator[httpx2.Client]:
    headers = {"Authorization": hub.create_token(admin, "write")}
    with httpx2.Client(base_url=hub.url, headers=headers, timeout=10) as opened:
        yield opened


def until(what: str, check: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(500):
        if check():
            return
        pause.wait(0.01)
    raise AssertionError(f"not within 5 s: {what}")


def view(client: httpx2.Client, system_id: str) -> dict[str, Any]:
    record: dict[str, Any] = client.get(f"{SYSTEMS}/{system_id}").raise_for_status().json()
    return record


def test_a_life_of_a_record(hub: RunningHub, client: httpx2.Client, admin: str) -> None:
    created = client.post(SYSTEMS, json={"name": "nas", "host": "nas.lan", "port": "45876", "tags": ["home"]}).json()
    assert (created["status"], created["users"], created["tags"]) == ("pending", [admin], ["home"])
    assert created["interval"] == 1
    changed = client.patch(f"{SYSTEMS}/{created['id']}", json={"name": "store", "tags": ["home", "disks"]}).json()
    assert (changed["name"], changed["host"], changed["tags"]) == ("store", "nas.lan", ["home", "disks"])
    assert changed["users"] == [admin]
    assert client.delete(f"{SYSTEMS}/{created['id']}").status_code == 204
    assert client.get(f"{SYSTEMS}/{created['id']}").status_code == 404
    assert hub.hub.systems.directory.get(created["id"]) is None


def test_a_client_may_choose_the_id(client: httpx2.Client) -> None:
    body = {"id": "chosenbyclient1", "name": "chosen"}
    assert client.post(SYSTEMS, json=body).json()["id"] == "chosenbyclient1"
    assert client.post(SYSTEMS, json=body).status_code == 400


def test_a_pause_is_kept_until_it_is_ended(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, token = hub.create_system("paused")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            await agent.send(agent.agent.sample(1))
            await agent.await_stored((1, 1))
            await asyncio.to_thread(until, "up", lambda: view(client, system_id)["status"] == "up")
            paused = await asyncio.to_thread(client.patch, f"{SYSTEMS}/{system_id}", json={"status": "paused"})
            assert paused.json()["status"] == "paused"
            await agent.send(agent.agent.sample(2))
            await agent.await_stored((1, 2))
            assert (await asyncio.to_thread(view, client, system_id))["status"] == "paused"
            await asyncio.to_thread(client.patch, f"{SYSTEMS}/{system_id}", json={"status": "pending"})
            await agent.send(agent.agent.sample(3))
            await agent.await_stored((1, 3))
            await asyncio.to_thread(until, "up again", lambda: view(client, system_id)["status"] == "up")

    asyncio.run(run())
    stored = hub.hub.database.read_now(lambda: HotSample.select().where(HotSample.system_id == system_id).count())
    assert stored == 2


def test_a_new_interval_is_told_at_once(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, token = hub.create_system("slow")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            await asyncio.to_thread(client.patch, f"{SYSTEMS}/{system_id}", json={"interval": 30})
            assert await agent.receive_until(Interval) == Interval(seconds=30.0)

    asyncio.run(run())


def test_a_deleted_system_leaves_nothing_behind(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, token = hub.create_system("doomed")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            for sequence in range(1, 4):
                await agent.send(agent.agent.sample(sequence))
            await agent.await_stored((1, 3))
            await asyncio.to_thread(client.delete, f"{SYSTEMS}/{system_id}")
            assert await agent.close_code() == 4403
        async with LinkAgent(hub.link_url, token).connect() as again:
            await again.hello()
            await again.send_frame(again.make_enrol(again.challenge_frame))
            assert await again.refusal() == ("unknown_token", 4401)

    asyncio.run(run())
    by_system = (HotSample, ChunkRow, SpoolRow, HistoryRemoval, Membership, AgentToken, AgentBinding)

    def remaining() -> int:
        rows = sum(table.select().where(table.system_id == system_id).count() for table in by_system)
        return rows + DetailsRow.select().where(DetailsRow.id == system_id).count()

    hub.call(hub.hub._upkeep.remove())
    assert hub.hub.database.read_now(remaining) == 0


def test_info_follows_what_the_agent_tells(hub: RunningHub, client: httpx2.Client) -> None:
    system_id, token = hub.create_system("informed")

    async def run() -> None:
        async with LinkAgent(hub.link_url, token).enrolled() as agent:
            await agent.send(agent.agent.sample(1, cpu_percent=41.25))
            await agent.await_stored((1, 1))

    asyncio.run(run())
    hub.call(hub.hub._presence.save_infos())
    info = view(client, system_id)["info"]
    assert (info["cpu"], info["mp"], info["dp"], info["v"], info["ct"], info["t"]) == (41.25, 25.0, 30.0, "0.1.0", 2, 4)
    listed = client.get(SYSTEMS, params={"filter": f"id='{system_id}' && info.cpu > 40", "fields": "id,info.cpu"})
    assert listed.json()["items"] == [{"id": system_id, "info": {"cpu": 41.25}}]
