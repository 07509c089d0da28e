"""A service and a disk in full, asked of a real hub with a real link to an agent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Literal

import pytest

from beszel_hub.components.queries import save_services
from beszel_hub.components.rows import service_columns
from beszel_protocol.messages import Request
from beszel_protocol.sample import ServiceUnitMetrics
from beszel_tui.client.hub import HubSource
from beszel_tui.errors import HubRefused, HubUnreachable
from tests.support.containers import ContainerAgent, container_agent
from tests.support.runninghub import RunningHub, running_hub
from tests.support.scriptedserver import page, says, scripted

Talk = Callable[[ContainerAgent, HubSource, str], Awaitable[None]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def user(hub: RunningHub) -> str:
    return hub.create_user("ada@example.org", "admin")


def converse(hub: RunningHub, user: str, talk: Talk, *, scope: Literal["read", "write"] = "write") -> None:
    """With an agent whose host has the service nginx."""
    token = hub.create_token(user, scope)
    system = hub.create_system("conversing")
    units = {"nginx": ServiceUnitMetrics(state="active", sub_state="running")}
    hub.hub.database.write_now(lambda: save_services(system[0], service_columns(system[0], units, 0)))

    async def run() -> None:
        source = HubSource(hub.url, token)
        async with container_agent(hub, system) as agent:
            try:
                await talk(agent, source, system[0])
            finally:
                await source.close()

    asyncio.run(run())


async def next_request(agent: ContainerAgent) -> Request:
    async with asyncio.timeout(5):
        return await agent.requests.get()


def test_what_its_manager_knows_of_a_service(hub: RunningHub, user: str) -> None:
    async def talk(agent: ContainerAgent, source: HubSource, system: str) -> None:
        asking = asyncio.create_task(source.service_detail(system, "nginx"))
        told = {"state": "active", "main_pid": 7, "cpu_seconds": 1.5, "description": "a \x1b[31mserver"}
        await agent.answer(await next_request(agent), told)
        found = await asking
        assert (found.state, found.main_pid, found.cpu_seconds) == ("active", 7, 1.5)
        assert (found.description, found.restarts) == ("a [31mserver", None)
        with pytest.raises(HubRefused):
            await source.service_detail(system, "apache")
        asking = asyncio.create_task(source.service_detail(system, "nginx"))
        await agent.answer(await next_request(agent), {"state": ["x"] * 3})
        with pytest.raises(HubRefused) as refused:
            await asking
        assert refused.value.status == 502

    converse(hub, user, talk)


def test_properties_of_another_kind_are_no_answer() -> None:
    async def run() -> None:
        async with scripted(says(page(b'{"details": {"MainPID": "seven"}}'))) as server:
            source = HubSource(server.url(""), "a-token")
            try:
                with pytest.raises(HubUnreachable, match="not the answer of a hub"):
                    await source.service_detail("a" * 15, "nginx")
            finally:
                await source.close()

    asyncio.run(run())


def test_the_table_of_a_disk_once_it_was_read(hub: RunningHub, user: str) -> None:
    async def talk(agent: ContainerAgent, source: HubSource, system: str) -> None:
        assert await source.disk_detail(system, "it's") is None
        reading = asyncio.create_task(source.refresh_disks(system))
        lines = [
            {"id": 5, "name": "Reallocated", "raw": "3 (0 1)", "value": 9, "worst": 8, "threshold": 10},
            {"name": "Wear", "raw": "2%", "failed": "past"},
        ]
        told = {"summary": {"device": "sda", "severity": 2}, "firmware": "82.00", "attributes": lines}
        await agent.answer(await next_request(agent), {"disks": [{"key": "it's", "reading": told}]})
        await reading
        found = await source.disk_detail(system, "it's")
        assert found is not None
        assert (found.state, found.firmware, found.serial) == ("FAILED", "82.00", "it's")
        first, second = found.attributes or []
        assert (first.id, first.name, first.value, first.threshold, first.raw) == (5, "Reallocated", 9, 10, "3 (0 1)")
        assert (first.level, second.level, second.failed) == ("critical", "warning", "past")

    converse(hub, user, talk)


def test_who_may_only_read_has_no_disks_read(hub: RunningHub, user: str) -> None:
    async def talk(agent: ContainerAgent, source: HubSource, system: str) -> None:
        with pytest.raises(HubRefused) as refused:
            await source.refresh_disks(system)
        assert refused.value.status == 403
        assert agent.requests.empty()

    converse(hub, user, talk, scope="read")
