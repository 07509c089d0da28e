"""What agents are to be configured with, kept in step with the database by everybody who writes there."""

import asyncio
from collections.abc import Callable

from beszel_hub.checks import queries
from beszel_hub.store.database import Database
from beszel_protocol.messages import Configuration


class Checks:
    """`on_changed` hears of each system whose configuration is another than it was."""

    def __init__(self, database: Database) -> None:
        self.on_changed: list[Callable[[str, Configuration], None]] = []
        self._database = database
        self._revisions: dict[str, int] | None = None
        self._lock = asyncio.Lock()

    async def configuration_of(self, system_id: str) -> Configuration:
        return await self._database.read(lambda: queries.load_configuration(system_id))

    async def refresh(self) -> None:
        """Look which revisions have risen, and tell who listens; at first there is no news, as nobody is connected."""
        async with self._lock:
            told, revisions = self._revisions, await self._database.read(queries.load_revisions)
            if told is None:
                self._revisions = revisions
                return
            changed = [system_id for system_id, revision in revisions.items() if told.get(system_id) != revision]
            for system_id in changed:
                configuration = await self.configuration_of(system_id)
                told[system_id] = revisions[system_id]  # each by itself: the next look tells whom this one does not
                for listener in self.on_changed:
                    listener(system_id, configuration)
            for system_id in told.keys() - revisions.keys():
                del told[system_id]
