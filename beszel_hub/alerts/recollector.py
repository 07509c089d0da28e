"""Looks up in history what the engine does not know by itself: its windows after a start, events, monthly traffic."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from beszel_hub.alerts.engine import Engine
from beszel_hub.alerts.moment import Moment
from beszel_hub.alerts.past import Annals, Digest, Wanted, condense
from beszel_hub.clock import Clock
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.messages import Event

SYSTEMS_AT_ONCE: Final = 20
"""Whose past is read with one look at the database."""

T = TypeVar("T")


class Recollector:
    """`monotonic_ms` never goes back."""

    def __init__(
        self, database: Database, directory: Directory, engine: Engine, clock: Clock, monotonic_ms: Callable[[], int]
    ) -> None:
        self.history: Annals | None = None
        """Without it windows begin empty."""
        self._database = database
        self._directory = directory
        self._engine = engine
        self._clock = clock
        self._monotonic_ms = monotonic_ms

    async def recall(self) -> None:
        """Look up what windows lack, after a start or for new rules."""
        if self.history is None:
            return
        asking = self._engine.asking(self._moment())
        for begin in range(0, len(asking), SYSTEMS_AT_ONCE):
            systems = asking[begin : begin + SYSTEMS_AT_ONCE]
            wanted = [wanted for system_id in systems for wanted in self._engine.wanting(system_id)]
            if not wanted:
                continue
            found = await self._read_gently(partial(_look_back, self.history, wanted))
            for one, past in zip(wanted, found, strict=True):
                self._engine.recall(one.system_id, past, self._moment())
                await asyncio.sleep(0)

    async def count_traffic(self) -> None:
        """Bring up to date what systems carried in the month that rules count."""
        for entry in list(self._directory):
            days = self._engine.traffic_days(entry.id)
            if days and self.history is not None:
                read = partial(self.history.traffic, entry.id, days)
                self._engine.around(entry.id).traffic = await self._read_gently(read)

    async def remember_events(self, note: Callable[[str, int, Event], None]) -> None:
        """Those that still count happened before this start; `note` takes system, instant and event."""
        longest_ms = self._engine.longest_count_ms()
        if longest_ms and self.history is not None:
            systems = [entry.id for entry in self._directory]
            read = partial(self.history.events, systems, self._clock() - longest_ms)
            for system_id, instant_ms, event in await self._database.read(read):
                note(system_id, instant_ms, event)

    async def _read_gently(self, call: Callable[[], T]) -> T:
        """And pause for half as long as that took: a thousand systems ask at once, while samples keep coming."""
        started_ms = self._monotonic_ms()
        found = await self._database.read(call)
        await asyncio.sleep((self._monotonic_ms() - started_ms) / 2000)
        return found

    def _moment(self) -> Moment:
        return Moment(self._monotonic_ms(), self._clock())


def _look_back(history: Annals, wanted: Sequence[Wanted]) -> list[Digest]:
    return [condense(one, past) for one, past in zip(wanted, history.stretches(wanted), strict=True)]
