"""What agents tell of disks and services becomes records of their own system, and stays until it is told otherwise."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from beszel_hub.components.queries import FORGET_DISK_MS
from beszel_hub.components.tables import SmartDevice
from beszel_protocol.sample import Metrics, ServiceMetrics, ServiceUnitMetrics
from beszel_protocol.storage import SmartMetrics
from tests.support.bareagent import LinkAgent
from tests.support.eventstream import event_stream
from tests.support.runninghub import RunningHub, running_hub

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


class Host:
    """A system with an agent that tells parts of samples, and its owner."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        user_id = hub.create_user(f"owner{next(numbers)}@example.org")
        self.token = hub.create_token(user_id, "write")
        self.system_id, agent_token = hub.create_system("host", user_id)
        self._agent = LinkAgent(hub.link_url, agent_token)
        self._told = 0

    def tell(self, *parts: Metrics) -> None:
        asyncio.run(self._tell(parts))
        self.hub.call(self.hub.hub.components.save())

    async def _tell(self, parts: tuple[Metrics, ...]) -> None:
        async with self._agent.enrolled() as agent:
            for metrics in parts:
                self._told += 1
                await agent.send(msgspec.structs.replace(agent.agent.sample(self._told), metrics=metrics))
            await agent.await_stored((1, self._told))

    def records(self, collection: str) -> list[dict[str, Any]]:
        answer = httpx2.get(
            f"{self.hub.url}/api/collections/{collection}/records", headers={"Authorization": self.token},
            params={"sort": "name"},
        )  # fmt: skip
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def disk(device: str, **facts: Any) -> SmartMetrics:
    return SmartMetrics(device=device, **facts)


def unit(state: str, sub_state: str, **facts: Any) -> ServiceUnitMetrics:
    return ServiceUnitMetrics(state=state, sub_state=sub_state, **facts)


def test_disks_have_beszels_fields(hub: RunningHub) -> None:
    host = Host(hub)
    facts = {
        "severity": 1, "model": "WD Red", "type": "ata", "total_bytes": 4_000_787_030_016, "temperature_celsius": 31.5,
        "power_on_hours": 12_345, "power_cycles": 12, "reallocated_sectors": 3,
    }  # fmt: skip
    host.tell(Metrics(smart={"S3R1AL": disk("sda", **facts)}))
    (record,) = host.records("smart_devices")
    names = ("system", "name", "model", "state", "serial", "type", "hours", "cycles")
    assert {name: record[name] for name in names} == {
        "system": host.system_id, "name": "sda", "model": "WD Red", "state": "WARNING", "serial": "S3R1AL",
        "type": "ata", "hours": 12_345, "cycles": 12,
    }  # fmt: skip
    assert (record["capacity"], record["temp"]) == (4_000_787_030_016, 31.5)
    assert record["attributes"] == [{"n": "Reallocated sectors", "rv": 3}]
    assert (len(record["id"]), record["collectionId"]) == (15, "pbc_2571630677")


def test_disks_told_one_by_one_are_all_there_and_those_long_gone_are_not(hub: RunningHub) -> None:
    host = Host(hub)
    host.tell(Metrics(smart={"A": disk("sda")}), Metrics(smart={"B": disk("sdb", severity=0)}))
    assert [(record["name"], record["state"]) for record in host.records("smart_devices")] == [
        ("sda", "UNKNOWN"),
        ("sdb", "PASSED"),
    ]
    long_ago = hub.hub.clock() - FORGET_DISK_MS - 1
    hub.hub.database.write_now(lambda: SmartDevice.update(updated=long_ago).where(SmartDevice.serial == "A").execute())
    host.tell(Metrics(smart={"B": disk("sdb")}))
    assert [record["name"] for record in host.records("smart_devices")] == ["sdb"]


def test_services_are_replaced_and_keep_their_peak(hub: RunningHub) -> None:
    host = Host(hub)
    first = {
        "nginx": unit("active", "running", cpu_percent=12.345, memory_bytes=1000, memory_peak_bytes=2000),
        "cron": unit("failed", "failed"), "odd": unit("maintenance", "odd"),
    }  # fmt: skip
    host.tell(Metrics(services=ServiceMetrics(total=3, failed=1, units=first)))
    shown = {record["name"]: record for record in host.records("systemd_services")}
    assert [(shown[name]["state"], shown[name]["sub"]) for name in ("nginx", "cron", "odd")] == [(0, 1), (2, 3), (1, 4)]
    nginx = shown["nginx"]
    assert (nginx["cpu"], nginx["cpuPeak"], nginx["memory"], nginx["memPeak"]) == (12.35, 12.35, 1000, 2000)
    assert isinstance(nginx["updated"], int)
    second = {"nginx": unit("active", "running", cpu_percent=1.0)}
    host.tell(Metrics(services=ServiceMetrics(total=1, failed=0)), Metrics(services=ServiceMetrics(units=second)))
    (nginx,) = host.records("systemd_services")
    assert (nginx["cpu"], nginx["cpuPeak"]) == (1.0, 12.35)


def test_two_hosts_with_the_same_names_have_their_own(hub: RunningHub) -> None:
    one, other = Host(hub), Host(hub)
    for host, model in ((one, "first"), (other, "second")):
        host.tell(Metrics(smart={"SAME": disk("sda", model=model)}))
    assert [record["model"] for record in one.records("smart_devices")] == ["first"]
    assert [record["model"] for record in other.records("smart_devices")] == ["second"]


def test_a_disk_is_told_to_who_listens(hub: RunningHub) -> None:
    host = Host(hub)

    async def run() -> None:
        async with event_stream(hub.url, host.token, "smart_devices/*") as stream:
            await asyncio.to_thread(host.tell, Metrics(smart={"A": disk("sda", severity=2)}))
            event = await stream.receive()
            assert (event.name, event.data["record"]["state"]) == ("smart_devices/*", "FAILED")

    asyncio.run(run())


def test_what_a_deleted_system_told_is_not_kept(hub: RunningHub) -> None:
    host = Host(hub)
    host.tell(Metrics(smart={"A": disk("sda")}))
    path = f"{hub.url}/api/collections/systems/records/{host.system_id}"
    assert httpx2.delete(path, headers={"Authorization": host.token}).status_code == 204
    left = hub.hub.database.read_now(
        lambda: SmartDevice.select().where(SmartDevice.system_id == host.system_id).count()
    )
    assert left == 0
