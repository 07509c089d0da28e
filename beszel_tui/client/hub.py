"""One hub as a source: its feed for what changes, HTTP for what was."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from beszel_protocol.addresses import Address, Step
from beszel_protocol.containers import LogBatch, LogsQuery
from beszel_protocol.details import HostDetails
from beszel_protocol.processes import ProcessList, ProcessOrder
from beszel_protocol.services import ServiceDetail
from beszel_tui.client.components import read_disk, read_service, refresh_disks
from beszel_tui.client.containers import read_inspection, read_logs
from beszel_tui.client.enrolment import enrol, read_enrolment
from beszel_tui.client.feed import Feed
from beszel_tui.client.http import HubHttp
from beszel_tui.client.processes import read_processes
from beszel_tui.config import hub_label
from beszel_tui.state.components import DiskRecord
from beszel_tui.state.enrolment import Enrolment
from beszel_tui.state.events import FeedEvent
from beszel_tui.state.series import BUCKET_MS, TRAIL_BUCKETS, Columns, Trail, bucket_means, trail_from

if TYPE_CHECKING:
    from beszel_tui.client.account import HubAccount
    from beszel_tui.client.alerts import AlertDesk

_TRAIL_ADDRESS: Final = "cpu.usage_percent"
_SERIES_AT_ONCE: Final = 32
"""A request line has its limits: names may be long."""


class HubSource:
    """Requests raise `ClientError`."""

    def __init__(self, hub: str, token: str, keep: Callable[[str, str], None] | None = None) -> None:
        """`keep` hears of the old and the new token of a session, whenever it was renewed; without it, it never is."""
        self.label = hub_label(hub)
        self._feed = Feed(hub, token)
        self._http = HubHttp(hub, token)
        self._token = token
        self._keep = keep
        self._account: HubAccount | None = None
        self._alerts: AlertDesk | None = None

    @property
    def events(self) -> "asyncio.Queue[FeedEvent]":
        return self._feed.events

    @property
    def account(self) -> "HubAccount":
        if self._account is None:
            from beszel_tui.client.account import HubAccount  # noqa: PLC0415 (not needed for the first picture)

            self._account = HubAccount(self._http, self._token)
        return self._account

    @property
    def alerts(self) -> "AlertDesk":
        if self._alerts is None:
            from beszel_tui.client.alerts import HubAlerts  # noqa: PLC0415 (not needed for the first picture)

            self._alerts = HubAlerts(self._http, self._token)
        return self._alerts

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                feeding = group.create_task(self._feed.run(), name="connections")
                if self._keep is not None:
                    renewing = group.create_task(self._renew(feeding), name="renewal")
                    feeding.add_done_callback(lambda _: renewing.cancel())
        finally:
            await self.close()

    async def _renew(self, feeding: "asyncio.Task[None]") -> None:
        """As long as there is a session to renew."""
        from beszel_tui.client.renewal import Renewal  # noqa: PLC0415 (not needed for the first picture)

        if await Renewal(self._http, self._token, self._renewed, time.time).run():
            await self._feed.refuse("the session has ended")
            feeding.cancel()

    def _renewed(self, token: str) -> None:
        before, self._token = self._token, token
        self._http.token = self._feed.token = token
        if self._keep is not None:
            self._keep(before, token)

    async def close(self) -> None:
        await self._http.close()

    def watch(self, system_id: str | None) -> None:
        self._feed.watch(system_id)

    def watch_containers(self, topic: str | None) -> None:
        self._feed.watch_containers(topic)

    def pace(self, seconds: int) -> None:
        self._feed.pace(seconds)

    def retry_now(self) -> None:
        self._feed.retry_now()

    async def trail(self, system_id: str, hub_now_ms: int) -> Trail | None:
        return (await self._trails(system_id, [_TRAIL_ADDRESS], hub_now_ms)).get(_TRAIL_ADDRESS)

    async def container_trails(self, system_id: str, names: Sequence[str], hub_now_ms: int) -> Mapping[str, Trail]:
        trails: dict[str, Trail] = {}
        for start in range(0, len(names), _SERIES_AT_ONCE):
            by_address = {
                str(Address((Step("containers", name), Step("cpu_percent", None)))): name
                for name in names[start : start + _SERIES_AT_ONCE]
            }
            found = await self._trails(system_id, list(by_address), hub_now_ms)
            trails |= {by_address[address]: trail for address, trail in found.items() if address in by_address}
        return trails

    async def _trails(self, system_id: str, addresses: Sequence[str], hub_now_ms: int) -> dict[str, Trail]:
        bucket = hub_now_ms // BUCKET_MS
        start_ms = (bucket - TRAIL_BUCKETS) * BUCKET_MS
        columns = await self._http.series(system_id, addresses, start_ms, bucket * BUCKET_MS, TRAIL_BUCKETS)
        return {
            address: trail_from(bucket, bucket_means(columns.timestamps_ms, lane.mean, bucket))
            for address, lane in columns.lanes.items()
        }

    async def columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        return await self._http.series(system_id, addresses, start_ms, end_ms, points)

    async def created_ms(self, system_id: str) -> int | None:
        return await self._http.created_ms(system_id)

    async def details(self, system_id: str) -> HostDetails | None:
        return await self._http.details(system_id)

    def logs(self, system_id: str, query: LogsQuery) -> AsyncIterator[LogBatch]:
        return read_logs(self._http, system_id, query)

    async def inspect(self, system_id: str, container_id: str) -> str:
        return await read_inspection(self._http, system_id, container_id)

    async def processes(self, system_id: str, by: ProcessOrder) -> ProcessList:
        return await read_processes(self._http, system_id, by)

    async def service_detail(self, system_id: str, name: str) -> ServiceDetail:
        return await read_service(self._http, system_id, name)

    async def disk_detail(self, system_id: str, key: str) -> DiskRecord | None:
        return await read_disk(self._http, system_id, key)

    async def refresh_disks(self, system_id: str) -> None:
        await refresh_disks(self._http, system_id)

    async def enrol(self, name: str) -> Enrolment:
        return await enrol(self._http, name)

    async def enrolment(self, system_id: str, name: str) -> Enrolment:
        return await read_enrolment(self._http, system_id, name)

    async def set_paused(self, system_id: str, *, paused: bool) -> None:
        await self._http.change_system(system_id, {"status": "paused" if paused else "pending"})

    async def set_tags(self, system_id: str, tags: Sequence[str]) -> None:
        await self._http.change_system(system_id, {"tags": list(tags)})

    async def delete_system(self, system_id: str) -> None:
        await self._http.delete_system(system_id)
