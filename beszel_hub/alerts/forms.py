"""How a rule is written down: by people, in few words. Pure."""

from typing import Annotated

import msgspec

from beszel_hub.alerts.rule import STATUS, Aggregate, Comparison, Condition, InvalidRule, Match, Rule
from beszel_hub.alerts.transition import Severity
from beszel_hub.alerts.validation import check_rule
from beszel_hub.settings import read_duration

Duration = int | str


class DeclaredCondition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is watched, and exactly one of `above`, `below` and `absent`; `status` needs none."""

    target: str = ""
    above: float | None = None
    below: float | None = None
    absent: Duration | None = None
    recover: float | None = None
    window: Duration | None = None
    aggregate: Aggregate = "mean"


class DeclaredRule(DeclaredCondition, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One entry: a condition of its own, or several below `all_of` or `any_of`."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    all_of: list[DeclaredCondition] | None = None
    any_of: list[DeclaredCondition] | None = None
    severity: Severity = "warning"
    enabled: bool = True
    system: str | None = None
    """A name, or an id."""
    tag: str | None = None
    for_: Duration = msgspec.field(name="for", default=0)
    recover_for: Duration = 0
    repeat: Duration = 0
    escalate_at: float | None = None
    escalate_after: Duration = 0


def make_rule(declared: DeclaredRule, rule_id: str, *, system_id: str | None, tag: str | None) -> Rule:
    """Raise `InvalidRule`, or ValueError for what is no duration."""
    match, conditions = _conditions(declared)
    return check_rule(
        Rule(
            id=rule_id, name=declared.name, conditions=conditions, match=match, severity=declared.severity,
            is_enabled=declared.enabled, tag=tag, system_id=system_id, for_seconds=_seconds(declared.for_),
            recover_seconds=_seconds(declared.recover_for), repeat_seconds=_seconds(declared.repeat),
            escalate_value=declared.escalate_at, escalate_seconds=_seconds(declared.escalate_after),
        )
    )  # fmt: skip


def _conditions(declared: DeclaredRule) -> tuple[Match, tuple[Condition, ...]]:
    several = declared.all_of or declared.any_of
    if several is None:
        return "all", (_condition(declared),)
    if declared.target or (declared.all_of and declared.any_of):
        raise InvalidRule("target", "A rule has one condition of its own, or `all_of`, or `any_of`.")
    return ("all" if declared.all_of else "any"), tuple(_condition(condition) for condition in several)


def _condition(declared: DeclaredCondition) -> Condition:
    given: list[tuple[Comparison, float]] = []
    given += [("above", declared.above)] if declared.above is not None else []
    given += [("below", declared.below)] if declared.below is not None else []
    given += [("absent", 0.0)] if declared.absent is not None else []
    if declared.target == STATUS and not given:
        return Condition(target=STATUS)
    if len(given) != 1:
        raise InvalidRule("target", "Exactly one of `above`, `below` and `absent` is needed.")
    comparison, value = given[0]
    window = declared.window if declared.absent is None else declared.absent
    return Condition(
        target=declared.target, comparison=comparison, value=value, recover_value=declared.recover,
        window_seconds=60 if window is None else _seconds(window), aggregate=declared.aggregate,
    )  # fmt: skip


def _seconds(duration: Duration) -> int:
    if isinstance(duration, int):
        return duration
    return 0 if duration.strip() in {"0", "0s"} else read_duration(duration.strip())
