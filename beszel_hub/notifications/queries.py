"""Channels by who may see them. Every function runs inside `Database.read` or `Database.write`."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec
import peewee

from beszel_hub.accounts.tables import User
from beszel_hub.notifications.channel import Channel
from beszel_hub.notifications.tables import ChannelRow, DeliveryRow, PlanRow
from beszel_hub.permissions import Actor
from beszel_hub.systems.tables import Membership, SystemRow


def visible_channels(actor: Actor) -> Any:
    """The condition for the actor's own channels; everybody's for administrators."""
    if actor.is_admin and actor.system_ids is None:
        return None
    return ChannelRow.user_id == (actor.user_id or "")


def visible_deliveries(actor: Actor) -> Any:
    """The condition for what the channels that the actor sees were told."""
    condition = visible_channels(actor)
    if condition is None:
        return None
    return DeliveryRow.channel_id.in_(ChannelRow.select(ChannelRow.id).where(condition))


def find_channel(channel_id: str) -> ChannelRow | None:
    return ChannelRow.get_or_none(ChannelRow.id == channel_id)


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


def still_sees(user_id: str, system_id: str) -> bool:
    """Whether a user may be told of a system now; what was planned may lie long back."""
    if not system_id or role_of(user_id) == "admin":
        return bool(role_of(user_id))
    member = (Membership.system_id == system_id) & (Membership.user_id == user_id)
    return bool(Membership.select(peewee.SQL("1")).where(member).exists())


def visible_statuses(user_id: str) -> dict[str, int]:
    """How many of the systems that a user sees are in each status."""
    query = SystemRow.select(SystemRow.status, peewee.fn.COUNT(SystemRow.id))
    if role_of(user_id) != "admin":
        mine = Membership.select(Membership.system_id).where(Membership.user_id == user_id)
        query = query.where(SystemRow.id.in_(mine))
    return {str(status): int(count) for status, count in query.group_by(SystemRow.status).tuples()}
