"""The `container_stats` collection: what containers used, in Beszel's intervals and short keys; read-only.

`n` is the name, `c` the CPU in percent of the host, `m` the memory in MiB, `b` bytes a second sent and received. A row
stands for a whole interval of the clock and has the containers that were measured in it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.metrics.buckets import Aggregate
from beszel_hub.metrics.projection import row_id
from beszel_hub.metrics.reader import Range, read_parts
from beszel_hub.metrics.tier_rows import TYPES, make_tier_collection, span_of, types_asked
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import Collection, ProjectedSource, Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.addresses import Step, parse_address

NAME: Final = "container_stats"
COLLECTION_ID: Final = "juohu4jipgc13v7"
"""As Beszel's clients know it."""
MAX_SYSTEMS: Final = 50
"""Whose history one request may go through."""
MAX_CONTAINERS: Final = 200
"""Of one system."""
_MIB: Final = 1 << 20
_FIELDS: Final = ("cpu_percent", "memory_bytes", "tx_bytes_per_second", "rx_bytes_per_second")
_PARTS: Final = frozenset(("containers",))


def make_container_stats_collection(database: Database, directory: Directory, clock: Clock) -> Collection:
    source = ContainerStatsSource(database, directory, clock)
    return make_tier_collection(NAME, COLLECTION_ID, ProjectedSource(rows=source.rows))


class ContainerStatsSource:
    def __init__(self, database: Database, directory: Directory, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock

    async def rows(self, actor: Actor, bounds: Bounds) -> list[Row]:
        """Of each system and type the rows of Beszel's span, oldest first; `BadRequest` for too many systems."""
        visible = self._directory.visible_ids(actor)
        systems = sorted(bounds.texts("system", visible))
        if len(systems) > MAX_SYSTEMS:
            raise BadRequest(f"This would read the history of more than {MAX_SYSTEMS} systems; filter by `system` too.")
        types = types_asked(bounds)
        now_ms = self._clock()
        rows: list[Row] = []
        for system_id in systems:
            for name in types:
                span = span_of(TYPES[name], bounds, now_ms)
                if span.from_ms < span.to_ms:
                    rows += await self._database.read(partial(read_rows, system_id, name, span))
        return sorted(rows, key=lambda row: row["created"])


def read_rows(system_id: str, type_name: str, span: Range) -> list[Row]:
    """The rows whose intervals lie in `span`, which begins and ends at borders of intervals."""
    seconds = TYPES[type_name].seconds
    grid, aggregates = read_parts(system_id, _PARTS, span, seconds)
    rows: list[Row] = []
    columns = _columns_by_name(aggregates)
    for index, start_ms in enumerate(grid.timestamps_ms):
        stats = [
            _stats(name, [None if column is None else column[index] for column in four])
            for name, four in columns.items()
        ]
        present = [item for item in stats if item is not None]
        if present:
            rows.append(_row(system_id, type_name, start_ms + 1000 * seconds, present))
    return rows


def _columns_by_name(aggregates: Mapping[str, Aggregate]) -> dict[str, list[list[float | None] | None]]:
    """Of each container one column a field, None where it has none."""
    found: dict[str, dict[str, Aggregate]] = {}
    for text, aggregate in aggregates.items():
        match parse_address(text):
            case (Step("containers", str() as name), Step(field, None)) if field in _FIELDS:
                found.setdefault(name, {})[field] = aggregate
    return {
        name: [found[name][field].main if field in found[name] else None for field in _FIELDS]
        for name in sorted(found)[:MAX_CONTAINERS]
    }


def _stats(name: str, readings: Sequence[float | None]) -> dict[str, Any] | None:
    """None where the container was not measured."""
    cpu, memory, sent, received = readings
    if cpu is None and memory is None:
        return None
    return {
        "n": name,
        "c": round(cpu or 0.0, 2),
        "m": round((memory or 0.0) / _MIB, 2),
        "b": [round(sent or 0.0), round(received or 0.0)],
    }


def _row(system_id: str, type_name: str, end_ms: int, stats: list[dict[str, Any]]) -> Row:
    return {
        "id": row_id(system_id, f"{NAME} {type_name}", end_ms),
        "system": system_id,
        "type": type_name,
        "stats": stats,
        "created": end_ms,
        "updated": end_ms,
    }
