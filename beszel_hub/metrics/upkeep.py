"""The periodic work on history: seal, roll up, retain, remove; in small steps, never in the way of new samples."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.metrics import series_rollup, series_space, series_upkeep
from beszel_hub.metrics.series_space import Place
from beszel_hub.metrics.tiers import RAW, TIERS, Retention
from beszel_hub.store.database import Database
from beszel_hub.systems.retention import TIER_NAMES
from beszel_protocol.timestamps import format_timestamp
from beszel_protocol.units import format_bytes

LATENESS_MS: Final = 60_000
"""How long a window stays open after its end, for samples that are late."""
PAUSE_SECONDS: Final = 0.05
"""Between two steps, so that commits of new samples come first."""
_RECLAIM_PAGES: Final = 512
_RECLAIM_SHARE: Final = 0.1
"""How much of the file may be free before it is made smaller; new rows take most of it soon."""
_RECLAIM_BYTES: Final = 64 << 20
_TIER_NAMES: Final = dict(zip((RAW, *(tier.seconds for tier in TIERS)), TIER_NAMES, strict=True))

log = logging.getLogger(__name__)


class Upkeep:
    def __init__(
        self, database: Database, clock: Clock, retention: Retention, *,
        read_overrides: Callable[[], Mapping[str, Mapping[str, Any]]], max_bytes: int | None = None,
    ) -> None:  # fmt: skip
        """`read_overrides` tells inside `Database.read` what systems say of their own retention."""
        self._database = database
        self._clock = clock
        self._retention = retention
        self._read_overrides = read_overrides
        self._max_bytes = max_bytes

    async def seal(self) -> int:
        """Put every window that has ended into a chunk; how many samples that were."""
        before_ms = self._clock() - LATENESS_MS
        samples = 0
        for window in await self._database.read(lambda: series_upkeep.find_due(before_ms)):
            sealed = await self._database.read(partial(series_upkeep.seal_window, window))
            if sealed is not None:
                await self._database.write(partial(series_upkeep.replace_by_chunk, sealed))
                samples += sealed.samples
            await asyncio.sleep(PAUSE_SECONDS)
        return samples

    async def roll_up(self) -> None:
        """Make the tiers of every hour and day that is over; after a while without the hub, of all there were."""
        while dues := await self._database.read(lambda: series_rollup.find_rollups(self._clock())):
            for due in dues:
                rolled = await self._database.read(partial(series_rollup.roll_up, due))
                await self._database.write(partial(series_rollup.store_rollup, rolled))
                await asyncio.sleep(PAUSE_SECONDS)

    async def retain(self) -> None:
        """Delete what is older than its retention, then what the size limit leaves no room for."""
        now_ms = self._clock()
        own = await self._database.read(self._read_overrides)
        for place in await self._database.read(series_space.find_oldest):
            retention = self._retention.overridden(own.get(place.system_id, {}))
            cutoff_ms = series_space.cutoff_of(place, retention, now_ms)
            if cutoff_ms is not None:
                await self._expire(place, cutoff_ms)
        if self._retention.raw is not None:
            happenings_ms = now_ms - self._retention.raw * 1000
            await self._repeat(partial(series_space.delete_happenings, happenings_ms, now_ms))
        await self._keep_below_limit()
        await self._give_back()

    async def remove(self) -> None:
        """Delete the history of deleted systems."""
        await self._repeat(series_upkeep.remove_step)

    async def _expire(self, place: Place, cutoff_ms: int) -> int:
        deleted = 0
        while expired := await self._database.read(partial(series_space.find_expired, place, cutoff_ms)):
            deleted += await self._database.write(partial(series_space.delete_expired, expired))
            await asyncio.sleep(PAUSE_SECONDS)
        return deleted

    async def _keep_below_limit(self) -> None:
        """While the database is too large, the oldest span of the finest tier goes, of all systems at once."""
        if self._max_bytes is None:
            return
        while await self._used_bytes() > self._max_bytes:
            finest = await self._database.read(series_space.find_finest)
            if finest is None:
                log.error(
                    "the database is larger than MAX_DATABASE_SIZE (%s), and there is no history left to delete",
                    format_bytes(self._max_bytes),
                )
                return
            tier, before_ms = finest
            deleted = 0
            for place in await self._database.read(series_space.find_oldest):
                if place.tier == tier:
                    deleted += await self._expire(place, before_ms)
            log.warning(
                "the database has reached MAX_DATABASE_SIZE (%s): history %r before %s was deleted, %d chunks",
                format_bytes(self._max_bytes), _TIER_NAMES[tier], format_timestamp(before_ms), deleted,
            )  # fmt: skip
            if not deleted:
                return

    async def _used_bytes(self) -> int:
        size = await self._database.measure()
        return size.whole - size.free

    async def _give_back(self) -> None:
        """Make the file smaller if it has much more room than it will need soon, or than it may have."""
        while True:
            size = await self._database.measure()
            is_much = size.free > max(_RECLAIM_BYTES, size.whole * _RECLAIM_SHARE)
            is_over = self._max_bytes is not None and size.whole > self._max_bytes and size.free > 0
            if not (is_much or is_over) or not await self._database.reclaim(_RECLAIM_PAGES):
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _repeat(self, step: Callable[[], int]) -> None:
        """Until a step finds nothing more to delete."""
        deleted = await self._database.write(step)
        while deleted:
            await asyncio.sleep(PAUSE_SECONDS)
            deleted = await self._database.write(step)


def retention_of(config: HubConfig) -> Retention:
    return Retention(
        raw=config.raw_retention_seconds,
        minute=config.minute_retention_seconds,
        ten_minutes=config.ten_minute_retention_seconds,
        eight_hours=config.eight_hour_retention_seconds,
    )
