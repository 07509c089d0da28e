"""The `metrics` collection: stored samples as records, read-only, filtered by time, system, type and resolution.

Without a filter by `resolution` they are single samples; a tier's gives what is kept of them over its buckets.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.metrics.coarse import make_entries
from beszel_hub.metrics.metric_ids import digest_of, split_metric_id
from beszel_hub.metrics.projection import RAW_RESOLUTION_SECONDS, TYPES, parts_of, project
from beszel_hub.metrics.reader import Range, read_parts
from beszel_hub.metrics.series import count_samples, read_entries
from beszel_hub.metrics.series_tiers import find_first
from beszel_hub.metrics.tiers import DAY_MS, TIERS, Tier
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import CREATED, UPDATED, Collection, Field, Kind, ProjectedSource, Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory

NAME: Final = "metrics"
COLLECTION_ID: Final = "pbc_3861817060"
MAX_ROWS: Final = 100_000
DEFAULT_SPAN_MS: Final = 3_600_000
_RESOLUTIONS: Final = frozenset((RAW_RESOLUTION_SECONDS, *(tier.seconds for tier in TIERS)))
_TIME_FIELDS: Final = ("timestamp", "created", "updated")
_NOT_ROLLED_UP_MS: Final = 2 * DAY_MS
"""How far back there may be samples that are in no bucket yet, usually."""
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
        systems = sorted(bounds.texts("system", visible))
        types = bounds.texts("type", frozenset(TYPES))
        if "id" in bounds.among:
            return await self._database.read(lambda: _read_named(systems, types, bounds))
        from_ms, to_ms = time_range(bounds, self._clock())
        if not systems or not types or from_ms >= to_ms:
            return []
        wanted = bounds.among.get("resolution", frozenset({RAW_RESOLUTION_SECONDS}))
        now_ms = self._clock()

        def read() -> list[Row]:
            rows = _read(systems, types, from_ms, to_ms, bounds) if RAW_RESOLUTION_SECONDS in wanted else []
            for tier in TIERS:
                if tier.seconds in wanted:
                    rows += _read_buckets(systems, types, tier, from_ms, min(to_ms, now_ms + 1), bounds)
            return sorted(rows, key=lambda row: row["timestamp"])

        return await self._database.read(read)


def time_range(bounds: Bounds, now_ms: int) -> tuple[int, int]:
    """`from <= instant < to`; the last hour unless the filter says since when."""
    low, high = bounds.lowest(_TIME_FIELDS), bounds.highest(_TIME_FIELDS)
    to_ms = now_ms + DEFAULT_SPAN_MS if high is None else int(high) + 1
    if low is not None:
        return int(low), to_ms
    return (now_ms - DEFAULT_SPAN_MS if high is None else 0), to_ms


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
    return rows


def _read_buckets(
    systems: Sequence[str], types: frozenset[str], tier: Tier, from_ms: int, to_ms: int, bounds: Bounds
) -> list[Row]:
    parts = parts_of(types)
    rows: list[Row] = []
    for system_id in systems:
        first_ms = find_first(system_id, tier)
        begin_ms = max(from_ms, to_ms - _NOT_ROLLED_UP_MS if first_ms is None else first_ms)
        if begin_ms >= to_ms:
            continue
        if (to_ms - begin_ms) // tier.bucket_ms > MAX_ROWS:
            raise _too_many(bounds)
        grid, aggregates = read_parts(system_id, parts, Range(begin_ms, to_ms), tier.seconds)
        for entry in make_entries(grid, aggregates):
            rows.extend(project(system_id, entry, types, tier.seconds))
            if len(rows) > MAX_ROWS:
                raise _too_many(bounds)
    return rows


def _read_named(systems: Sequence[str], types: frozenset[str], bounds: Bounds) -> list[Row]:
    """The rows of some ids, whatever time they are of."""
    resolutions = _RESOLUTIONS & bounds.among.get("resolution", _RESOLUTIONS)
    places = {digest_of(*place): place for place in product(systems, types, resolutions)}
    rows: list[Row] = []
    for record_id in (value for value in bounds.among["id"] if isinstance(value, str)):
        instant_ms, digest = split_metric_id(record_id) or (0, "")
        place = places.get(digest)
        if place is not None:
            rows.extend(row for row in _rows_at(*place, instant_ms) if row["id"] == record_id)
    return rows


def _rows_at(system_id: str, type_name: str, resolution_seconds: int, instant_ms: int) -> Iterator[Row]:
    types = frozenset((type_name,))
    parts = parts_of(types)
    if resolution_seconds == RAW_RESOLUTION_SECONDS:
        entries = read_entries(system_id, instant_ms, instant_ms + 1, parts)
    else:
        span = Range(instant_ms, instant_ms + 1000 * resolution_seconds)
        entries = make_entries(*read_parts(system_id, parts, span, resolution_seconds))
    for entry in entries:
        yield from project(system_id, entry, types, resolution_seconds)


def _too_many(bounds: Bounds) -> BadRequest:
    """Names the filter whose absence makes the query so large."""
    if "system" not in bounds.among:
        missing = "`system`"
    elif "type" not in bounds.among:
        missing = "`type`"
    else:
        missing = "a narrower range of `timestamp`"
    return BadRequest(f"This would read more than {MAX_ROWS:,} rows; filter by {missing} too.")
