"""Who sees a record at this moment: every subscriber's own rights and filter, asked of the table itself."""

from collections.abc import Iterable

from beszel_hub.records.filter import parse_filter
from beszel_hub.records.paths import Resolver
from beszel_hub.records.registry import Collection, Registry, Sight, TableSource
from beszel_hub.records.rows import TableRows


def seen_by(
    registry: Registry, collection: Collection, record_id: str, sights: Iterable[Sight], now_ms: int
) -> frozenset[Sight]:
    """Those who see the record; runs on a database thread."""
    if not isinstance(collection.source, TableSource):
        return frozenset()
    rows = TableRows(registry, collection, collection.source)

    def sees(sight: Sight) -> bool:
        where = parse_filter(sight.filter, Resolver(registry, collection, sight.actor), now_ms)
        return rows.is_seen(sight.actor, record_id, where)

    return frozenset(sight for sight in sights if sees(sight))
