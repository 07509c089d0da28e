"""A channel: one way to one place, and what of everything its owner wants to hear there. Pure."""

from typing import Final, Literal, TypeAlias

import msgspec

from beszel_hub.alerts.transition import Severity, Transition

ChannelKind: TypeAlias = Literal["apprise", "webhook", "email"]

KINDS: Final[tuple[ChannelKind, ...]] = ("apprise", "webhook", "email")
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
MAX_CHANNELS: Final = 50
"""Of one user."""
MAX_SELECTED: Final = 200
"""Rules, systems or tags that one channel names."""
MAX_TARGET_LENGTH: Final = 2048
MAX_PLAN_SECONDS: Final = 7 * 86400
MAX_GROUP_SECONDS: Final = 3600
MAX_PER_HOUR: Final = 600
DEFAULT_GROUP_SECONDS: Final = 3
DEFAULT_PER_HOUR: Final = 60


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """Without its target, which is sealed in the database and opened only to send."""

    id: str
    user_id: str
    kind: ChannelKind
    name: str
    template: str = ""
    subject_template: str = ""
    """Of the title, which is the subject of mail; empty for the hub's own words."""
    min_severity: Severity = "info"
    rules: tuple[str, ...] = ()
    """Ids of rules; empty for every rule."""
    systems: tuple[str, ...] = ()
    """Ids of systems; empty together with `tags` for every system."""
    tags: tuple[str, ...] = ()
    is_enabled: bool = True
    sends_recoveries: bool = True
    escalate_after_seconds: int = 0
    """Tells only of alerts that have lasted that long; 0 tells at once."""
    repeat_seconds: int = 0
    """Tells again while an alert lasts; 0 never does."""
    group_seconds: int = DEFAULT_GROUP_SECONDS
    """How long the first of several waits for the others, to be one message with them."""
    per_hour: int = DEFAULT_PER_HOUR
    """Messages; what is above waits and is then told in one."""
    is_weekly: bool = False
    """Sends a digest once a week."""


def wants(channel: Channel, transition: Transition, tags: frozenset[str]) -> bool:
    """Whether a step of an alert is routed to this channel; `tags` are those of its system.

    Summaries belong to no rule and no system, so only what is selected by severity counts for them.
    """
    if not channel.is_enabled or SEVERITIES.index(transition.severity) < SEVERITIES.index(channel.min_severity):
        return False
    if transition.kind == "summary":
        return True
    if channel.rules and transition.rule_id not in channel.rules:
        return False
    has_selection = bool(channel.systems or channel.tags)
    return not has_selection or transition.system_id in channel.systems or not tags.isdisjoint(channel.tags)
