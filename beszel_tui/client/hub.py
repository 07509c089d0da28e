"""One hub as a source: its feed for what changes, HTTP for what was."""

import asyncio
from collections.abc import Sequence
from typing import Final

from beszel_protocol.sample import HostDetails
from beszel_tui.client.feed import Feed
from beszel_tui.client.http import HubHttp
from beszel_tui.config import hub_label
from beszel_tui.state.events import FeedEvent
from beszel_tui.state.series import BUCKET_MS, TRAIL_BUCKETS, Columns, Trail, bucket_means, trail_from

_TRAIL_ADDRESS: Final = "cpu.usage_percent"


class HubSource:
    """Requests raise `ClientError`."""

    def __init__(self, hub: str, token: str) -> None:
        self.label = hub_label(hub)
        self._feed = Feed(hub, token)
        self._http = HubHttp(hub, token)

    @property
    def events(self) -> "asyncio.Queue[FeedEvent]":
        return self._feed.events

    async def run(self) -> None:
        try:
            await self._feed.run()
        finally:
            await self._http.close()

    def watch(self, system_id: str | None) -> None:
        self._feed.watch(system_id)

    def retry_now(self) -> None:
        self._feed.retry_now()

    async def trail(self, system_id: str, hub_now_ms: int) -> Trail | None:
        bucket = hub_now_ms // BUCKET_MS
        start_ms = (bucket - TRAIL_BUCKETS) * BUCKET_MS
        columns = await self._http.series(system_id, [_TRAIL_ADDRESS], start_ms, bucket * BUCKET_MS, TRAIL_BUCKETS)
        lane = columns.lane(_TRAIL_ADDRESS)
        if lane is None:
            return None
        return trail_from(bucket, bucket_means(columns.timestamps_ms, lane.mean, bucket))

    async def columns(
        self, system_id: str, addresses: Sequence[str], start_ms: int, end_ms: int, points: int
    ) -> Columns:
        return await self._http.series(system_id, addresses, start_ms, end_ms, points)

    async def details(self, system_id: str) -> HostDetails | None:
        return await self._http.details(system_id)

    async def set_paused(self, system_id: str, *, paused: bool) -> None:
        await self._http.set_status(system_id, "paused" if paused else "pending")
