"""How rules are exposed: one's own, and those for everybody, which only administrators make and change."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from beszel_hub.alerts import queries
from beszel_hub.alerts.rule import MATCHES, MAX_WINDOW_SECONDS, SEVERITIES, Condition, InvalidRule, Rule
from beszel_hub.alerts.tables import RuleRow
from beszel_hub.alerts.validation import MAX_NAME_LENGTH, check_rule
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, NotFound, invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Change, Collection, Field, Kind, Row, TableSource
from beszel_hub.store.ids import new_id

COLLECTION_ID: Final = "pbc_alert_rules"
MAX_RULES: Final = 500
"""Of one user, and of those for everybody."""
MAX_CONDITIONS_BYTES: Final = 16_000
MAX_TAG_LENGTH: Final = 100

OnChange = Callable[[Change], Awaitable[None]]


def _seconds(name: str) -> Field:
    return Field(name=name, kind=Kind.NUMBER, in_create=True, in_update=True, low=0, high=MAX_WINDOW_SECONDS)


_FIELDS: Final = (
    ID,
    Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users", in_create=True),
    Field(name="system", attribute="system_id", kind=Kind.RELATION, target="systems", in_create=True, in_update=True),
    Field(name="tag", in_create=True, in_update=True, max_length=MAX_TAG_LENGTH),
    Field(name="name", in_create=True, in_update=True, is_required=True, max_length=MAX_NAME_LENGTH),
    Field(
        name="conditions", kind=Kind.JSON, in_create=True, in_update=True, is_required=True,
        max_length=MAX_CONDITIONS_BYTES,
    ),
    Field(name="match", in_create=True, in_update=True, choices=MATCHES),
    Field(name="severity", in_create=True, in_update=True, choices=SEVERITIES),
    Field(name="enabled", kind=Kind.BOOL, in_create=True, in_update=True),
    _seconds("for_seconds"),
    _seconds("recover_seconds"),
    _seconds("repeat_seconds"),
    Field(name="escalate_value", kind=Kind.NUMBER, in_create=True, in_update=True),
    _seconds("escalate_seconds"),
    Field(name="origin"),
    CREATED,
    UPDATED,
)  # fmt: skip


def make_rules_collection(clock: Clock, *, on_change: OnChange) -> Collection:
    """`on_change` runs after every commit."""
    source = RulesSource(clock)
    return Collection(
        name="alert_rules",
        id=COLLECTION_ID,
        fields=_FIELDS,
        source=TableSource(
            table=RuleRow, scope=queries.visible_rules, create=source.create, update=source.update,
            delete=source.delete,
        ),
        on_change=on_change,
    )  # fmt: skip


class RulesSource:
    """Every method runs inside `Database.write`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def create(self, actor: Actor, values: Row) -> str:
        made = draft_rule(actor, values)
        _require_reach(actor, made)
        if queries.count_rules(made.user_id) >= MAX_RULES:
            raise invalid_field("name", "validation_too_many_values", f"There are {MAX_RULES} rules already.")
        queries.insert_rule(made, self._clock())
        return made.id

    def update(self, actor: Actor, rule_id: str, values: Row) -> None:
        """A rule of one of Beszel's kinds stops being one: its numbers may say more than Beszel's can."""
        row = _own_row(actor, rule_id)
        changes = _changes(actor, values)
        if "name" in values:
            changes["name"] = values["name"]
        if "conditions" in values:
            changes["conditions"] = read_conditions(values["conditions"])
        changed = msgspec.structs.replace(queries.to_rule(row), **changes)
        _require_reach(actor, changed)
        queries.update_rule(_checked(changed), self._clock(), preset="", preset_value=None, preset_minutes=None)

    def delete(self, actor: Actor, rule_id: str) -> None:
        queries.delete_rule(_own_row(actor, rule_id).id)


def draft_rule(actor: Actor, values: Row) -> Rule:
    """The rule that a record of these values would be; raise `BadRequest` if it makes no sense."""
    return _checked(
        Rule(
            id=values.get("id") or new_id(), name=values["name"], user_id=_owner(actor, values),
            conditions=read_conditions(values["conditions"]), **_changes(actor, values),
        )
    )  # fmt: skip


def read_conditions(raw: Any) -> tuple[Condition, ...]:
    """Raise `BadRequest` for what are none."""
    try:
        return msgspec.convert(raw, tuple[Condition, ...])
    except msgspec.ValidationError as error:
        raise invalid_field("conditions", "validation_invalid_value", str(error)) from error


def require_system(actor: Actor, system_id: str) -> None:
    """The same answer for a system that is not the actor's as for one that there is not."""
    if not queries.sees_system(actor, system_id):
        raise invalid_field("system", "validation_missing_rel_records", "There is no such record.")


def _own_row(actor: Actor, rule_id: str) -> RuleRow:
    """Who sees a rule for everybody may not change it; what a file says is changed there."""
    row = queries.find_rule(rule_id)
    if row is None or (not actor.is_admin and row.user_id != actor.user_id):
        raise NotFound
    if row.system_id is None and actor.system_ids is not None:
        raise NotFound  # it watches more than this token is for
    if row.origin == "file":
        raise BadRequest("This rule is in the file of rules; change it there.")
    return row


def _owner(actor: Actor, values: Row) -> str | None:
    """Rules for everybody have an empty `user`; whoever leaves it out means themselves."""
    wanted = values.get("user", actor.user_id)
    if actor.is_admin and not wanted:
        if actor.system_ids is not None:
            raise invalid_field("user", "validation_not_allowed", "This token is for some systems only.")
        return None
    if wanted not in {"", actor.user_id}:
        raise invalid_field("user", "validation_not_allowed", "Rules are one's own.")
    return actor.user_id


def _changes(actor: Actor, values: Row) -> dict[str, Any]:
    """Fields of a rule from fields of a record; what is empty is what a rule has unless told otherwise."""
    changes: dict[str, Any] = {name: values[name] for name in ("match", "severity") if values.get(name)}
    changes |= {
        name: int(values[name] or 0)
        for name in ("for_seconds", "recover_seconds", "repeat_seconds", "escalate_seconds")
        if name in values
    }
    if "escalate_value" in values:
        changes["escalate_value"] = values["escalate_value"]
    if "enabled" in values:
        changes["is_enabled"] = values["enabled"]
    if "tag" in values:
        changes["tag"] = values["tag"] or None
    if "system" in values:
        changes["system_id"] = values["system"] or None
    if changes.get("system_id"):
        require_system(actor, changes["system_id"])
    return changes


def _require_reach(actor: Actor, rule: Rule) -> None:
    """A token for some systems has none of the others watched."""
    if rule.system_id is None and actor.system_ids is not None:
        raise invalid_field("system", "validation_required", "This token is for some systems only; name one.")


def _checked(rule: Rule) -> Rule:
    try:
        return check_rule(rule)
    except InvalidRule as error:
        raise invalid_field(error.field, "validation_invalid_value", str(error)) from error
