"""How channels and their outbox are exposed. Everybody has channels of their own; a target goes in, and never out."""

from typing import Any, Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, FieldError, NotFound, invalid_field
from beszel_hub.notifications import queries
from beszel_hub.notifications.channel import (
    DEFAULT_GROUP_SECONDS,
    DEFAULT_PER_HOUR,
    KINDS,
    MAX_CHANNELS,
    MAX_GROUP_SECONDS,
    MAX_PER_HOUR,
    MAX_PLAN_SECONDS,
    MAX_SELECTED,
    MAX_TARGET_LENGTH,
    SEVERITIES,
)
from beszel_hub.notifications.desk import ChannelDesk
from beszel_hub.notifications.tables import ChannelRow, DeliveryRow
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Collection, Field, Kind, Row, TableSource
from beszel_hub.store.ids import new_id
from beszel_hub.systems.queries import is_visible
from beszel_protocol.template import (
    MAX_SUBJECT_TEMPLATE_LENGTH,
    MAX_TEMPLATE_LENGTH,
    check_json,
    check_subject,
    check_text,
)

CHANNELS_ID: Final = "pbc_notification_channels"
DELIVERIES_ID: Final = "pbc_notification_deliveries"
DEFAULTS: Final[dict[str, Any]] = {
    "template": "", "subject_template": "", "min_severity": "info", "rules": [], "systems": [], "tags": [],
    "is_enabled": True, "sends_recoveries": True, "escalate_after_seconds": 0, "repeat_seconds": 0,
    "group_seconds": DEFAULT_GROUP_SECONDS, "per_hour": DEFAULT_PER_HOUR, "is_weekly": False,
}  # fmt: skip
_COLUMNS: Final = {
    "severity": "min_severity", "enabled": "is_enabled", "recoveries": "sends_recoveries",
    "escalate_after": "escalate_after_seconds", "repeat": "repeat_seconds", "group": "group_seconds",
    "weekly": "is_weekly",
}  # fmt: skip
"""Fields that are called otherwise in the table."""
_APART: Final = frozenset({"id", "user", "kind", "url"})


def make_channels_collection(clock: Clock, desk: ChannelDesk) -> Collection:
    source = _Channels(clock, desk)
    return Collection(
        name="notification_channels",
        id=CHANNELS_ID,
        fields=_CHANNEL_FIELDS,
        source=TableSource(
            table=ChannelRow,
            scope=queries.visible_channels,
            create=source.create,
            update=source.update,
            delete=source.delete,
        ),
        prepare=source.prepare,
    )


def make_deliveries_collection(clock: Clock) -> Collection:
    """Read by everybody whose channel it was; an update tries again what was given up."""

    def update(_: Actor, delivery_id: str, values: Row) -> None:
        if values.get("status") == "waiting":
            queries.try_again(delivery_id, clock())

    return Collection(
        name="notification_deliveries",
        id=DELIVERIES_ID,
        fields=_DELIVERY_FIELDS,
        source=TableSource(table=DeliveryRow, scope=queries.visible_deliveries, update=update),
    )


class _Channels:
    """Writes what a request asked for; `create` and `update` run inside `Database.write`."""

    def __init__(self, clock: Clock, desk: ChannelDesk) -> None:
        self._clock = clock
        self._desk = desk

    async def prepare(self, actor: Actor, channel_id: str | None, values: Row) -> Row:
        """Ask Apprise whether there is such a service, which takes a moment."""
        if values.get("url"):
            kind = values.get("kind") or await self._desk.kind_of(channel_id or "")
            await self._desk.check_target(actor, kind, values["url"])
        return values

    def create(self, actor: Actor, values: Row) -> str:
        _require_whole(actor)
        user_id = actor.user_id or ""
        if values.get("user") not in {None, "", user_id}:
            raise invalid_field("user", "validation_not_allowed", "Channels can only be one's own.")
        if queries.count_channels(user_id) >= MAX_CHANNELS:
            raise invalid_field("user", "validation_too_many_values", f"A user has at most {MAX_CHANNELS} channels.")
        channel_id, now_ms = values.get("id") or new_id(), self._clock()
        columns = DEFAULTS | _to_columns(values)
        _check_selection(actor, columns, values["kind"])
        queries.insert_channel({
            "id": channel_id, "user_id": user_id, "kind": values["kind"], "is_from_settings": False,
            "last_sent": None, "last_error": "", "created": now_ms, "updated": now_ms, **columns,
            **self._desk.seal(channel_id, values["kind"], values["url"]),
        })  # fmt: skip
        return channel_id

    def update(self, actor: Actor, channel_id: str, values: Row) -> None:
        _require_whole(actor)
        row = queries.find_channel(channel_id)
        if row is None:
            raise NotFound
        columns = _to_columns(values)
        _check_selection(
            actor, {"template": row.template, "subject_template": row.subject_template, **columns}, row.kind
        )
        if values.get("url"):
            columns |= self._desk.seal(channel_id, queries.to_channel(row).kind, values["url"])
        queries.update_channel(channel_id, {**columns, "updated": self._clock()})

    @staticmethod
    def delete(actor: Actor, channel_id: str) -> None:
        _require_whole(actor)
        queries.delete_channel(channel_id)


def _to_columns(values: Row) -> dict[str, Any]:
    """By the names of the table; what is left empty has its default."""
    columns = {_COLUMNS.get(name, name): value for name, value in values.items() if name not in _APART}
    return {name: DEFAULTS.get(name) if value is None or value == "" else value for name, value in columns.items()}


def _require_whole(actor: Actor) -> None:
    """A channel hears of everything that its owner sees, so a token for some systems must not make one."""
    if actor.system_ids is not None:
        raise invalid_field("user", "validation_not_allowed", "A token that is limited to systems cannot set channels.")


def _check_selection(actor: Actor, columns: dict[str, Any], kind: str) -> None:
    try:
        (check_json if kind == "webhook" and columns["template"] else check_text)(columns["template"])
    except ValueError as error:
        raise invalid_field("template", "validation_invalid_value", str(error)) from error
    try:
        check_subject(columns["subject_template"])
    except ValueError as error:
        raise invalid_field("subject_template", "validation_invalid_value", str(error)) from error
    if not all(is_visible(actor, system_id) for system_id in columns.get("systems", ())):
        raise BadRequest(data={"systems": FieldError("validation_missing_rel_records", "There is no such record.")})


def _flag(name: str) -> Field:
    return Field(name=name, attribute=_COLUMNS[name], kind=Kind.BOOL, in_create=True, in_update=True)


def _number(name: str, low: int, high: int) -> Field:
    return Field(
        name=name, attribute=_COLUMNS.get(name, ""), kind=Kind.NUMBER, in_create=True, in_update=True,
        low=low, high=high,
    )  # fmt: skip


def _list(name: str) -> Field:
    return Field(name=name, kind=Kind.LIST, in_create=True, in_update=True, max_length=MAX_SELECTED)


_CHANNEL_FIELDS: Final = (
    ID,
    Field(name="user", attribute="user_id", kind=Kind.RELATION, target="users", in_create=True),
    Field(name="name", in_create=True, in_update=True, is_required=True, max_length=100),
    Field(name="kind", in_create=True, is_required=True, choices=KINDS),
    Field(
        name="url", kind=Kind.PASSWORD, in_create=True, in_update=True, is_required=True, max_length=MAX_TARGET_LENGTH
    ),
    Field(name="hint"),
    Field(name="template", in_create=True, in_update=True, max_length=MAX_TEMPLATE_LENGTH, has_lines=True),
    # Line ends are kept so that they can be refused, instead of joining what stands before and after them.
    Field(
        name="subject_template", in_create=True, in_update=True, max_length=MAX_SUBJECT_TEMPLATE_LENGTH, has_lines=True
    ),
    Field(name="severity", attribute="min_severity", in_create=True, in_update=True, choices=SEVERITIES),
    _list("rules"),
    _list("systems"),
    _list("tags"),
    _flag("enabled"),
    _flag("recoveries"),
    _number("escalate_after", 0, MAX_PLAN_SECONDS),
    _number("repeat", 0, MAX_PLAN_SECONDS),
    _number("group", 0, MAX_GROUP_SECONDS),
    _number("per_hour", 1, MAX_PER_HOUR),
    _flag("weekly"),
    Field(name="from_settings", attribute="is_from_settings", kind=Kind.BOOL),
    Field(name="last_sent", kind=Kind.DATE),
    Field(name="last_error"),
    CREATED,
    UPDATED,
)  # fmt: skip
_DELIVERY_FIELDS: Final = (
    Field(name="id"),
    Field(name="channel", attribute="channel_id", kind=Kind.RELATION, target="notification_channels"),
    Field(name="alert", attribute="alert_id"),
    Field(name="transition", attribute="transition_id"),
    Field(name="system", attribute="system_id"),
    Field(name="status", in_update=True, choices=("waiting",)),
    Field(name="step", kind=Kind.JSON),
    Field(name="message"),
    Field(name="attempts", kind=Kind.NUMBER),
    Field(name="due", kind=Kind.DATE),
    Field(name="reason"),
    CREATED,
    UPDATED,
)
