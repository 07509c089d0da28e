"""Whether a rule makes sense, asked before one is stored or watched."""

import math
from typing import Final

from beszel_hub.alerts.rule import (
    AGGREGATES,
    COMPARISONS,
    MATCHES,
    MAX_CONDITIONS,
    MAX_WINDOW_SECONDS,
    SEVERITIES,
    STATUS,
    Condition,
    InvalidRule,
    Rule,
)
from beszel_hub.alerts.targets import compile_target
from beszel_protocol.metrics import Unit

MAX_NAME_LENGTH: Final = 150
MIN_REPEAT_SECONDS: Final = 60
_NEEDS_WINDOW: Final = frozenset({"increase", "forecast"})


def check_rule(rule: Rule) -> Rule:
    """The rule itself; raise `InvalidRule` for the first thing that is wrong."""
    if not rule.name or len(rule.name) > MAX_NAME_LENGTH:
        raise InvalidRule("name", f"A name has 1 to {MAX_NAME_LENGTH} characters.")
    if rule.severity not in SEVERITIES:
        raise InvalidRule("severity", f"One of {', '.join(SEVERITIES)}.")
    if rule.match not in MATCHES:
        raise InvalidRule("match", f"One of {', '.join(MATCHES)}.")
    if not 1 <= len(rule.conditions) <= MAX_CONDITIONS:
        raise InvalidRule("conditions", f"A rule has 1 to {MAX_CONDITIONS} conditions.")
    if rule.system_id is not None and rule.tag is not None:
        raise InvalidRule("tag", "A rule is for one system or for a tag, not both.")
    _check_durations(rule)
    for condition in rule.conditions:
        check_condition(condition)
    if rule.is_composite and any(condition.target == STATUS for condition in rule.conditions):
        raise InvalidRule("conditions", "While a system is down nothing else is known of it: `status` stands alone.")
    _check_escalation(rule)
    return rule


def _check_durations(rule: Rule) -> None:
    for name in ("for_seconds", "recover_seconds", "repeat_seconds", "escalate_seconds"):
        if not 0 <= getattr(rule, name) <= MAX_WINDOW_SECONDS:
            raise InvalidRule(name, f"From 0 to {MAX_WINDOW_SECONDS} seconds.")
    if 0 < rule.repeat_seconds < MIN_REPEAT_SECONDS:
        raise InvalidRule("repeat_seconds", f"Not more often than every {MIN_REPEAT_SECONDS} seconds.")


def check_condition(condition: Condition) -> None:
    """Raise `InvalidRule` for the first thing that is wrong."""
    if condition.comparison not in COMPARISONS:
        raise InvalidRule("comparison", f"One of {', '.join(COMPARISONS)}.")
    if condition.aggregate not in AGGREGATES:
        raise InvalidRule("aggregate", f"One of {', '.join(AGGREGATES)}.")
    if not 0 <= condition.window_seconds <= MAX_WINDOW_SECONDS:
        raise InvalidRule("window_seconds", f"From 0 to {MAX_WINDOW_SECONDS} seconds.")
    if not all(math.isfinite(value) for value in (condition.value, condition.recover_value or 0.0)):
        raise InvalidRule("value", "A threshold is a finite number.")
    if condition.target == STATUS:
        return
    target = compile_target(condition.target)
    if condition.comparison == "absent":
        if not condition.window_seconds:
            raise InvalidRule("window_seconds", "Absent for how long? This needs a window.")
        return
    if condition.aggregate in _NEEDS_WINDOW and not condition.window_seconds:
        raise InvalidRule("window_seconds", f"The aggregate {condition.aggregate} needs a window.")
    if condition.aggregate == "forecast" and target.unit is not Unit.PERCENT:
        raise InvalidRule("aggregate", "Only what is measured in percent can be forecast to be full.")
    _check_hysteresis(condition)


def _check_hysteresis(condition: Condition) -> None:
    if condition.recover_value is None:
        return
    distance = condition.value - condition.recover_value
    if distance < 0 if condition.comparison == "above" else distance > 0:
        side = "above" if condition.comparison == "above" else "below"
        raise InvalidRule("recover_value", f"It cannot be well again {side} the threshold.")


def _check_escalation(rule: Rule) -> None:
    first = rule.conditions[0]
    if rule.escalate_value is None:
        return
    if first.target == STATUS or first.comparison == "absent":
        raise InvalidRule("escalate_value", "There is no value that could go further.")
    distance = rule.escalate_value - first.value
    if not math.isfinite(rule.escalate_value) or (distance < 0 if first.comparison == "above" else distance > 0):
        raise InvalidRule("escalate_value", "What is worse lies beyond the threshold.")
