"""Quiet hours, snoozes and silences: each user's own."""

from typing import Any, Final

from beszel_hub.alerts import queries
from beszel_hub.alerts.rules_collection import MAX_TAG_LENGTH, OnChange, require_system
from beszel_hub.alerts.silences import TYPES, find_zone
from beszel_hub.alerts.tables import QuietRow
from beszel_hub.clock import Clock
from beszel_hub.errors import NotFound, invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Collection, Field, Kind, Row, TableSource
from beszel_hub.store.ids import new_id

COLLECTION_ID: Final = "pbc_451525641"
"""As Beszel's clients know it."""
MAX_QUIET_HOURS: Final = 200
"""Of one user."""
MAX_NOTE_LENGTH: Final = 200
LATEST_MS: Final = 32_503_680_000_000
"""The year 3000: a time of day near the last instant that a calendar knows lies in no calendar elsewhere."""
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_FIELDS: Final = (
    ID,
    Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users", in_create=True),
    Field(name="system", attribute="system_id", kind=Kind.RELATION, target="systems", in_create=True, in_update=True),
    Field(name="rule", attribute="rule_id", kind=Kind.RELATION, target="alert_rules", in_create=True, in_update=True),
    Field(name="tag", in_create=True, in_update=True, max_length=MAX_TAG_LENGTH),
    Field(name="type", in_create=True, in_update=True, is_required=True, choices=TYPES),
    Field(name="start", kind=Kind.DATE, in_create=True, in_update=True, is_required=True),
    Field(name="end", kind=Kind.DATE, in_create=True, in_update=True, is_required=True),
    Field(name="timezone", in_create=True, in_update=True, max_length=64),
    Field(name="days", kind=Kind.LIST, in_create=True, in_update=True, max_length=7),
    Field(name="note", in_create=True, in_update=True, max_length=MAX_NOTE_LENGTH),
    CREATED,
    UPDATED,
)


def make_quiet_collection(clock: Clock, *, on_change: OnChange) -> Collection:
    """`on_change` runs after every commit."""
    source = QuietSource(clock)
    return Collection(
        name="quiet_hours",
        id=COLLECTION_ID,
        fields=_FIELDS,
        source=TableSource(
            table=QuietRow, scope=queries.visible_quiet_hours, create=source.create, update=source.update,
            delete=lambda _, quiet_id: queries.delete_quiet(quiet_id),
        ),
        on_change=on_change,
        show=_show,
    )  # fmt: skip


class QuietSource:
    """Every method runs inside `Database.write`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def create(self, actor: Actor, values: Row) -> str:
        if values.get("user") not in {None, "", actor.user_id}:
            raise invalid_field("user", "validation_not_allowed", "Quiet hours are one's own.")
        if queries.count_quiet(actor.user_id or "") >= MAX_QUIET_HOURS:
            raise invalid_field("type", "validation_too_many_values", f"There are {MAX_QUIET_HOURS} already.")
        columns = {
            "system_id": None, "rule_id": None, "tag": None, "timezone": "", "days": [], "note": "",
            **_columns(actor, values),
        }  # fmt: skip
        _check(columns)
        _require_reach(actor, columns["system_id"], columns["rule_id"])
        quiet_id = values.get("id") or new_id()
        now_ms = self._clock()
        queries.insert_quiet(
            {**columns, "id": quiet_id, "user_id": actor.user_id, "created": now_ms, "updated": now_ms}
        )
        return quiet_id

    def update(self, actor: Actor, quiet_id: str, values: Row) -> None:
        row = queries.find_quiet(quiet_id)
        if row is None or row.user_id != actor.user_id:
            raise NotFound
        columns = _columns(actor, values)
        present = {name: getattr(row, name) for name in ("type", "start", "end", "timezone", "days")}
        _check({**present, **columns})
        _require_reach(actor, columns.get("system_id", row.system_id), columns.get("rule_id", row.rule_id))
        queries.update_quiet(quiet_id, {**columns, "updated": self._clock()})


def _require_reach(actor: Actor, system_id: str | None, rule_id: str | None) -> None:
    """A token for some systems silences none of the others."""
    if actor.system_ids is None or system_id:
        return
    rule = queries.find_rule(rule_id) if rule_id else None
    if rule is None or rule.system_id is None:
        raise invalid_field("system", "validation_required", "This token is for some systems only; name one.")


def _columns(actor: Actor, values: Row) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: values[name] for name in ("type", "start", "end", "timezone", "note") if name in values
    }
    if "tag" in values:
        columns["tag"] = values["tag"] or None
    if "system" in values:
        columns["system_id"] = values["system"] or None
    if "rule" in values:
        columns["rule_id"] = values["rule"] or None
    if columns.get("system_id"):
        require_system(actor, columns["system_id"])
    if columns.get("rule_id") and not queries.sees_rule(actor, columns["rule_id"]):
        raise invalid_field("rule", "validation_missing_rel_records", "There is no such record.")
    if "days" in values:
        columns["days"] = _read_days(values["days"])
    return columns


def _read_days(names: list[str]) -> list[int]:
    try:
        return sorted({WEEKDAYS.index(name.lower()) for name in names})
    except ValueError as error:
        raise invalid_field("days", "validation_invalid_value", f"Days are {', '.join(WEEKDAYS)}.") from error


def _check(columns: dict[str, Any]) -> None:
    try:
        find_zone(columns["timezone"])
    except ValueError as error:
        raise invalid_field("timezone", "validation_invalid_value", str(error)) from error
    if max(columns["start"], columns["end"]) > LATEST_MS:
        raise invalid_field("end", "validation_invalid_value", "This is too far in the future.")
    if columns["type"] == "one-time" and columns["start"] >= columns["end"]:
        raise invalid_field("end", "validation_invalid_value", "It ends before it begins.")
    if columns["type"] == "weekly" and not columns["days"]:
        raise invalid_field("days", "validation_required", "On which days of the week?")


def _show(_: Actor, row: Row) -> Row:
    return {**row, "days": [WEEKDAYS[int(day)] for day in row["days"] or []]}
