"""`expand`: related records beside the record, as far as the actor may see them."""

from beszel_hub.actions import Action, Verb
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.records.registry import Collection, Registry, Row, TableSource
from beszel_hub.records.rows import TableRows
from beszel_hub.records.shape import render
from beszel_hub.store.database import Database


async def expand(
    database: Database, registry: Registry, collection: Collection, actor: Actor, records: list[Row],
    paths: list[list[str]],
) -> None:  # fmt: skip
    """Put the related records at `paths` under `expand`, which is empty where there are none for this actor."""
    paths = [path for path in paths if _leads_somewhere(registry, collection, path)]
    for name in sorted({path[0] for path in paths}):
        field = collection.field(name)
        if field is None:
            continue
        target = registry[field.target]
        ids = {related_id for record in records for related_id in _ids(record.get(name))}
        related = await _fetch(database, registry, target, actor, ids)
        below = [path[1:] for path in paths if path[0] == name and len(path) > 1]
        if below and related:
            await expand(database, registry, target, actor, list(related.values()), below)
        for record in records:
            expanded = record.setdefault("expand", {})
            found = [related[related_id] for related_id in _ids(record.get(name)) if related_id in related]
            if found:
                expanded[name] = found if field.is_multiple else found[0]


async def _fetch(
    database: Database, registry: Registry, target: Collection, actor: Actor, ids: set[str]
) -> dict[str, Row]:
    if not ids or not isinstance(target.source, TableSource):
        return {}
    if decide(actor, Action.of(target.name, Verb.VIEW)) is not Decision.ALLOW:
        return {}
    rows = TableRows(registry, target, target.source)
    found = await database.read(lambda: rows.find_many(actor, ids))
    return {row["id"]: render(target, actor, row) for row in found}


def _leads_somewhere(registry: Registry, collection: Collection, path: list[str]) -> bool:
    """Whether every step of the path is a relation that may be shown."""
    for name in path:
        field = collection.field(name)
        if field is None or field.is_hidden or not field.target:
            return False
        collection = registry[field.target]
    return True


def _ids(value: object) -> list[str]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) and value else []
