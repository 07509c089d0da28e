"""The `metrics` collection: stored samples as records, read-only, filtered by time, system and type."""

from collections.abc import Sequence
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.metrics.projection import TYPES, parts_of, project
from beszel_hub.metrics.series import count_samples, read_entries
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import CREATED, UPDATED, Collection, Field, Kind, ProjectedSource, Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory

NAME: Final = "metrics"
COLLECTION_ID: Final = "pbc_3861817060"
MAX_ROWS: Final = 100_000
DEFAULT_SPAN_MS: Final = 3_600_000
_TIME_FIELDS: Final = ("timestamp", "created", "updated")
_ROWS_PER_SAMPLE: Final = 6
"""What a usual host tells about; an estimate to refuse early what would be refused anyway."""


def make_collection(database: Database, directory: Directory, clock: Clock) -> Collection:
    source = MetricsSource(database, directory, clock)
    return Collection(
        name=NAME,
        id=COLLECTION_ID,
        fields=(
            Field(name="id", max_length=15),
            Field(name="system", kind=Kind.RELATION, target="systems"),
            Field(name="type", choices=tuple(TYPES)),
            Field(name="timestamp", kind=Kind.DATE),
            Field(name="resolution", kind=Kind.NUMBER),
            Field(name="value", kind=Kind.JSON),
            Field(name="skewed", kind=Kind.BOOL),
            CREATED,
            UPDATED,
        ),
        source=ProjectedSource(rows=source.rows),
    )


class MetricsSource:
    def __init__(self, database: Database, directory: Directory, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock

    async def rows(self, actor: Actor, bounds: Bounds) -> list[Row]:
        """All rows within the bounds, oldest first; `BadRequest` for more than `MAX_ROWS`."""
        visible = self._directory.visible_ids(actor)
        systems = sorted(visible & _texts(bounds, "system", visible))
        types = frozenset(TYPES) & _texts(bounds, "type", frozenset(TYPES))
        from_ms, to_ms = time_range(bounds, self._clock())
        if not systems or not types or from_ms >= to_ms:
            return []
        return await self._database.read(lambda: _read(systems, types, from_ms, to_ms, bounds))


def time_range(bounds: Bounds, now_ms: int) -> tuple[int, int]:
    """`from <= instant < to`; the last hour unless the filter says since when."""
    lows = [bounds.at_least[name] for name in _TIME_FIELDS if name in bounds.at_least]
    highs = [bounds.at_most[name] for name in _TIME_FIELDS if name in bounds.at_most]
    to_ms = int(min(highs)) + 1 if highs else now_ms + DEFAULT_SPAN_MS
    if lows:
        return int(max(lows)), to_ms
    return (0 if highs else now_ms - DEFAULT_SPAN_MS), to_ms


def _read(systems: Sequence[str], types: frozenset[str], from_ms: int, to_ms: int, bounds: Bounds) -> list[Row]:
    samples = count_samples(systems, from_ms, to_ms)
    if samples * min(len(types), _ROWS_PER_SAMPLE) > MAX_ROWS:
        raise _too_many(bounds)
    parts = parts_of(types)
    rows: list[Row] = []
    for system_id in systems:
        for entry in read_entries(system_id, from_ms, to_ms, parts):
            rows.extend(project(system_id, entry, types))
            if len(rows) > MAX_ROWS:
                raise _too_many(bounds)
    rows.sort(key=lambda row: row["timestamp"])
    return rows


def _too_many(bounds: Bounds) -> BadRequest:
    """Names the filter whose absence makes the query so large."""
    if "system" not in bounds.among:
        missing = "`system`"
    elif "type" not in bounds.among:
        missing = "`type`"
    else:
        missing = "a narrower range of `timestamp`"
    return BadRequest(f"This would read more than {MAX_ROWS:,} rows; filter by {missing} too.")


def _texts(bounds: Bounds, name: str, default: frozenset[str]) -> frozenset[str]:
    values = bounds.among.get(name)
    return default if values is None else frozenset(value for value in values if isinstance(value, str))
