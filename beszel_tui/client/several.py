"""Several hubs as one source: each system's id is led by the name of its hub, and each hub lives and ends by itself.

Instants of a hub are turned into those of our clock on their way in, and back on their way out, so that hubs whose
clocks differ can stand side by side.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_protocol.details import HostDetails
from beszel_protocol.feed import (
    CONTAINERS_TOPIC,
    CONTAINERS_TOPIC_PREFIX,
    Alerts,
    Containers,
    Fleet,
    FleetRow,
    HostContainers,
    SystemSample,
)
from beszel_protocol.processes import ProcessList, ProcessOrder
from beszel_protocol.services import ServiceDetail
from beszel_protocol.timestamps import format_timestamp, parse_timestamp
from beszel_tui.client.alerts import AlertDesk
from beszel_tui.client.source import EVENT_QUEUE_SIZE, Source
from beszel_tui.errors import HubRefused
from beszel_tui.state.alertbook import AlertBook, Kind, Trial
from beszel_tui.state.components import DiskRecord
from beszel_tui.state.enrolment import Enrolment
from beszel_tui.state.events import Connected, Disconnected, FeedEvent, HubChanged, Received, Refused
from beszel_tui.state.hubs import SEPARATOR, hub_of
from beszel_tui.state.series import BUCKET_MS, Columns, Trail


class SeveralHubs:
    """Requests raise `ClientError`, of the hub that is asked."""

    account: Final = None

    def __init__(self, hubs: Mapping[str, Source]) -> None:
        self.alerts: AlertDesk = NoDesk()
        self.label = f"{len(hubs)} hub{'' if len(hubs) == 1 else 's'}"
        self.events: asyncio.Queue[FeedEvent] = asyncio.Queue(EVENT_QUEUE_SIZE)
        self._hubs = dict(hubs)
        self._offsets_ms = dict.fromkeys(hubs, 0)
        """What to add to our clock to get the hub's."""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for name, hub in self._hubs.items():
                group.create_task(hub.run(), name=f"hub {name}")
                group.create_task(self._pump(name, hub), name=f"events of {name}")

    async def close(self) -> None:
        for hub in self._hubs.values():
            await hub.close()

    async def _pump(self, name: str, hub: Source) -> None:
        while True:
            event = await hub.events.get()
            if isinstance(event, Connected | Disconnected | Refused):
                await self.events.put(HubChanged(hub=name, event=event))
            elif isinstance(event, Received) and (received := self._translated(name, event)) is not None:
                await self.events.put(received)

    # Frames

    def _translated(self, hub: str, event: Received) -> Received | None:
        frame, at_ms = event.frame, event.at_ms
        if isinstance(frame, Fleet):
            self._offsets_ms[hub] = frame.hub_ms - at_ms
            rows = [self._row(hub, row) for row in frame.systems]
            removed = [_joined(hub, system_id) for system_id in frame.removed]
            return Received(at_ms=at_ms, hub=hub, frame=replace(frame, hub_ms=at_ms, systems=rows, removed=removed))
        if isinstance(frame, SystemSample):
            timestamp = self._our_timestamp(hub, frame.timestamp)
            sample = replace(frame, system=_joined(hub, frame.system), timestamp=timestamp)
            return Received(at_ms=at_ms, hub=hub, frame=sample)
        if isinstance(frame, Containers):
            hosts = [self._host(hub, host) for host in frame.hosts]
            removed = [_joined(hub, system_id) for system_id in frame.removed]
            return Received(at_ms=at_ms, hub=hub, frame=replace(frame, hub_ms=at_ms, hosts=hosts, removed=removed))
        if isinstance(frame, Alerts):
            alerts = [
                replace(
                    alert, id=_joined(hub, alert.id), system=_joined(hub, alert.system),
                    since_ms=alert.since_ms - self._offsets_ms[hub],
                )
                for alert in frame.alerts
            ]  # fmt: skip
            removed = [_joined(hub, alert_id) for alert_id in frame.removed]
            return Received(at_ms=at_ms, hub=hub, frame=replace(frame, hub_ms=at_ms, alerts=alerts, removed=removed))
        return None  # a resync was answered by the hub's own source

    def _row(self, hub: str, row: FleetRow) -> FleetRow:
        return replace(
            row, id=_joined(hub, row.id), updated_ms=self._ours(hub, row.updated_ms),
            status_since_ms=self._ours(hub, row.status_since_ms),
        )  # fmt: skip

    def _host(self, hub: str, host: HostContainers) -> HostContainers:
        return replace(host, system=_joined(hub, host.system), updated_ms=self._ours(hub, host.updated_ms))

    def _ours(self, hub: str, instant_ms: int | None) -> int | None:
        return None if instant_ms is None else instant_ms - self._offsets_ms[hub]

    def _our_timestamp(self, hub: str, text: str) -> str:
        try:
            return format_timestamp(max(0, parse_timestamp(text) - self._offsets_ms[hub]))
        except ValueError:
            return text  # whoever reads it knows what to do with such a one

    # What is wanted

    def watch(self, system_id: str | None) -> None:
        name, plain = (None, None) if system_id is None else self._split(system_id)
        for key, hub in self._hubs.items():
            hub.watch(plain if key == name else None)

    def watch_containers(self, topic: str | None) -> None:
        name, plain = None, topic
        if topic is not None and topic != CONTAINERS_TOPIC:
            name, system_id = self._split(topic.removeprefix(CONTAINERS_TOPIC_PREFIX))
            plain = CONTAINERS_TOPIC_PREFIX + system_id
        for key, hub in self._hubs.items():
            hub.watch_containers(plain if name in {None, key} else None)

    def pace(self, seconds: int) -> None:
        for hub in self._hubs.values():
            hub.pace(seconds)

    def retry_now(self) -> None:
        for hub in self._hubs.values():
            hub.retry_now()

    # Requests

    async def trail(self, system_id: str, hub_now_ms: int) -> Trail | None:
        name, plain = self._split(system_id)
        offset_ms = self._offsets_ms[name]
        trail = await self._hubs[name].trail(plain, hub_now_ms + offset_ms)
        return None if trail is None else _shifted(trail, offset_ms)

    async def container_trails(self, system_id: str, names: Sequence[str], hub_now_ms: int) -> Mapping[str, Trail]:
        name, plain = self._split(system_id)
        offset_ms = self._offsets_ms[name]
        trails = await self._hubs[name].container_trails(plain, names, hub_now_ms + offset_ms)
        return {key: _shifted(trail, offset_ms) for key, trail in trails.items()}

    async def columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        name, plain = self._split(system_id)
        offset_ms = self._offsets_ms[name]
        columns = await self._hubs[name].columns(plain, addresses, start_ms + offset_ms, end_ms + offset_ms, points)
        return replace(columns, timestamps_ms=tuple(instant - offset_ms for instant in columns.timestamps_ms))

    async def created_ms(self, system_id: str) -> int | None:
        name, plain = self._split(system_id)
        created_ms = await self._hubs[name].created_ms(plain)
        return None if created_ms is None else created_ms - self._offsets_ms[name]

    async def details(self, system_id: str) -> HostDetails | None:
        hub, plain = self._at(system_id)
        return await hub.details(plain)

    def logs(self, system_id: str, query: LogsQuery) -> AsyncIterator[LogBatch]:
        hub, plain = self._at(system_id)
        return hub.logs(plain, query)

    async def inspect(self, system_id: str, container_id: str) -> str:
        hub, plain = self._at(system_id)
        return await hub.inspect(plain, container_id)

    async def processes(self, system_id: str, by: ProcessOrder) -> ProcessList:
        hub, plain = self._at(system_id)
        return await hub.processes(plain, by)

    async def service_detail(self, system_id: str, name: str) -> ServiceDetail:
        hub, plain = self._at(system_id)
        return await hub.service_detail(plain, name)

    async def disk_detail(self, system_id: str, key: str) -> DiskRecord | None:
        hub, plain = self._at(system_id)
        return await hub.disk_detail(plain, key)

    async def refresh_disks(self, system_id: str) -> None:
        hub, plain = self._at(system_id)
        await hub.refresh_disks(plain)

    async def enrol(self, name: str) -> Enrolment:
        raise HubRefused(400, f"which hub shall {name} be at? Go there first, with :hub")

    async def enrolment(self, system_id: str, name: str) -> Enrolment:
        hub, plain = self._at(system_id)
        enrolment = await hub.enrolment(plain, name)
        return replace(enrolment, system_id=system_id)

    async def set_paused(self, system_id: str, *, paused: bool) -> None:
        hub, plain = self._at(system_id)
        await hub.set_paused(plain, paused=paused)

    async def set_tags(self, system_id: str, tags: Sequence[str]) -> None:
        hub, plain = self._at(system_id)
        await hub.set_tags(plain, tags)

    async def delete_system(self, system_id: str) -> None:
        hub, plain = self._at(system_id)
        await hub.delete_system(plain)

    def _at(self, system_id: str) -> tuple[Source, str]:
        name, plain = self._split(system_id)
        return self._hubs[name], plain

    def _split(self, system_id: str) -> tuple[str, str]:
        name = hub_of(system_id)
        if name not in self._hubs:
            raise HubRefused(404, "this system is at none of the hubs")
        return name, system_id[len(name) + len(SEPARATOR) :]


class NoDesk:
    """Rules, history and channels are each hub's own."""

    async def read(self) -> AlertBook:
        raise _ONE_HUB

    async def acknowledge(self, alert_id: str) -> None:
        del alert_id
        raise _ONE_HUB

    async def save(self, kind: Kind, record_id: str | None, values: Mapping[str, Any]) -> None:
        del kind, record_id, values
        raise _ONE_HUB

    async def delete(self, kind: Kind, record_id: str) -> None:
        del kind, record_id
        raise _ONE_HUB

    async def try_rule(self, rule_id: str, system_id: str, since_seconds: int) -> Trial:
        del rule_id, system_id, since_seconds
        raise _ONE_HUB

    async def try_channel(self, channel_id: str) -> str:
        del channel_id
        raise _ONE_HUB

    async def tell_again(self, delivery_id: str) -> None:
        del delivery_id
        raise _ONE_HUB


_ONE_HUB: Final = HubRefused(400, "this is for one hub at a time: go there first, with :hub NAME")


def _joined(hub: str, system_id: str) -> str:
    return f"{hub}{SEPARATOR}{system_id}"


def _shifted(trail: Trail, offset_ms: int) -> Trail:
    return replace(trail, bucket=trail.bucket - round(offset_ms / BUCKET_MS))
