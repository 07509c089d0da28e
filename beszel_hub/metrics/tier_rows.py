"""Collections with a row a bucket, at the tiers of Beszel: `1m`, `10m`, `20m`, `120m`, `480m`.

Its clients page through all rows of a system, so there are as many as Beszel would have kept: at most 378. Buckets are
whole and aligned to the clock; `created` is the end of each.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.metrics.projection import row_id
from beszel_hub.metrics.reader import Range, read_parts
from beszel_hub.metrics.series import read_newest
from beszel_hub.metrics.sheet import Sheet
from beszel_hub.metrics.tier_stats import PARTS, make_stats, names_of
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import CREATED, UPDATED, Collection, Field, Kind, ProjectedSource, Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory

SYSTEM_STATS_ID: Final = "ej9oowivz8b2mht"
"""As Beszel's clients know it."""
MAX_ROWS: Final = 100_000
_TIME_FIELDS: Final = ("created", "updated")


class StatsType(NamedTuple):
    seconds: int
    rows: int
    """How many of a system there are at most."""


TYPES: Final[Mapping[str, StatsType]] = {
    "1m": StatsType(60, 60),
    "10m": StatsType(600, 72),
    "20m": StatsType(1200, 72),
    "120m": StatsType(7200, 84),
    "480m": StatsType(28_800, 90),
}
MAX_ROWS_A_SYSTEM: Final = sum(kind.rows for kind in TYPES.values())

MakeStats = Callable[[Sheet, int, Mapping[str, Any]], Any]
"""The `stats` of one bucket of a sheet, given the newest sample as it is stored; what is empty makes no row."""


def make_system_stats_collection(database: Database, directory: Directory, clock: Clock) -> Collection:
    rows = TierRows(database, directory, clock, PARTS, _system_stats)
    return make_tier_collection("system_stats", SYSTEM_STATS_ID, ProjectedSource(rows=rows.read))


def make_tier_collection(name: str, collection_id: str, source: ProjectedSource) -> Collection:
    """A collection of `system`, `type` and `stats`."""
    return Collection(
        name=name,
        id=collection_id,
        fields=(
            Field(name="id", max_length=15),
            Field(name="system", kind=Kind.RELATION, target="systems"),
            Field(name="type", choices=tuple(TYPES)),
            Field(name="stats", kind=Kind.JSON),
            CREATED,
            UPDATED,
        ),
        source=source,
    )


class TierRows:
    """Rows made of these members of samples."""

    def __init__(
        self, database: Database, directory: Directory, clock: Clock, parts: frozenset[str], make: MakeStats
    ) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._read = partial(_read_rows, parts, make)

    async def read(self, actor: Actor, bounds: Bounds) -> list[Row]:
        """All rows within the bounds, oldest first; `BadRequest` for more than `MAX_ROWS`."""
        visible = self._directory.visible_ids(actor)
        systems = sorted(bounds.texts("system", visible))
        types = types_asked(bounds)
        now_ms = self._clock()
        if len(systems) * sum(TYPES[name].rows for name in types) > MAX_ROWS:
            missing = "`system`" if "system" not in bounds.among else "`type`"
            raise BadRequest(f"This would read more than {MAX_ROWS:,} rows; filter by {missing} too.")
        rows: list[Row] = []
        for system_id in systems:
            # One system a turn, so that other readers come in between.
            for name in types:
                span = span_of(TYPES[name], bounds, now_ms)
                if span.from_ms < span.to_ms:
                    rows += await self._database.read(partial(self._read, system_id, name, span))
        rows.sort(key=lambda row: row["created"])
        return rows


def read_system_rows(system_id: str, name: str, span: Range) -> list[Row]:
    """A system's rows of a type whose buckets lie in `span`, oldest first; runs inside `Database.read`."""
    return _read_rows(PARTS, _system_stats, system_id, name, span)


def _read_rows(parts: frozenset[str], make: MakeStats, system_id: str, name: str, span: Range) -> list[Row]:
    grid, aggregates = read_parts(system_id, parts, span, TYPES[name].seconds)
    newest = read_newest(system_id) if aggregates else None
    sheet = Sheet(grid, aggregates)
    return list(_make_rows(make, system_id, name, sheet, {} if newest is None else newest.document))


def _make_rows(make: MakeStats, system_id: str, name: str, sheet: Sheet, newest: Mapping[str, Any]) -> Iterator[Row]:
    for index, begin_ms in enumerate(sheet.grid.timestamps_ms):
        stats = make(sheet, index, newest)
        if stats:
            created = begin_ms + sheet.grid.step_ms
            yield {
                "id": row_id(system_id, name, created),
                "system": system_id,
                "type": name,
                "stats": stats,
                "created": created,
                "updated": created,
            }


def types_asked(bounds: Bounds) -> list[str]:
    """The finest first."""
    asked = bounds.texts("type", frozenset(TYPES))
    return [name for name in TYPES if name in asked]


def span_of(kind: StatsType, bounds: Bounds, now_ms: int) -> Range:
    """The whole buckets of a type that a filter lets through, those at most that there are."""
    step_ms = kind.seconds * 1000
    end_ms = now_ms - now_ms % step_ms
    low, high = bounds.lowest(_TIME_FIELDS), bounds.highest(_TIME_FIELDS)
    oldest_ms = end_ms - kind.rows * step_ms
    return Range(
        oldest_ms if low is None else max(oldest_ms, _floor(low - step_ms, step_ms)),
        end_ms if high is None else min(end_ms, _floor(high, step_ms)),
    )


def _floor(instant: float, step_ms: int) -> int:
    return int(instant // step_ms) * step_ms


def _system_stats(sheet: Sheet, index: int, newest: Mapping[str, Any]) -> dict[str, Any]:
    return make_stats(sheet, index, names_of(newest))
