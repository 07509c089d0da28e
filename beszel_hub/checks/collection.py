"""How checks are exposed: members who may write define those of their systems, administrators alone private ones."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from beszel_hub.checks import queries
from beszel_hub.checks.tables import CheckRow
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, FieldError, NotFound
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Change, Collection, Field, Kind, Row, TableSource
from beszel_protocol.checks import (
    KINDS,
    MAX_CHECK_INTERVAL_SECONDS,
    MAX_CHECK_TIMEOUT_SECONDS,
    MAX_CHECKS,
    MAX_KEYWORD_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SERVER_LENGTH,
    MAX_TARGET_LENGTH,
    METHODS,
    MIN_CHECK_INTERVAL_SECONDS,
    MIN_CHECK_TIMEOUT_SECONDS,
    RECORDS,
    CheckDefinition,
    problems_of,
)

COLLECTION_ID: Final = "pbc_checks"
_NOT_ALLOWED: Final = "validation_not_allowed"
_RENAMED: Final = {"interval": "interval_seconds", "timeout": "timeout_seconds", "enabled": "is_enabled"}
"""Fields that are called otherwise in the table."""
_SHOWN: Final = {column: name for name, column in _RENAMED.items()}
_HARMLESS: Final = frozenset({"name", "interval_seconds", "timeout_seconds", "is_enabled"})
"""What members may change of a check that goes to private addresses. By the rest they could look around in there: aim
it elsewhere, or guess at a page with one keyword after another."""


def make_checks_collection(clock: Clock, *, on_change: Callable[[Change], Awaitable[None]]) -> Collection:
    """`on_change` runs after every commit."""
    source = ChecksSource(clock)
    return Collection(
        name="checks",
        id=COLLECTION_ID,
        fields=_FIELDS,
        source=TableSource(
            table=CheckRow,
            scope=queries.visible_checks,
            create=source.create,
            update=source.update,
            delete=lambda _, check_id: queries.delete_check(check_id),
        ),
        on_change=on_change,
    )


def _text(name: str, *, max_length: int, choices: tuple[str, ...] = (), is_required: bool = False) -> Field:
    return Field(
        name=name, in_create=True, in_update=True, max_length=max_length, choices=choices, is_required=is_required
    )


def _flag(name: str) -> Field:
    return Field(name=name, attribute=_RENAMED.get(name, ""), kind=Kind.BOOL, in_create=True, in_update=True)


def _seconds(name: str, low: float, high: float) -> Field:
    return Field(
        name=name, attribute=_RENAMED[name], kind=Kind.NUMBER, in_create=True, in_update=True, low=low, high=high
    )


_FIELDS: Final = (
    ID,
    Field(name="system", attribute="system_id", kind=Kind.RELATION, target="systems", in_create=True, is_required=True),
    _text("name", max_length=MAX_NAME_LENGTH, is_required=True),
    _text("kind", max_length=16, choices=KINDS, is_required=True),
    _text("target", max_length=MAX_TARGET_LENGTH, is_required=True),
    _seconds("interval", MIN_CHECK_INTERVAL_SECONDS, MAX_CHECK_INTERVAL_SECONDS),
    _seconds("timeout", MIN_CHECK_TIMEOUT_SECONDS, MAX_CHECK_TIMEOUT_SECONDS),
    _flag("enabled"),
    _flag("allow_private"),
    _text("keyword", max_length=MAX_KEYWORD_LENGTH),
    _text("method", max_length=8, choices=METHODS),
    _text("expected_status", max_length=128),
    _flag("follow_redirects"),
    _flag("verify_certificate"),
    _text("record", max_length=8, choices=RECORDS),
    _text("server", max_length=MAX_SERVER_LENGTH),
    CREATED,
    UPDATED,
)


class ChecksSource:
    """Writes what a request asked for; every method runs inside `Database.write`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def create(self, actor: Actor, values: Row) -> str:
        system_id: str = values["system"]
        if not queries.is_visible_system(actor, system_id):
            raise _wrong("system", "validation_missing_rel_records", "There is no such record.")
        columns = _to_columns(values)
        is_enabled = columns.pop("is_enabled", True)
        definition = _check(CheckDefinition(**columns))
        if definition.allow_private and not actor.is_admin:
            raise _only_admins("allow_private")
        if queries.count_checks(system_id) >= MAX_CHECKS:
            raise _wrong("system", "validation_too_many_values", f"A system has at most {MAX_CHECKS} checks.")
        _require_free_name(system_id, definition.name)
        return queries.insert_check(
            system_id, definition, is_enabled=is_enabled, now_ms=self._clock(), check_id=values.get("id")
        )

    def update(self, actor: Actor, check_id: str, values: Row) -> None:
        """Clients send whole records back, so what stays as it is may be there whoever asks."""
        row = queries.find_check(check_id)
        if row is None:
            raise NotFound
        changes = {name: value for name, value in _to_columns(values).items() if value != getattr(row, name)}
        before = queries.to_definition(row)
        after = _check(msgspec.structs.replace(before, **{k: v for k, v in changes.items() if k != "is_enabled"}))
        if not actor.is_admin:
            _require_harmless(before, after, changes)
        if "name" in changes:
            _require_free_name(row.system_id, after.name, but_by=check_id)
        if changes:
            queries.update_check(row, changes, self._clock())


def _to_columns(values: Row) -> dict[str, Any]:
    """By the names of the table; what is left empty has its default."""
    columns = {_RENAMED.get(name, name): value for name, value in values.items() if name not in {"id", "system"}}
    return {name: value for name, value in columns.items() if value is not None and not _is_left_out(name, value)}


def _is_left_out(name: str, value: Any) -> bool:
    return value == "" and name in {"method", "record"}


def _check(definition: CheckDefinition) -> CheckDefinition:
    """Raise `BadRequest` naming every field that the agent would not understand."""
    problems = problems_of(definition)
    if problems:
        raise BadRequest(
            data={
                _SHOWN.get(name, name): FieldError("validation_invalid_value", text) for name, text in problems.items()
            }
        )
    return definition


def _require_harmless(before: CheckDefinition, after: CheckDefinition, changes: dict[str, Any]) -> None:
    """What a member may do to a check: everything, as long as it does not go to private addresses."""
    if not after.allow_private:
        return
    if not before.allow_private:
        raise _only_admins("allow_private")
    for name in changes.keys() - _HARMLESS:
        raise _only_admins(_SHOWN.get(name, name))


def _require_free_name(system_id: str, name: str, *, but_by: str = "") -> None:
    if queries.is_name_taken(system_id, name, but_by=but_by):
        raise _wrong("name", "validation_not_unique", "Another check of this system has this name.")


def _only_admins(field: str) -> BadRequest:
    return _wrong(field, _NOT_ALLOWED, "Only an administrator can set this for a check of private addresses.")


def _wrong(field: str, code: str, message: str) -> BadRequest:
    return BadRequest(data={field: FieldError(code, message)})
