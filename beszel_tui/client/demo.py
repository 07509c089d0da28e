"""The demonstration as a source: what `state.demo` computes, once a second."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

import msgspec

from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_protocol.details import HostDetails
from beszel_protocol.feed import CONTAINERS_TOPIC, CONTAINERS_TOPIC_PREFIX, Alerts, Containers, Fleet, SystemSample
from beszel_protocol.processes import ProcessList, ProcessOrder
from beszel_protocol.services import ServiceDetail
from beszel_protocol.timestamps import format_timestamp, parse_timestamp
from beszel_tui.client.alerts import AlertDesk
from beszel_tui.client.demo_account import DemoAccount
from beszel_tui.client.demo_alerts import DemoAlerts
from beszel_tui.client.source import EVENT_QUEUE_SIZE
from beszel_tui.errors import HubRefused
from beszel_tui.state.components import DiskRecord
from beszel_tui.state.demo import (
    demo_columns,
    demo_container,
    demo_container_trails,
    demo_details,
    demo_host_containers,
    demo_processes,
    demo_rows,
    demo_sample,
    demo_trail,
)
from beszel_tui.state.demo_alerts import demo_alerts
from beszel_tui.state.demo_components import demo_disk, demo_service
from beszel_tui.state.demo_containers import demo_inspection, demo_log
from beszel_tui.state.enrolment import Enrolment
from beszel_tui.state.events import Connected, FeedEvent, Received
from beszel_tui.state.series import Columns, Trail

_KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemoDemoDemoDemoDemoDemoDemoDemoDemoDemoDem"
_UUID: Final = "6f1ed002-ab1c-4ab1-a9ef-0d1b2c3d4e5f"
_LOG_SPAN_MS: Final = 180_000


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


class DemoSource:
    def __init__(self, clock: Callable[[], int] = clock_ms) -> None:
        self.label = "demo"
        self.events: asyncio.Queue[FeedEvent] = asyncio.Queue(EVENT_QUEUE_SIZE)
        self._clock = clock
        self._watched: str | None = None
        self._containers: str | None = None
        self._pace_seconds = 1
        self._sequence = 0
        self.alerts: AlertDesk = DemoAlerts(clock)

    async def run(self) -> None:
        at_ms = self._clock()
        await self.events.put(Connected(at_ms=at_ms))
        await self._tell(at_ms)
        alerts = Alerts(sequence=self._sequence, hub_ms=at_ms, alerts=demo_alerts(at_ms))
        await self.events.put(Received(at_ms=at_ms, frame=alerts))
        while True:
            await asyncio.sleep(self._pace_seconds)
            await self._tell(self._clock())

    @property
    def account(self) -> DemoAccount:
        return DemoAccount(self._clock())

    async def close(self) -> None:
        """There is nothing open."""

    def pace(self, seconds: int) -> None:
        self._pace_seconds = seconds

    def watch(self, system_id: str | None) -> None:
        self._watched = system_id
        if system_id is not None and not self.events.full():
            self.events.put_nowait(self._sample(system_id, self._clock()))

    def watch_containers(self, topic: str | None) -> None:
        self._containers = topic
        if topic is not None and not self.events.full():
            self.events.put_nowait(self._containers_frame(topic, self._clock()))

    async def logs(self, system_id: str, query: LogsQuery) -> AsyncIterator[LogBatch]:
        facts = demo_container(system_id, query.id)
        if facts is None:
            raise HubRefused(404, "There is nothing here.")
        at_ms = self._clock()
        start_ms = at_ms - _LOG_SPAN_MS if query.since is None else parse_timestamp(query.since)
        yield LogBatch(lines=list(demo_log(system_id, facts, start_ms, at_ms))[-query.tail :])
        while query.follow:
            await asyncio.sleep(1)
            now_ms = self._clock()
            yield LogBatch(lines=list(demo_log(system_id, facts, at_ms + 1, now_ms)))
            at_ms = now_ms

    async def inspect(self, system_id: str, container_id: str) -> str:
        facts = demo_container(system_id, container_id)
        if facts is None:
            raise HubRefused(404, "There is nothing here.")
        return msgspec.json.format(msgspec.json.encode(demo_inspection(facts)), indent=2).decode()

    def retry_now(self) -> None:
        """There is nothing to reconnect to."""

    async def trail(self, system_id: str, hub_now_ms: int) -> Trail | None:
        return demo_trail(system_id, hub_now_ms)

    async def container_trails(self, system_id: str, names: Sequence[str], hub_now_ms: int) -> Mapping[str, Trail]:
        return demo_container_trails(system_id, names, hub_now_ms)

    async def columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        return await asyncio.to_thread(demo_columns, system_id, list(addresses), start_ms, end_ms, points)

    async def created_ms(self, system_id: str) -> int | None:
        del system_id
        return None  # all of them have been there for ever

    async def details(self, system_id: str) -> HostDetails | None:
        return demo_details(system_id)

    async def processes(self, system_id: str, by: ProcessOrder) -> ProcessList:
        return demo_processes(system_id, by, self._clock())

    async def service_detail(self, system_id: str, name: str) -> ServiceDetail:
        return demo_service(system_id, name, self._clock())

    async def disk_detail(self, system_id: str, key: str) -> DiskRecord | None:
        return demo_disk(system_id, key, self._clock())

    async def refresh_disks(self, system_id: str) -> None:
        """They are read anew whenever somebody asks."""

    async def enrol(self, name: str) -> Enrolment:
        return Enrolment(
            system_id="demo000new", name=name, key=_KEY, token=_UUID,
            hub_url="https://hub.example.net",
        )  # fmt: skip

    async def enrolment(self, system_id: str, name: str) -> Enrolment:
        return msgspec.structs.replace(await self.enrol(name), system_id=system_id)

    async def set_paused(self, system_id: str, *, paused: bool) -> None:
        raise HubRefused(403, f"the demonstration cannot {'pause' if paused else 'resume'} {system_id}")

    async def set_tags(self, system_id: str, tags: Sequence[str]) -> None:
        raise HubRefused(403, f"the demonstration cannot tag {system_id} with {' '.join(tags)}")

    async def delete_system(self, system_id: str) -> None:
        raise HubRefused(403, f"the demonstration cannot delete {system_id}")

    async def _tell(self, at_ms: int) -> None:
        self._sequence += 1
        fleet = Fleet(sequence=self._sequence, hub_ms=at_ms, systems=demo_rows(at_ms))
        await self.events.put(Received(at_ms=at_ms, frame=fleet))
        if self._watched is not None:
            await self.events.put(self._sample(self._watched, at_ms))
        if self._containers is not None:
            await self.events.put(self._containers_frame(self._containers, at_ms))

    def _containers_frame(self, topic: str, at_ms: int) -> Received:
        self._sequence += 1
        wanted = topic.removeprefix(CONTAINERS_TOPIC_PREFIX)
        ids = [row.id for row in demo_rows(at_ms) if topic == CONTAINERS_TOPIC or row.id == wanted]
        hosts = [host for system_id in ids if (host := demo_host_containers(system_id, at_ms)) is not None]
        return Received(at_ms=at_ms, frame=Containers(sequence=self._sequence, hub_ms=at_ms, hosts=hosts))

    def _sample(self, system_id: str, at_ms: int) -> Received:
        self._sequence += 1
        sample = SystemSample(
            sequence=self._sequence,
            system=system_id,
            timestamp=format_timestamp(at_ms),
            metrics=demo_sample(system_id, at_ms),
        )
        return Received(at_ms=at_ms, frame=sample)
