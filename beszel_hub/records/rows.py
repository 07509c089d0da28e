"""Reads of the rows behind a collection with a table; all run on a database thread."""

from collections.abc import Iterable, Sequence
from typing import Any

from beszel_hub.permissions import Actor
from beszel_hub.records.listing import Listing, SortBy
from beszel_hub.records.nodes import Node, Path
from beszel_hub.records.registry import Collection, Field, Kind, Registry, Row, TableSource
from beszel_hub.records.spelling import spelling
from beszel_hub.records.sql import SqlCompiler


class TableRows:
    """The rows of one collection."""

    def __init__(self, registry: Registry, collection: Collection, source: TableSource) -> None:
        self._collection = collection
        self._source = source
        self._table: Any = source.table  # its columns are only known at run time
        self._compiler = SqlCompiler(registry, source.table)
        fields = [field for field in collection.fields if field.kind is not Kind.PASSWORD and not field.is_hidden]
        self._stored = [field for field in fields if field.through is None]
        self._paired = [field for field in fields if field.through is not None]

    def page(self, actor: Actor, listing: Listing) -> tuple[int, list[Row]]:
        """How many rows there are (-1 if that was not asked for), and one page of them."""
        conditions = self._matching(actor, listing.where)
        total = -1 if listing.skip_total else self._select(conditions, self._table.id).count()
        query = self._select(conditions).order_by(*self._order(listing.sort))
        return total, self._load(query.limit(listing.per_page).offset(listing.offset))

    def find(self, actor: Actor, record_id: str) -> Row | None:
        """One row that the actor may see."""
        return next(iter(self.find_many(actor, [record_id])), None)

    def find_many(self, actor: Actor, ids: Iterable[str], where: Node | None = None) -> Sequence[Row]:
        """Those of the rows that the actor may see and that fulfil a filter, in no order."""
        return self._load(self._select([*self._matching(actor, where), self._table.id.in_(sorted(set(ids)))]))

    def is_seen(self, actor: Actor, record_id: str, where: Node | None = None) -> bool:
        """Whether `find_many` would find it."""
        conditions = [*self._matching(actor, where), self._table.id == record_id]
        return bool(self._select(conditions, self._table.id).exists())

    def read(self, record_id: str) -> Row | None:
        """One row, whoever asks."""
        return next(iter(self._load(self._select([self._table.id == record_id]))), None)

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that no row has, whoever asks."""
        wanted = set(ids)
        return wanted - {row[0] for row in self._select([self._table.id.in_(sorted(wanted))], self._table.id).tuples()}

    def matching_ids(self, actor: Actor, where: Node) -> frozenset[str]:
        """Ids of the rows that the actor may see and that fulfil a filter."""
        return frozenset(row[0] for row in self._select(self._matching(actor, where), self._table.id).tuples())

    def values(self, actor: Actor, path: Path) -> dict[str, Any]:
        """By id, the value at `path` of every row that the actor may see."""
        value = spelling().selected(self._compiler.value(path), path.field.kind)
        query = self._select(self._visible(actor), self._table.id, value)
        return dict(query.tuples())

    def _matching(self, actor: Actor, where: Node | None) -> list[Any]:
        return [*self._visible(actor), *([] if where is None else [self._compiler.condition(where)])]

    def _visible(self, actor: Actor) -> list[Any]:
        scope = self._source.scope(actor)
        return [] if scope is None else [scope]

    def _select(self, conditions: Sequence[Any], *columns: Any) -> Any:
        query = self._table.select(*(columns or [getattr(self._table, field.column) for field in self._stored]))
        return query.where(*conditions) if conditions else query

    def _order(self, sort: Sequence[SortBy]) -> list[Any]:
        """The id comes last, so that pages neither overlap nor leave a row out."""
        keys = [(self._compiler.value(key.path), key.is_descending) for key in sort]
        if not keys and self._collection.field("created") is not None:
            keys.append((self._table.created, False))
        keys.append((self._table.id, False))
        return [spelling().sort_key(key, is_descending=is_descending) for key, is_descending in keys]

    def _load(self, query: Any) -> list[Row]:
        names = [field.name for field in self._stored]
        rows = [dict(zip(names, values, strict=True)) for values in query.tuples()]
        for field in self._paired:
            _attach(rows, field)
        return rows


def _attach(rows: list[Row], field: Field) -> None:
    """Fill in the ids of a relation that has a table of its own."""
    if field.through is None:
        raise TypeError(f"{field.name} has no table of pairs")
    by_id: dict[str, list[str]] = {row["id"]: [] for row in rows}
    table: Any = field.through.table
    owner, value = getattr(table, field.through.owner), getattr(table, field.through.value)
    for owner_id, value_id in table.select(owner, value).where(owner.in_(sorted(by_id))).order_by(value).tuples():
        by_id[owner_id].append(value_id)
    for row in rows:
        row[field.name] = by_id[row["id"]]
