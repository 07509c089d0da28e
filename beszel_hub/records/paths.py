"""From the text of a path to declared fields; what is hidden cannot be named, directly or through a relation."""

import re
from typing import Final

from beszel_hub.errors import BadRequest
from beszel_hub.permissions import Actor
from beszel_hub.records.nodes import Path
from beszel_hub.records.registry import Collection, Field, Kind, Registry

MAX_RELATIONS: Final = 3
MAX_KEYS: Final = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]{1,6}", re.ASCII)


class Resolver:
    """Resolves paths of one collection for one actor."""

    def __init__(self, registry: Registry, collection: Collection, actor: Actor) -> None:
        self._registry = registry
        self._collection = collection
        self._sees_everybody = actor.sees_everybody

    def resolve(self, text: str) -> Path:
        """Raise `BadRequest` unless the path leads to a field that this actor may filter and sort by."""
        names = text.split(".")
        if not all(_NAME.fullmatch(name) for name in names):
            raise _unknown(text)
        relations: list[Field] = []
        collection = self._collection
        for position, name in enumerate(names):
            field = self._field(collection, name, text, through_relation=bool(relations))
            rest = names[position + 1 :]
            if not field.target or not rest:
                return _finish(tuple(relations), field, rest, text)
            relations.append(field)
            if len(relations) > MAX_RELATIONS:
                raise BadRequest(f"A path follows at most {MAX_RELATIONS} relations.")
            collection = self._registry[field.target]
        raise _unknown(text)

    def _field(self, collection: Collection, name: str, text: str, *, through_relation: bool) -> Field:
        field = collection.field(name)
        if field is None or field.is_hidden or field.is_opaque or field.kind is Kind.PASSWORD:
            raise _unknown(text)
        if field.is_private and through_relation and not self._sees_everybody:
            raise _unknown(text)
        return field


def _finish(relations: tuple[Field, ...], field: Field, keys: list[str], text: str) -> Path:
    if keys and (field.kind is not Kind.JSON or len(keys) > MAX_KEYS):
        raise _unknown(text)
    if relations and field.name == "id":
        # The id of a related record is the value of the relation itself.
        return Path(relations[:-1], relations[-1])
    return Path(relations, field, tuple(keys))


def _unknown(text: str) -> BadRequest:
    return BadRequest(f"There is no field {text[:100]!r} to filter or sort by.")
