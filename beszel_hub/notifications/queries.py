"""Channels by who may see them. Every function runs inside `Database.read` or `Database.write`."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
import peewee

from beszel_hub.accounts.tables import User
from beszel_hub.notifications.channel import Channel
from beszel_hub.notifications.tables import ChannelRow, DeliveryRow, PlanRow
from beszel_hub.permissions import Actor, Role
from beszel_hub.systems.queries import is_visible, visible_to
from beszel_hub.systems.tables import SystemRow


def visible_channels(actor: Actor) -> Any:
    """The condition for the actor's own channels; everybody's for administrators."""
    if actor.sees_everybody:
        return None
    return ChannelRow.user_id == (actor.user_id or "")


def visible_deliveries(actor: Actor) -> Any:
    """The condition for what the channels that the actor sees were told."""
    condition = visible_channels(actor)
    if condition is None:
        return None
    return DeliveryRow.channel_id.in_(ChannelRow.select(ChannelRow.id).where(condition))


class ChangedDelivery(NamedTuple):
    id: str
    created: int
    updated: int


def deliveries_since(instant_ms: int, limit: int) -> list[ChangedDelivery]:
    """Those made or changed then or later, oldest first."""
    query: Any = DeliveryRow.select(DeliveryRow.id, DeliveryRow.created, DeliveryRow.updated)
    ordered = query.where(DeliveryRow.updated >= instant_ms).order_by(DeliveryRow.updated, DeliveryRow.id)
    return [ChangedDelivery(*row) for row in ordered.limit(limit).tuples()]


def find_channel(channel_id: str) -> ChannelRow | None:
    return ChannelRow.get_or_none(ChannelRow.id == channel_id)


def find_visible(actor: Actor, channel_id: str) -> ChannelRow | None:
    condition = visible_channels(actor)
    this = ChannelRow.id == channel_id
    return ChannelRow.get_or_none(this if condition is None else this & condition)


def settings_channels(user_id: str) -> list[ChannelRow]:
    """Those that stand for the entries of the user's settings."""
    mine = (ChannelRow.user_id == user_id) & ChannelRow.is_from_settings
    return list(ChannelRow.select().where(mine).order_by(ChannelRow.created, ChannelRow.id))


def hint_of(channel_id: str) -> str:
    row = find_channel(channel_id)
    return "" if row is None else str(row.hint)


def count_channels(user_id: str) -> int:
    return int(ChannelRow.select().where(ChannelRow.user_id == user_id).count())


def insert_channel(columns: Mapping[str, Any]) -> None:
    ChannelRow.insert(columns).execute()


def update_channel(channel_id: str, columns: Mapping[str, Any]) -> None:
    ChannelRow.update(columns).where(ChannelRow.id == channel_id).execute()


def delete_channel(channel_id: str) -> None:
    ChannelRow.delete().where(ChannelRow.id == channel_id).execute()


def channels_of(user_ids: Iterable[str]) -> list[Channel]:
    rows = ChannelRow.select().where(ChannelRow.user_id.in_(sorted(set(user_ids))) & ChannelRow.is_enabled)
    return [to_channel(row) for row in rows.order_by(ChannelRow.id)]


def weekly_channels() -> list[Channel]:
    return [to_channel(row) for row in ChannelRow.select().where(ChannelRow.is_weekly & ChannelRow.is_enabled)]


def to_channel(row: ChannelRow) -> Channel:
    return msgspec.convert({name: getattr(row, name) for name in Channel.__struct_fields__}, Channel)


def has_work(now_ms: int) -> bool:
    """Whether anything in the outbox or among the plans is due."""
    waiting = (DeliveryRow.status == "waiting") & (DeliveryRow.due <= now_ms)
    is_due = DeliveryRow.select(DeliveryRow.id).where(waiting).exists()
    return bool(is_due) or bool(PlanRow.select(PlanRow.due).where(PlanRow.due <= now_ms).exists())


def due_channels(now_ms: int, *, busy: Collection[str]) -> list[str]:
    """Ids of channels with something due, that which is due longest first."""
    waiting = (DeliveryRow.status == "waiting") & (DeliveryRow.due <= now_ms)
    query = DeliveryRow.select(DeliveryRow.channel_id).where(waiting & DeliveryRow.channel_id.not_in(sorted(busy)))
    return [row.channel_id for row in query.group_by(DeliveryRow.channel_id).order_by(peewee.fn.MIN(DeliveryRow.due))]


def next_position(channel_id: str) -> int:
    """Of the next row for a channel."""
    query: Any = DeliveryRow.select(peewee.fn.MAX(DeliveryRow.position))
    return int(query.where(DeliveryRow.channel_id == channel_id).scalar() or 0) + 1


def count_messages(channel_id: str, *, since_ms: int) -> int:
    """That were sent."""
    sent = (DeliveryRow.channel_id == channel_id) & (DeliveryRow.status == "sent") & (DeliveryRow.updated > since_ms)
    return int(DeliveryRow.select(peewee.fn.COUNT(DeliveryRow.message.distinct())).where(sent).scalar() or 0)


def tags_of(system_id: str) -> frozenset[str]:
    row = SystemRow.get_or_none(SystemRow.id == system_id)
    return frozenset() if row is None else frozenset(row.tags)


def role_of(user_id: str) -> str:
    """Empty for a user who is no more."""
    row = User.get_or_none(User.id == user_id)
    return "" if row is None else str(row.role)


def email_of(user_id: str) -> str:
    row = User.get_or_none(User.id == user_id)
    return "" if row is None else str(row.email)


def still_sees(user_id: str, system_id: str, shares_all: bool) -> bool:
    """Whether a user may be told of a system now; what was planned may lie long back."""
    actor = _actor_of(user_id, shares_all)
    return actor is not None and is_visible(actor, system_id)


def visible_statuses(user_id: str, shares_all: bool) -> dict[str, int]:
    """How many of the systems that a user sees are in each status."""
    actor = _actor_of(user_id, shares_all)
    if actor is None:
        return {}
    query: Any = SystemRow.select(SystemRow.status, peewee.fn.COUNT(SystemRow.id))
    condition = visible_to(actor, SystemRow.id)
    query = query if condition is None else query.where(condition)
    return {str(status): int(count) for status, count in query.group_by(SystemRow.status).tuples()}


def steps_since(channel_id: str, since_ms: int) -> list[tuple[str, Any]]:
    """Status and step of what a channel was to be told since an instant."""
    query: Any = DeliveryRow.select(DeliveryRow.status, DeliveryRow.step)
    since = (DeliveryRow.channel_id == channel_id) & (DeliveryRow.created >= since_ms)
    return [(str(status), step) for status, step in query.where(since).tuples()]


def has_delivery(transition_id: str, channel_id: str) -> bool:
    this = (DeliveryRow.transition_id == transition_id) & (DeliveryRow.channel_id == channel_id)
    return bool(DeliveryRow.select(DeliveryRow.id).where(this).exists())


def try_again(delivery_id: str, now_ms: int) -> None:
    """Put a dead message into the outbox once more, with its key, and with all that it told."""
    row = DeliveryRow.get_or_none(DeliveryRow.id == delivery_id)
    if row is None or row.status != "dead":
        return
    this = (DeliveryRow.channel_id == row.channel_id) & (DeliveryRow.status == "dead")
    this &= (DeliveryRow.message == row.message) if row.message else (DeliveryRow.id == delivery_id)
    DeliveryRow.update(status="waiting", attempts=0, due=now_ms, created=now_ms, updated=now_ms).where(this).execute()


def _actor_of(user_id: str, shares_all: bool) -> Actor | None:
    role = role_of(user_id)
    return Actor(user_id=user_id, role=msgspec.convert(role, Role), sees_all=shares_all) if role else None
