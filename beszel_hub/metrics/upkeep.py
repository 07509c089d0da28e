"""The periodic work on history: seal, retain, remove; always in small steps, never in the way of new samples."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.metrics import series_upkeep
from beszel_hub.store.database import Database

LATENESS_MS: Final = 60_000
"""How long a window stays open after its end, for samples that are late."""
PAUSE_SECONDS: Final = 0.05
"""Between two steps, so that commits of new samples come first."""


class Upkeep:
    def __init__(self, database: Database, clock: Clock, *, retention_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._retention_ms = round(retention_seconds * 1000)

    async def seal(self) -> None:
        """Put every window that has ended into a chunk."""
        before_ms = self._clock() - LATENESS_MS
        for window in await self._database.read(lambda: series_upkeep.find_due(before_ms)):
            sealed = await self._database.read(partial(series_upkeep.seal_window, window))
            if sealed is not None:
                await self._database.write(partial(series_upkeep.replace_by_chunk, sealed))
            await asyncio.sleep(PAUSE_SECONDS)

    async def retain(self) -> None:
        """Delete what is older than the retention."""
        now_ms = self._clock()
        await self._repeat(partial(series_upkeep.delete_before, now_ms - self._retention_ms, now_ms))

    async def remove(self) -> None:
        """Delete the history of deleted systems."""
        await self._repeat(series_upkeep.remove_step)

    async def _repeat(self, step: Callable[[], int]) -> None:
        """Until a step finds nothing more to delete."""
        deleted = await self._database.write(step)
        while deleted:
            await asyncio.sleep(PAUSE_SECONDS)
            deleted = await self._database.write(step)
