"""A rule as data: what is watched, when that is an alert, for which systems, and who hears of it.

AlertError
└── InvalidRule     the rule makes no sense; the message says why, and `field` where
"""

from typing import Final, Literal, TypeAlias

import msgspec

from beszel_hub.alerts.transition import Severity

Comparison: TypeAlias = Literal["above", "below", "absent"]
"""`above` and `below` are meant strictly; `absent`: the target told nothing for the window, while its system did."""
Aggregate: TypeAlias = Literal["mean", "min", "max", "last", "increase", "forecast"]
"""What a window comes to. `increase` is the last reading less the first, or what came after a counter began anew;
`forecast` the seconds until a line through the window reaches 100, for percentages that only matter when full."""
Match: TypeAlias = Literal["all", "any"]

STATUS: Final = "status"
"""The target of rules on systems that are down; it is no series."""

COMPARISONS: Final[tuple[Comparison, ...]] = ("above", "below", "absent")
AGGREGATES: Final[tuple[Aggregate, ...]] = ("mean", "min", "max", "last", "increase", "forecast")
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
MATCHES: Final[tuple[Match, ...]] = ("all", "any")
MAX_WINDOW_SECONDS: Final = 30 * 86_400
MAX_CONDITIONS: Final = 8


class AlertError(ValueError):
    code = "alert_error"


class InvalidRule(AlertError):
    """The rule makes no sense."""

    code = "invalid_rule"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that can be wrong with a target; values in the unit of the target's metric."""

    target: str
    """An address of series, where `[*]` stands for every key; a derived series; or `status`."""
    comparison: Comparison = "above"
    value: float = 0.0
    """Of a forecast: seconds."""
    recover_value: float | None = None
    """Where it is well again; None is where it stopped being so."""
    window_seconds: int = 60
    aggregate: Aggregate = "mean"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, checked. A rule of one condition watches each of its targets by itself, one of several each system."""

    id: str
    name: str
    conditions: tuple[Condition, ...]
    match: Match = "all"
    severity: Severity = "warning"
    is_enabled: bool = True
    user_id: str | None = None
    """Whose it is and who is told, on systems that they see; None: every member of the system."""
    system_id: str | None = None
    tag: str | None = None
    """With neither system nor tag a rule is for all systems."""
    for_seconds: int = 0
    """How long it must last before the alert fires."""
    recover_seconds: int = 0
    """How long it must be well before the alert recovers."""
    repeat_seconds: int = 0
    """How often whoever was told is told again while it lasts; 0 for never."""
    escalate_value: float | None = None
    """Beyond this of the first condition the alert is critical, whatever the rule's severity."""
    escalate_seconds: int = 0
    """After this long without an acknowledgement the alert is critical; 0 for never."""

    @property
    def is_composite(self) -> bool:
        return len(self.conditions) > 1

    def applies_to(self, system_id: str, tags: tuple[str, ...], seen_by: frozenset[str]) -> bool:
        """Whether a system with these tags, which these users see, is watched."""
        if not self.is_enabled or (self.user_id is not None and self.user_id not in seen_by):
            return False
        if self.system_id is not None:
            return self.system_id == system_id
        return self.tag is None or self.tag in tags
