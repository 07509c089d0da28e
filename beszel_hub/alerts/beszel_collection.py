"""The `alerts` of Beszel's clients: a user's rules of the eleven kinds, each on one system."""

from typing import Final

import msgspec

from beszel_hub.alerts import queries
from beszel_hub.alerts.presets import MAX_MINUTES, PRESETS, expand_preset
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.rules_collection import MAX_RULES, OnChange, require_system
from beszel_hub.alerts.tables import BeszelAlert, RuleRow
from beszel_hub.clock import Clock
from beszel_hub.errors import NotFound, invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Collection, Field, Kind, Row, TableSource
from beszel_hub.store.ids import new_id

COLLECTION_ID: Final = "elngm8x1l60zi2v"
"""As Beszel's clients know it."""
MAX_VALUE: Final = 1e9

_FIELDS: Final = (
    ID,
    Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users", in_create=True, in_update=True),
    Field(
        name="system", attribute="system_id", kind=Kind.RELATION, target="systems", in_create=True, in_update=True,
        is_required=True,
    ),
    Field(name="name", in_create=True, in_update=True, is_required=True, choices=tuple(PRESETS)),
    Field(name="value", kind=Kind.NUMBER, in_create=True, in_update=True, low=0, high=MAX_VALUE),
    Field(name="min", kind=Kind.NUMBER, in_create=True, in_update=True, low=0, high=MAX_MINUTES),
    Field(name="triggered", kind=Kind.BOOL),
    CREATED,
    UPDATED,
)  # fmt: skip


def make_alerts_collection(clock: Clock, *, on_change: OnChange) -> Collection:
    """`on_change` runs after every commit."""
    source = AlertsSource(clock)
    return Collection(
        name="alerts",
        id=COLLECTION_ID,
        fields=_FIELDS,
        source=TableSource(
            table=BeszelAlert, scope=queries.visible_alerts, create=source.create, update=source.update,
            delete=source.delete,
        ),
        on_change=on_change,
    )  # fmt: skip


class AlertsSource:
    """Every method runs inside `Database.write`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def create(self, actor: Actor, values: Row) -> str:
        _require_own(actor, values)
        require_system(actor, values["system"])
        if queries.find_preset(actor.user_id or "", values["system"], values["name"]) is not None:
            raise invalid_field("name", "validation_not_unique", "There is such an alert already.")
        return put_preset(
            actor, values["system"], values["name"], values.get("value") or 0.0, int(values.get("min") or 0),
            self._clock(), rule_id=values.get("id") or "",
        )  # fmt: skip

    def update(self, actor: Actor, alert_id: str, values: Row) -> None:
        """Clients send whole records back; what an alert watches stays as it is."""
        row = _own_row(actor, alert_id)
        _require_own(actor, values)
        for name, present in (("system", row.system_id), ("name", row.preset)):
            if values.get(name, present) != present:
                raise invalid_field(name, "validation_not_allowed", "Delete this alert and make another one.")
        value = values.get("value", row.preset_value)
        minutes = values.get("min", row.preset_minutes)
        _rewrite(row, float(value or 0.0), int(minutes or 0), self._clock())

    def delete(self, actor: Actor, alert_id: str) -> None:
        queries.delete_rule(_own_row(actor, alert_id).id)


def put_preset(
    actor: Actor, system_id: str, name: str, value: float, minutes: int, now_ms: int, *, rule_id: str = ""
) -> str:
    """Make a user's alert of one kind on one system what it should be, and return its id."""
    user_id = actor.user_id or ""
    row = queries.find_preset(user_id, system_id, name)
    if row is not None:
        _rewrite(row, value, minutes, now_ms)
        return str(row.id)
    if queries.count_rules(user_id) >= MAX_RULES * len(PRESETS):
        raise invalid_field("name", "validation_too_many_values", "There are too many alerts already.")
    expanded = expand_preset(name, value, minutes)
    made = Rule(
        id=rule_id or new_id(), name=name, conditions=expanded.conditions, for_seconds=expanded.for_seconds,
        user_id=user_id, system_id=system_id,
    )  # fmt: skip
    queries.insert_rule(made, now_ms, preset=name, preset_value=value, preset_minutes=minutes)
    return made.id


def _rewrite(row: RuleRow, value: float, minutes: int, now_ms: int) -> None:
    """Whatever else somebody has told the rule, such as its severity, stays."""
    expanded = expand_preset(row.preset, value, minutes)
    changed = msgspec.structs.replace(
        queries.to_rule(row), conditions=expanded.conditions, for_seconds=expanded.for_seconds
    )
    queries.update_rule(changed, now_ms, preset_value=value, preset_minutes=minutes)


def _own_row(actor: Actor, alert_id: str) -> RuleRow:
    row = queries.find_rule(alert_id)
    if row is None or row.user_id != actor.user_id or not row.preset:
        raise NotFound
    return row


def _require_own(actor: Actor, values: Row) -> None:
    if values.get("user") not in {None, "", actor.user_id}:
        raise invalid_field("user", "validation_not_allowed", "Alerts are one's own.")
