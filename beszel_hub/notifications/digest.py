"""Once a week, what a channel has been told and how its owner's systems are. Stored like a step of an alert.

A week's digest has one id, so a hub that restarts sends it once, and one that was off on Monday sends it when it is on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from beszel_hub.alerts.transition import Transition
from beszel_hub.notifications import outbox, queries
from beszel_hub.notifications.channel import Channel
from beszel_hub.notifications.message import Step

HOUR: Final = 8
"""Of Monday, UTC."""
MOST_SHOWN: Final = 5
_WEEK_MS: Final = 7 * 86_400_000


def put_digests(now_ms: int, *, shares_all: bool) -> int:
    """Runs inside `Database.write`; returns how many digests are new."""
    due_ms, week = latest_due(now_ms)
    count = 0
    for channel in queries.weekly_channels():
        row = queries.find_channel(channel.id)
        digest_id = f"digest/{channel.id}/{week}"
        if row is None or row.created >= due_ms or queries.has_delivery(digest_id, channel.id):
            continue
        statuses = queries.visible_statuses(channel.user_id, shares_all)
        told = [
            (status, msgspec.convert(step, Step).transition)
            for status, step in queries.steps_since(channel.id, due_ms - _WEEK_MS)
        ]
        count += outbox.put_for(channel, make_digest(channel, digest_id, statuses, told, now_ms=now_ms), now_ms)
    return count


def latest_due(now_ms: int) -> tuple[int, str]:
    """The newest instant at which digests were due, and the name of its week such as `2026-W47`."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    monday = (now - timedelta(days=now.weekday())).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    due = monday if monday <= now else monday - timedelta(days=7)
    year, week, _ = due.isocalendar()
    return round(due.timestamp() * 1000), f"{year}-W{week:02d}"


def make_digest(
    channel: Channel,
    digest_id: str,
    statuses: Mapping[str, int],
    told: Sequence[tuple[str, Transition]],
    *,
    now_ms: int,
) -> Step:
    """`told` are the steps of the week, each with whether it was sent. Pure."""
    fired = [transition for _, transition in told if transition.kind == "fired"]
    recovered = sum(transition.kind == "recovered" for _, transition in told)
    dead = sum(status == "dead" for status, _ in told)
    by_severity = Counter(str(transition.severity) for transition in fired)
    by_system = Counter(transition.system_name for transition in fired)
    lines = [f"Systems: {_counts(statuses) or 'none'}", f"Fired: {_counts(by_severity) or 'none'}"]
    lines += [f"Recovered: {recovered}"] if fired or recovered else []
    lines += [f"Most: {', '.join(f'{name} ({count})' for name, count in by_system.most_common(MOST_SHOWN))}"]
    lines = lines if by_system else lines[:-1]
    lines += [f"Could not be delivered: {dead}"] if dead else []
    transition = Transition(
        id=digest_id, alert_id=digest_id, rule_id="", name="Last week", system_id="", system_name="", target="",
        severity="info", kind="summary", value=None, peak=None, threshold=None, since_ms=now_ms - _WEEK_MS,
        at_ms=now_ms, user_ids=(channel.user_id,), text=f"{len(fired)} alerts in the last week.",
    )  # fmt: skip
    return Step(transition=transition, facts=tuple(lines))


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(numbers.items()) if count)
