"""The `container_stats` collection: what containers used, in Beszel's intervals and short keys; read-only.

`n` is the name, `c` the CPU in percent of the host, `m` the memory in MiB, `b` bytes a second sent and received. A row
stands for a whole interval of the clock and has the containers that were measured in it.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest
from beszel_hub.metrics.projection import row_id
from beszel_hub.metrics.reader import Range, read_at
from beszel_hub.metrics.series import read_newest
from beszel_hub.metrics.series_tiers import read_chunks
from beszel_hub.metrics.tier_rows import TYPES, make_tier_collection, span_of, types_asked
from beszel_hub.metrics.tiers import TIERS
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.registry import Collection, ProjectedSource, Row
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.addresses import Address, Step, parse_address

NAME: Final = "container_stats"
COLLECTION_ID: Final = "juohu4jipgc13v7"
"""As Beszel's clients know it."""
MAX_SYSTEMS: Final = 50
"""Whose history one request may go through."""
MAX_CONTAINERS: Final = 200
"""Of one system."""
_MIB: Final = 1 << 20
_FIELDS: Final = ("cpu_percent", "memory_bytes", "tx_bytes_per_second", "rx_bytes_per_second")
_SERIES: Final = "containers["


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
    names = container_names(system_id, span, seconds)
    addresses = [Address((Step("containers", name), Step(field, None))) for name in names for field in _FIELDS]
    if not addresses:
        return []
    grid, aggregates = read_at(system_id, addresses, span, seconds, is_brief=True)
    columns = [aggregate.main for aggregate in aggregates]
    by_name = {name: columns[index * len(_FIELDS) : (index + 1) * len(_FIELDS)] for index, name in enumerate(names)}
    rows: list[Row] = []
    for index, start_ms in enumerate(grid.timestamps_ms):
        stats = [_stats(name, [column[index] for column in four]) for name, four in by_name.items()]
        present = [item for item in stats if item is not None]
        if present and span.from_ms <= start_ms < span.to_ms:
            rows.append(_row(system_id, type_name, start_ms + 1000 * seconds, present))
    return rows


def container_names(system_id: str, span: Range, seconds: int) -> list[str]:
    """Those that history has in a span, and those of the newest sample, which may not be rolled up yet."""
    names: dict[str, None] = {}
    covered_ms = span.from_ms
    for tier in reversed(TIERS):
        if tier.seconds > seconds:
            continue
        for row, chunk in read_chunks(system_id, tier, covered_ms, span.to_ms):
            covered_ms = max(covered_ms, row.last)
            texts = (text for text in chunk.addresses if text.startswith(_SERIES))
            names |= dict.fromkeys(parse_address(text)[0].key or "" for text in texts)
    newest = read_newest(system_id)
    if newest is not None and newest.instant_ms >= span.from_ms:
        names |= dict.fromkeys(item["name"] for item in newest.document.get("containers") or ())
    return sorted(names)[:MAX_CONTAINERS]


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
