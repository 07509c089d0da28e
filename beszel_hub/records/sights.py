"""Who sees a record at this moment: every subscriber's own rights and filter, asked of the table itself."""

from collections.abc import Iterable

from beszel_hub.records.filter import parse_filter
from beszel_hub.records.paths import Resolver
from beszel_hub.records.registry import Collection, Registry, Row, Sight, TableSource
from beszel_hub.records.rows import TableRows


def seen_by(
    registry: Registry, collection: Collection, record_id: str, sights: Iterable[Sight], now_ms: int
) -> dict[Sight, Row]:
    """The record for each of those who see it; runs on a database thread."""
    if not isinstance(collection.source, TableSource):
        return {}
    rows = TableRows(registry, collection, collection.source)
    seen: dict[Sight, Row] = {}
    for sight in set(sights):
        where = parse_filter(sight.filter, Resolver(registry, collection, sight.actor), now_ms)
        row = rows.find(sight.actor, record_id, where)
        if row is not None:
            seen[sight] = row
    return seen
