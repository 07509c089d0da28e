"""What a hub keeps about alerts, as its records tell it: rules, history, quiet hours, channels. Instants are ms."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["info", "warning", "critical"]
Comparison: TypeAlias = Literal["above", "below", "absent"]
Kind: TypeAlias = Literal["rules", "sets", "quiet", "channels", "history"]
"""What can be made, changed or deleted; sets of rules are only made, of history something only deleted."""

STATUS: Final = "status"
"""The target of rules on systems that are down."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who is looking, as far as the hub tells."""

    id: str = ""
    is_admin: bool = False


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be wrong, in the unit of the target's metric."""

    target: str
    comparison: str = "above"
    value: float = 0.0
    recover_value: float | None = None
    window_seconds: int = 60
    aggregate: str = "mean"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    conditions: list[Condition]
    user: str = ""
    """Empty: it is for everybody."""
    system: str = ""
    tag: str = ""
    """With neither system nor tag it is for all systems."""
    match: str = "all"
    severity: Severity = "warning"
    enabled: bool = True
    for_seconds: int = 0
    recover_seconds: int = 0
    repeat_seconds: int = 0
    escalate_value: float | None = None
    escalate_seconds: int = 0
    origin: str = ""
    """`file`: it is changed there."""


class PastFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What history tells of an alert, but for its instants."""

    id: str
    name: str
    system: str
    target: str
    severity: Severity
    value: float | None = None
    peak: float | None = None
    threshold: float | None = None
    outcome: str = ""
    reason: str = ""


class PastAlert(PastFacts, frozen=True, kw_only=True):
    """One alert from firing to its end."""

    rule: str
    since_ms: int
    until_ms: int | None = None
    """None while it fires."""
    acknowledged_ms: int | None = None


class QuietFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What quiet hours are for, and which kind they are."""

    id: str
    type: Literal["one-time", "daily", "weekly"]
    timezone: str = ""
    days: list[str] = []
    note: str = ""
    system: str = ""
    rule: str = ""
    tag: str = ""


class Quiet(QuietFacts, frozen=True, kw_only=True):
    """A time in which nothing is told. Of a daily or weekly one only the times of day of both instants count."""

    start_ms: int
    end_ms: int


class ChannelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One way to one place; where that is goes in and never comes out, `hint` is all that may be shown of it."""

    id: str
    name: str
    kind: str
    hint: str = ""
    severity: Severity = "info"
    rules: list[str] = []
    systems: list[str] = []
    tags: list[str] = []
    enabled: bool = True
    recoveries: bool = True
    escalate_after: int = 0
    repeat: int = 0
    group: int = 0
    per_hour: int = 0
    weekly: bool = False
    template: str = ""
    """Of what it tells; it may have line ends."""
    subject_template: str = ""
    last_error: str = ""


class Channel(ChannelFacts, frozen=True, kw_only=True):
    last_sent_ms: int | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an alert for one channel."""

    alert: str
    channel: str
    status: str
    """`waiting`, `sent`, or `dead`: given up."""
    reason: str = ""
    """Why it was not taken."""
    id: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a rule can watch."""

    target: str
    label: str
    unit: str


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that the hub has ready."""

    name: str
    help: str = ""
    rules: list[str] = []


class TrialStep(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    """RFC 3339."""
    kind: str
    text: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would have said in the past of one system."""

    fired: int
    """Times."""
    samples: int
    """That were looked at."""
    steps: list[TrialStep] = []
    gaps: list[str] = []
    """What the rule goes by and the hub's history does not hold, in sentences."""


class AlertBook(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, as it was read last."""

    account: Account = Account()
    rules: Mapping[str, Rule] = {}
    """By id, in the order of their names."""
    history: Sequence[PastAlert] = ()
    """Newest first."""
    quiet: Sequence[Quiet] = ()
    channels: Sequence[Channel] = ()
    deliveries: Mapping[str, Sequence[Delivery]] = {}
    """By alert, newest first."""
    targets: Sequence[Target] = ()
    sets: Sequence[RuleSet] = ()

    def rule(self, rule_id: str) -> Rule | None:
        return self.rules.get(rule_id)

    def may_change(self, rule: Rule) -> bool:
        """Rules for everybody are the administrators' to change, those of a file nobody's here."""
        return rule.origin != "file" and (self.account.is_admin or rule.user == self.account.id)
