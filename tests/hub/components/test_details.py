"""Services and disks in full, asked of an agent over a real link by clients over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest

from beszel_hub.components import details
from beszel_hub.components.queries import save_services
from beszel_hub.components.rows import service_columns
from beszel_protocol.messages import Request
from beszel_protocol.sample import ServiceUnitMetrics
from tests.support.containers import ContainerAgent, container_agent
from tests.support.runninghub import RunningHub, running_hub

PROCESSES = "/api/beszel/processes"
SERVICE = "/api/beszel/systemd/info"
REFRESH = "/api/beszel/smart/refresh"
DISKS = "/api/collections/smart_devices/records"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def token(hub: RunningHub) -> str:
    return hub.create_token(hub.create_user("ada@example.org", "admin"), "write")


Talk = Callable[[ContainerAgent, httpx2.AsyncClient, str], Awaitable[None]]


def converse(hub: RunningHub, token: str, talk: Talk) -> None:
    """With a connected agent whose host has the service nginx, a client, and the system's id."""
    system = hub.create_system("conversing")
    units = {"nginx": ServiceUnitMetrics(state="active", sub_state="running")}
    hub.hub.database.write_now(lambda: save_services(system[0], service_columns(system[0], units, 0)))

    async def run() -> None:
        async with (
            container_agent(hub, system) as agent,
            httpx2.AsyncClient(base_url=hub.url, headers={"Authorization": token}, timeout=20) as client,
        ):
            await talk(agent, client, system[0])

    asyncio.run(run())


async def next_request(agent: ContainerAgent) -> Request:
    async with asyncio.timeout(5):
        return await agent.requests.get()


def test_a_service_as_beszels_clients_read_it(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        asking = asyncio.create_task(client.get(SERVICE, params={"system": system, "service": "nginx"}))
        request = await next_request(agent)
        assert (request.action, request.params) == ("service_detail", {"name": "nginx"})
        told = {
            "name": "nginx", "unit": "nginx.service", "state": "active", "main_pid": 7, "cpu_seconds": 1.5,
            "description": "a \x1b[31mserver", "environment": "PASSWORD=1",
        }  # fmt: skip
        await agent.answer(request, told)
        assert (await asking).json() == {
            "details": {
                "Id": "nginx.service", "ActiveState": "active", "MainPID": 7, "CPUUsageNSec": 1_500_000_000,
                "Description": "a [31mserver",
            }
        }  # fmt: skip

    converse(hub, token, talk)


@pytest.mark.parametrize("told", [[], "text", 5, None, {"cpu_seconds": 1e300, "state": ["x"] * 10}])
def test_an_answer_that_is_none_harms_nobody(hub: RunningHub, token: str, told: Any) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        asking = asyncio.create_task(client.get(SERVICE, params={"system": system, "service": "nginx"}))
        await agent.answer(await next_request(agent), told)
        assert (await asking).status_code in {200, 502}
        refreshing = asyncio.create_task(client.post(REFRESH, params={"system": system}))
        await agent.answer(await next_request(agent), told)
        assert (await refreshing).status_code == 502

    converse(hub, token, talk)


def test_what_is_not_there_is_not_asked_for(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        for service, status in (("apache", 404), ("", 400), ("x" * 300, 400)):
            answer = await client.get(SERVICE, params={"system": system, "service": service})
            assert answer.status_code == status
        assert (await client.get(SERVICE, params={"system": "nope", "service": "nginx"})).status_code == 404
        assert (await client.post(REFRESH)).status_code == 404
        assert agent.requests.empty()

    converse(hub, token, talk)


def test_a_refresh_keeps_the_whole_table(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        refreshing = asyncio.create_task(client.post(REFRESH, params={"system": system}))
        request = await next_request(agent)
        assert (request.action, request.params) == ("disk_detail", {"refresh": True})
        line = {"id": 5, "name": "Reallocated_Sector_Ct", "raw": "3 (0 1)", "value": 99, "worst": 98, "threshold": 10}
        summary = {
            "device": "sda", "severity": 2, "model": "WD\x07 Red\x1b[2J", "power_on_hours": -5,
            "temperature_celsius": 1e9,
        }  # fmt: skip
        reading = {"summary": summary, "firmware": "82.00", "attributes": [line, {"name": "\x1b[0m", "raw": "x"}]}
        await agent.answer(request, {"disks": [{"key": "S3R1AL", "reading": reading}, {"key": "asleep"}]})
        assert (await refreshing).json() == {"status": "ok"}
        (disk,) = (await client.get(DISKS, params={"filter": f"system = '{system}'"})).json()["items"]
        assert (disk["state"], disk["firmware"], disk["serial"]) == ("FAILED", "82.00", "S3R1AL")
        assert (disk["model"], disk["hours"], disk["temp"]) == ("WD Red[2J", None, None)
        assert disk["attributes"] == [
            {"id": 5, "n": "Reallocated_Sector_Ct", "v": 99, "w": 98, "t": 10, "rv": 3, "rs": "3 (0 1)"},
            {"n": "[0m", "rv": 0, "rs": "x"},
        ]

    converse(hub, token, talk)


def test_an_agent_that_does_not_answer_is_not_awaited_for_ever(
    hub: RunningHub, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr("beszel_hub.agents.requests.GRACE_SECONDS", 0.1)

    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        answer = await client.get(SERVICE, params={"system": system, "service": "nginx"})
        assert answer.status_code == 504

    converse(hub, token, talk)


def test_processes_as_they_run_now(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        asking = asyncio.create_task(client.get(PROCESSES, params={"system": system, "by": "io", "limit": "2"}))
        request = await next_request(agent)
        assert (request.action, request.params) == ("processes", {"by": "io", "limit": 2})
        hostile = {
            "pid": 7, "name": "\x1b[31mpostgres\u202e", "cpu_percent": 1e9, "memory_bytes": -5, "parent": 1,
            "argv": "secret",
        }  # fmt: skip
        await agent.answer(request, {"counts": {"total": 312, "zombies": -1}, "processes": [hostile]})
        assert (await asking).json() == {
            "counts": {"total": 312},
            "processes": [{"pid": 7, "name": "[31mpostgres", "cpu_percent": 1e9, "memory_bytes": -5, "parent": 1}],
        }  # fmt: skip

    converse(hub, token, talk)


@pytest.mark.parametrize("told", [[], None, {"processes": []}, {"counts": {}, "processes": [{"pid": "x", "name": 1}]}])
def test_processes_that_are_none(hub: RunningHub, token: str, told: Any) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        asking = asyncio.create_task(client.get(PROCESSES, params={"system": system}))
        await agent.answer(await next_request(agent), told)
        assert (await asking).status_code == 502

    converse(hub, token, talk)


def test_processes_are_asked_for_in_a_known_order(hub: RunningHub, token: str) -> None:
    async def talk(agent: ContainerAgent, client: httpx2.AsyncClient, system: str) -> None:
        for query in ({"by": "name"}, {"limit": "0"}, {"limit": "1001"}, {"limit": "many"}):
            answer = await client.get(PROCESSES, params={"system": system} | query)
            assert answer.status_code == 400
            assert "cpu, memory or io" in answer.json()["message"]
        assert agent.requests.empty()

    converse(hub, token, talk)
