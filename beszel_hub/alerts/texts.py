"""One plain line about a step of an alert."""

from typing import Final

from beszel_hub.alerts.rule import STATUS, Condition
from beszel_hub.alerts.steps import Step
from beszel_hub.alerts.targets import compile_target, counts_events
from beszel_hub.alerts.watches import COMPOSITE
from beszel_protocol.metrics import Unit
from beszel_protocol.units import format_duration, format_value

_HOW: Final = {"mean": "averaged", "min": "at least", "max": "at most", "last": "at", "increase": "up by"}


def describe(step: Step, system_name: str) -> str:
    """Such as `web1: Disk [/var] averaged 93.2% over 10m, above 90.0%`; names of hosts may be in it."""
    condition = step.rule.conditions[0]
    if step.happened == "closed":
        return f"{system_name}: {step.rule.name} ended without recovery: {step.reason}"
    if step.target == STATUS:
        return _describe_status(step, system_name)
    if step.target == COMPOSITE and (step.happened == "recovered" or condition.comparison == "absent"):
        return f"{system_name}: {step.rule.name}{' is over' if step.happened == 'recovered' else ''}{_suffix(step)}"
    subject = _subject(condition, step.target)
    if step.target == COMPOSITE:
        subject = f"{step.rule.name}: {subject}"
    if condition.comparison == "absent":
        lately = format_duration(condition.window_seconds)
        told = "is told again" if step.happened == "recovered" else f"was not told for {lately}"
        return f"{system_name}: {subject} {told}{_suffix(step)}"
    if compile_target(condition.target).is_flag and condition.comparison == "above":
        over = " is over" if step.happened == "recovered" else ""
        return f"{system_name}: {subject}{over}{_suffix(step)}"
    return f"{system_name}: {subject} {_measured(condition, step)}{_suffix(step)}"


def _describe_status(step: Step, system_name: str) -> str:
    if step.happened == "recovered":
        return f"{system_name} is up again after {_lasting(step)}"
    return f"{system_name} is down{_suffix(step)}"


def _subject(condition: Condition, target: str) -> str:
    """The label of the metric with the keys of the target."""
    label = compile_target(condition.target).label
    keys = target[target.find("[") : target.rfind("]") + 1] if "[" in target else ""
    return f"{label} {keys.partition('].')[0].rstrip(']')}]" if keys else label


def _measured(condition: Condition, step: Step) -> str:
    if step.value is None:
        return "recovered" if step.happened == "recovered" else "is not as it should be"
    if condition.aggregate == "forecast":
        if step.happened == "recovered":
            return f"will no longer be full within {format_duration(condition.value)}"
        return f"will be full in {format_duration(step.value)}, less than {format_duration(condition.value)}"
    unit = compile_target(condition.target).unit
    if counts_events(condition.target):
        times = "once" if step.value == 1 else f"{step.value:.0f} times"
        return f"{times} in {format_duration(condition.window_seconds)}, {_side(condition, step, unit)}"
    has_window = bool(condition.window_seconds) and compile_target(condition.target).read_beside is None
    how = _HOW[condition.aggregate] if has_window else "at"
    window = f" over {format_duration(condition.window_seconds)}" if has_window else ""
    value, side = format_value(step.value, unit), _side(condition, step, unit)
    is_shown_equal = value == format_value(condition.value, unit)
    just = "just " if is_shown_equal and step.happened != "recovered" else ""
    return f"{how} {value}{window}, {just}{side}"


def _side(condition: Condition, step: Step, unit: Unit) -> str:
    if step.happened != "recovered":
        return f"{condition.comparison} {format_value(condition.value, unit)}"
    threshold = condition.value if condition.recover_value is None else condition.recover_value
    return f"no longer {condition.comparison} {format_value(threshold, unit)}"


def _suffix(step: Step) -> str:
    if step.happened == "repeated":
        return f" (for {_lasting(step)})"
    if step.happened == "escalated":
        return f" (critical, for {_lasting(step)})"
    if step.happened == "recovered":
        return f" (after {_lasting(step)})"
    return ""


def _lasting(step: Step) -> str:
    return format_duration(max(0, step.at_ms - step.since_ms) / 1000)
