"""The persistent outbox. `put` runs in the transaction that stores the step of the alert: neither is without the other.

Every function runs inside `Database.write`. A channel is told in order: while one of its messages is being tried, what
comes after it waits, and is then told in one message.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec

from beszel_hub.alerts.queries import load_silences
from beszel_hub.alerts.silences import About, Silence, is_silent
from beszel_hub.alerts.transition import Transition
from beszel_hub.notifications import queries
from beszel_hub.notifications.channel import Channel
from beszel_hub.notifications.message import Step
from beszel_hub.notifications.steps import ENDING, planned, route
from beszel_hub.notifications.tables import ChannelRow, DeliveryRow, PlanRow
from beszel_hub.store.ids import new_id

MAX_WAITING: Final = 2000
"""Of one channel; what comes on top is kept as dead, so that it can still be read."""
MAX_STEPS: Final = 200
"""Of one message."""
MAX_PLANS: Final = 200
"""Worked on in one transaction."""
QUIET_MS: Final = 60_000
"""After so long a plan that came due in quiet hours is looked at again."""
SENT_KEPT_MS: Final = 30 * 86_400_000
DEAD_KEPT_MS: Final = 90 * 86_400_000
_HOUR_MS: Final = 3_600_000
_SWEPT: Final = 5000

Facts = Callable[[Transition], Sequence[str]]
"""Lines that help at first sight; runs on the writer thread and must not wait."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One message that is to be sent now, with all that sending takes."""

    key: str
    channel: Channel
    sealed_target: bytes
    owner_role: str
    steps: tuple[Step, ...]
    attempts: int
    """That have failed."""
    since_ms: int
    """When its oldest step was put into the outbox."""


def put(transition: Transition, *, now_ms: int, facts: Facts | None = None) -> int:
    """Store who is to be told of a step; handed over twice, it is told once. Returns how many rows there are more."""
    told = _told_channels(transition.alert_id)
    if transition.kind in ENDING:
        end_plans(transition.alert_id)
    tags = queries.tags_of(transition.system_id)
    channels = queries.channels_of(transition.user_ids)
    if transition.kind == "recovered":
        told |= _summed_up(transition, {channel.id for channel in channels} - told)
    step: Step | None = None
    count = 0
    for channel in channels:
        routed = route(transition, channel, tags, was_told=channel.id in told)
        if routed is None:
            continue
        step = step or _to_step(transition, facts)
        if routed.is_told_now:
            count += _insert(channel, step, now_ms)
        if routed.plan_due_ms is not None:
            _plan(channel, step, routed.plan_due_ms, told=int(routed.is_told_now))
    return count


def put_for(channel: Channel, step: Step, now_ms: int) -> int:
    """Past the routing, for what belongs to one channel alone."""
    return _insert(channel, step, now_ms)


def end_plans(alert_id: str) -> None:
    """Nobody is told again of this alert, as it is over or somebody has taken it on."""
    PlanRow.delete().where(PlanRow.alert_id == alert_id).execute()


def work_plans(now_ms: int, *, shares_all: bool) -> int:
    """Put what has come due into the outbox; who sees the system no more is not told, who has quiet hours later."""
    due = list(PlanRow.select().where(PlanRow.due <= now_ms).order_by(PlanRow.due).limit(MAX_PLANS))
    silences = load_silences() if due else []
    for row in due:
        _work_plan(row, now_ms, silences, shares_all=shares_all)
    return len(due)


def claim(now_ms: int, *, busy: Collection[str], limit: int) -> list[Claim]:
    """At most `limit` messages that are due, of as many channels; none of the channels that are `busy`."""
    claims: list[Claim] = []
    for channel_id in queries.due_channels(now_ms, busy=busy):
        claimed = _claim_of(channel_id, now_ms)
        if claimed is not None:
            claims.append(claimed)
        if len(claims) == limit:
            break
    return claims


def mark_sent(claimed: Claim, now_ms: int) -> None:
    _mark(claimed, now_ms, status="sent", reason="")
    ChannelRow.update(last_sent=now_ms, last_error="").where(ChannelRow.id == claimed.channel.id).execute()


def mark_dead(claimed: Claim, now_ms: int, reason: str) -> None:
    _mark(claimed, now_ms, status="dead", reason=reason)
    ChannelRow.update(last_error=reason).where(ChannelRow.id == claimed.channel.id).execute()


def mark_waiting(claimed: Claim, now_ms: int, reason: str, *, due_ms: int) -> None:
    """Of a message that was not taken and is tried again at `due_ms`."""
    _mark(claimed, now_ms, status="waiting", reason=reason, due=due_ms)
    ChannelRow.update(last_error=reason).where(ChannelRow.id == claimed.channel.id).execute()


def sweep(now_ms: int) -> int:
    """Forget what was sent or given up long ago; a bounded part at a time. Returns how many rows are gone."""
    sent = (DeliveryRow.status == "sent") & (DeliveryRow.updated < now_ms - SENT_KEPT_MS)
    dead = (DeliveryRow.status == "dead") & (DeliveryRow.updated < now_ms - DEAD_KEPT_MS)
    old = DeliveryRow.select(DeliveryRow.id).where(sent | dead).limit(_SWEPT)
    return int(DeliveryRow.delete().where(DeliveryRow.id.in_(old)).execute())


def _to_step(transition: Transition, facts: Facts | None) -> Step:
    """Without who else is told, which is nobody's business."""
    alone = msgspec.structs.replace(transition, user_ids=())
    return Step(transition=alone, facts=tuple(facts(transition)) if facts else ())


def _told_channels(alert_id: str) -> frozenset[str]:
    query = DeliveryRow.select(DeliveryRow.channel_id).where(DeliveryRow.alert_id == alert_id).distinct()
    return frozenset(row.channel_id for row in query)


def _summed_up(transition: Transition, channel_ids: Collection[str]) -> frozenset[str]:
    """Those of these channels that heard of the alert in a summary, of what lasted when quiet hours were over."""
    since = DeliveryRow.channel_id.in_(sorted(channel_ids)) & (DeliveryRow.created >= transition.since_ms)
    summaries = DeliveryRow.select().where(since & DeliveryRow.alert_id.startswith("summary:")) if channel_ids else ()
    return frozenset(
        row.channel_id for row in summaries if transition.alert_id in msgspec.convert(row.step, Step).transition.lasting
    )


def _insert(channel: Channel, step: Step, now_ms: int) -> int:
    transition = step.transition
    waiting = (DeliveryRow.channel_id == channel.id) & (DeliveryRow.status == "waiting")
    is_full = DeliveryRow.select().where(waiting).count() >= MAX_WAITING
    columns: dict[str, Any] = {
        "id": new_id(), "channel_id": channel.id, "position": queries.next_position(channel.id),
        "transition_id": transition.id, "alert_id": transition.alert_id, "system_id": transition.system_id,
        "status": "dead" if is_full else "waiting", "step": step, "message": "", "attempts": 0,
        "due": now_ms + 1000 * channel.group_seconds, "reason": "too many wait for this channel" if is_full else "",
        "created": now_ms, "updated": now_ms,
    }  # fmt: skip
    return int(DeliveryRow.insert(columns).on_conflict_ignore().as_rowcount().execute())


def _plan(channel: Channel, step: Step, due_ms: int, *, told: int) -> None:
    columns = {
        "alert_id": step.transition.alert_id, "channel_id": channel.id, "step": step, "due": due_ms, "told": told,
    }  # fmt: skip
    PlanRow.insert(columns).on_conflict_ignore().execute()


def _work_plan(row: PlanRow, now_ms: int, silences: list[Silence], *, shares_all: bool) -> None:
    this = (PlanRow.alert_id == row.alert_id) & (PlanRow.channel_id == row.channel_id)
    channel_row = queries.find_channel(row.channel_id)
    channel = None if channel_row is None else queries.to_channel(channel_row)
    step = msgspec.convert(row.step, Step)
    system_id = step.transition.system_id
    if channel is None or not channel.is_enabled or not queries.still_sees(channel.user_id, system_id, shares_all):
        PlanRow.delete().where(this).execute()
        return
    about = About(channel.user_id, system_id, tuple(queries.tags_of(system_id)), step.transition.rule_id)
    if is_silent(silences, about, now_ms):
        PlanRow.update(due=now_ms + QUIET_MS).where(this).execute()
        return
    _insert(channel, planned(step, channel, told=row.told, now_ms=now_ms), now_ms)
    if channel.repeat_seconds:
        PlanRow.update(due=now_ms + 1000 * channel.repeat_seconds, told=row.told + 1).where(this).execute()
    else:
        PlanRow.delete().where(this).execute()


def _claim_of(channel_id: str, now_ms: int) -> Claim | None:
    channel_row = queries.find_channel(channel_id)
    if channel_row is None:
        return None
    channel = queries.to_channel(channel_row)
    waiting = (DeliveryRow.channel_id == channel_id) & (DeliveryRow.status == "waiting")
    ordered = DeliveryRow.select().where(waiting).order_by(DeliveryRow.position)
    tried = ordered.where(DeliveryRow.message != "").first()
    if tried is not None:
        if tried.due > now_ms:
            return None  # what came after it keeps its place behind it
        rows = list(ordered.where(DeliveryRow.message == tried.message))
    elif _is_over_limit(channel, now_ms):
        return None
    else:
        rows = list(ordered.limit(MAX_STEPS))
    return _claim_rows(channel_row, channel, rows)


def _claim_rows(channel_row: ChannelRow, channel: Channel, rows: Sequence[DeliveryRow]) -> Claim:
    """Which steps are one message is fixed before the first try, so that every try has the same key and text."""
    ids = [str(row.id) for row in rows]
    key = str(rows[0].message) or hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]
    if not rows[0].message:
        DeliveryRow.update(message=key).where(DeliveryRow.id.in_(ids)).execute()
    return Claim(
        key=key,
        channel=channel,
        sealed_target=bytes(channel_row.target),
        owner_role=queries.role_of(channel.user_id),
        steps=tuple(msgspec.convert(row.step, Step) for row in rows),
        attempts=rows[0].attempts,
        since_ms=min(row.created for row in rows),
    )


def _is_over_limit(channel: Channel, now_ms: int) -> bool:
    return queries.count_messages(channel.id, since_ms=now_ms - _HOUR_MS) >= channel.per_hour


def _mark(claimed: Claim, now_ms: int, **columns: Any) -> None:
    rows = (DeliveryRow.channel_id == claimed.channel.id) & (DeliveryRow.message == claimed.key)
    changes = {"attempts": DeliveryRow.attempts + 1, "updated": now_ms, **columns}
    DeliveryRow.update(changes).where(rows & (DeliveryRow.status == "waiting")).execute()
