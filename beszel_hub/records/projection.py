"""Lists over rows that no table holds: what can be pushed down bounds the read, the rest is done in memory."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from beszel_hub.errors import BadRequest
from beszel_hub.permissions import Actor
from beszel_hub.records.bounds import Bounds
from beszel_hub.records.listing import Listing
from beszel_hub.records.memory import SortKey, fits_nothing, holds, push_down, rank, sort_key
from beszel_hub.records.nodes import Among, Comparison, Group, Node, Operand, Path
from beszel_hub.records.registry import Field, ProjectedSource, Registry, Row, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.store.database import Database

SORTING_TIMEOUT_SECONDS: Final = 30.0


async def list_projected(
    database: Database, registry: Registry, source: ProjectedSource, actor: Actor, listing: Listing
) -> tuple[int, list[Row]]:
    """As `TableRows.page`, for rows that a function makes."""
    where, related = await database.read(lambda: _look_up(registry, actor, listing))
    rows = await source.rows(actor, push_down(where))
    async with asyncio.timeout(SORTING_TIMEOUT_SECONDS):
        return await asyncio.to_thread(_page, rows, where, listing, related)


async def sift(
    database: Database, registry: Registry, actor: Actor, listing: Listing, rows: Sequence[Row]
) -> list[bool]:
    """Which of some rows that are at hand fulfil the filter."""
    if listing.where is None:
        return [True] * len(rows)
    where, _ = await database.read(lambda: _look_up(registry, actor, listing))
    return [where is None or holds(where, row) for row in rows]


async def find_projected(source: ProjectedSource, actor: Actor, record_id: str) -> Row | None:
    """The row of this id, if it is among those that are read without further bounds."""
    rows = await source.rows(actor, Bounds(among={"id": frozenset((record_id,))}))
    return next((row for row in rows if row["id"] == record_id), None)


def _look_up(registry: Registry, actor: Actor, listing: Listing) -> tuple[Node | None, dict[Path, dict[str, Any]]]:
    """The filter with every condition on related records decided, and the related values to sort by."""
    where = None if listing.where is None else _reduce(registry, actor, listing.where)
    related = {
        key.path: _related_rows(registry, key.path.relations[0]).values(actor, _below(key.path))
        for key in listing.sort
        if key.path.relations
    }
    return where, related


def _reduce(registry: Registry, actor: Actor, node: Node) -> Node:
    if isinstance(node, Group):
        members = tuple(_reduce(registry, actor, member) for member in node.members)
        return Group(members=members, is_all=node.is_all)
    if isinstance(node, Comparison) and (_is_related(node.left) or _is_related(node.right)):
        if not isinstance(node.left, Path) or isinstance(node.right, Path):
            raise BadRequest("Here a field of a related record can only be compared with a value, on its right.")
        relation = node.left.relations[0]
        condition = Comparison(
            left=_below(node.left), operator=node.operator, right=node.right, any_of=node.any_of, pattern=node.pattern
        )
        ids = _related_rows(registry, relation).matching_ids(actor, condition)
        return Among(field=relation, ids=ids, any_of=node.any_of, if_absent=fits_nothing(node))
    return node


def _is_related(operand: Operand) -> bool:
    return isinstance(operand, Path) and bool(operand.relations)


def _below(path: Path) -> Path:
    return Path(path.relations[1:], path.field, path.keys)


def _related_rows(registry: Registry, relation: Field) -> TableRows:
    target = registry[relation.target]
    if not isinstance(target.source, TableSource):
        raise TypeError(f"{relation.target} has no table, so nothing can relate to it")
    return TableRows(registry, target, target.source)


def _page(
    rows: list[Row], where: Node | None, listing: Listing, related: dict[Path, dict[str, Any]]
) -> tuple[int, list[Row]]:
    matching = rows if where is None else [row for row in rows if holds(where, row)]
    if listing.sort:
        # Sorting is stable, so the last key goes first; the id below all keeps pages from overlapping.
        matching = sorted(matching, key=lambda row: str(row["id"]))
    for key in reversed(listing.sort):
        matching.sort(key=_sorter(key.path, related), reverse=key.is_descending)
    page = matching[listing.offset : listing.offset + listing.per_page]
    return -1 if listing.skip_total else len(matching), page


def _sorter(path: Path, related: dict[Path, dict[str, Any]]) -> Callable[[Row], SortKey]:
    if not path.relations:
        return lambda row: sort_key(path, row)
    values, name = related[path], path.relations[0].name
    return lambda row: rank(values.get(row[name]))
