"""Records as they go out: PocketBase's forms of values, and only the fields that were asked for."""

from typing import Any, Final

from beszel_hub.errors import BadRequest
from beszel_hub.permissions import Actor
from beszel_hub.records.dates import format_date
from beszel_hub.records.registry import Collection, Field, Kind, Row

MAX_FIELDS: Final = 100

_EMPTY: Final[dict[Kind, Any]] = {Kind.TEXT: "", Kind.RELATION: "", Kind.BOOL: False, Kind.LIST: [], Kind.RELATIONS: []}
"""What stands for no value; a number or a JSON value that is not there is null, never zero."""


def render(collection: Collection, actor: Actor, row: Row) -> Row:
    """The record as this actor gets it."""
    shown = collection.show(actor, row)
    record: Row = {"collectionId": collection.id, "collectionName": collection.name}
    for field in collection.fields:
        if field.name in shown and not field.is_hidden and field.kind is not Kind.PASSWORD:
            record[field.name] = _render_value(field, shown[field.name])
    return record


def parse_fields(text: str) -> list[list[str]]:
    """The paths of a `fields` parameter; empty for everything. Raises `BadRequest` for too many."""
    paths = [part.strip().split(".") for part in text.split(",") if part.strip()]
    if len(paths) > MAX_FIELDS:
        raise BadRequest(f"At most {MAX_FIELDS} fields can be named.")
    return paths


def project(record: Row, paths: list[list[str]]) -> Row:
    """Only what is at `paths`; `*` is every field of its level."""
    return record if not paths else _pick(record, paths)


def _render_value(field: Field, value: Any) -> Any:
    if field.kind is Kind.DATE:
        return format_date(value)
    return _EMPTY.get(field.kind) if value is None else value


def _pick(value: Any, paths: list[list[str]]) -> Any:
    if isinstance(value, list):
        return [_pick(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    picked: Row = {}
    takes_all = ["*"] in paths
    for name, item in value.items():
        below = [path[1:] for path in paths if path[0] in {name, "*"} and len(path) > 1]
        if [name] in paths or (takes_all and name != "expand"):
            picked[name] = item
        elif below:
            picked[name] = _pick(item, below)
    return picked
