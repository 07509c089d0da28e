"""What each interval of the clock came to, for who listens to statistics: a new row once the interval is over.

Only of systems that one of the listeners sees, one after the other; nothing is read for nobody.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, TypeAlias

from beszel_hub.actions import Verb
from beszel_hub.clock import Clock
from beszel_hub.live.rowdesk import RowDesk
from beszel_hub.metrics.container_stats import read_rows as read_container_rows
from beszel_hub.metrics.reader import Range
from beszel_hub.metrics.tier_rows import TYPES, read_system_rows
from beszel_hub.records.registry import Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory

LATENESS_MS: Final = 5000
"""How long after its end an interval is read, so that its last samples are stored; later ones change no event."""

ReadRows: TypeAlias = Callable[[str, str, Range], list[Row]]
"""Given a system, a type and a span, runs inside `Database.read`."""

_COLLECTIONS: Final[Mapping[str, ReadRows]] = {
    "system_stats": read_system_rows,
    "container_stats": read_container_rows,
}


class Closings:
    """Lives on the event loop."""

    def __init__(self, rows: RowDesk, database: Database, directory: Directory, clock: Clock) -> None:
        self._rows = rows
        self._database = database
        self._directory = directory
        self._clock = clock
        self._looked_ms = clock() - LATENESS_MS

    async def look(self) -> None:
        """Tell of the intervals that have closed since the last look; of several of a type, of the last."""
        since_ms, self._looked_ms = self._looked_ms, self._clock() - LATENESS_MS
        closed = list(closed_between(since_ms, self._looked_ms))
        if not closed:
            return
        for name, read in _COLLECTIONS.items():
            actors = set(self._rows.listening(name))
            seen = frozenset().union(*map(self._directory.visible_ids, actors))
            for system_id in sorted(seen):
                for type_name, span in closed:
                    rows = await self._database.read(partial(read, system_id, type_name, span))
                    self._rows.note(name, Verb.CREATE, rows)


def closed_between(since_ms: int, until_ms: int) -> Iterator[tuple[str, Range]]:
    """Of each type the last interval that ended after the one instant and by the other."""
    for name, kind in TYPES.items():
        step_ms = kind.seconds * 1000
        end_ms = until_ms - until_ms % step_ms
        if end_ms > since_ms:
            yield name, Range(end_ms - step_ms, end_ms)
