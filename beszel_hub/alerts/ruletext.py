"""Rules written down as `alerts.yml` has them, so that a file of what is there comes to the same rules again. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from beszel_hub.alerts.forms import DeclaredCondition, DeclaredRule, Duration
from beszel_hub.alerts.rule import STATUS, Condition, Rule
from beszel_hub.alerts.rulefile import rule_id_of

_HEADER: Final = """\
# The rules for everybody of this hub, in the form of alerts.yml.
# A rule with an `id` was not made by its name in a file; this file takes it over, and its alerts go on.
"""
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def write(rules: Iterable[Rule], systems: Mapping[str, Sequence[str]]) -> str:
    """The file that `rulefile.parse` reads as those of these rules that are for everybody.

    `systems` has the ids by name and by id; a rule for a system that is gone is left out.
    """
    names = {ids[0]: key for key, ids in systems.items() if len(ids) == 1 and key != ids[0]}
    written = [
        _entry(rule, names)
        for rule in rules
        if rule.user_id is None and (rule.system_id is None or rule.system_id in systems)
    ]
    return _HEADER + msgspec.yaml.encode({"rules": written}).decode()


def _entry(rule: Rule, names: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": rule.name}
    if rule.id != rule_id_of(rule.name):
        entry["id"] = rule.id
    entry.update(msgspec.to_builtins(_declared(rule, names)))  # over the name, which stays the first
    return entry


def _declared(rule: Rule, names: Mapping[str, str]) -> DeclaredRule:
    own: dict[str, Any] = {}
    if rule.is_composite or rule.match == "any":
        own[f"{rule.match}_of"] = [_condition(condition) for condition in rule.conditions]
    else:
        own = msgspec.structs.asdict(_condition(rule.conditions[0]))
    return DeclaredRule(
        **own, name=rule.name, severity=rule.severity, enabled=rule.is_enabled, tag=rule.tag,
        system=None if rule.system_id is None else names.get(rule.system_id, rule.system_id),
        for_=_duration(rule.for_seconds), recover_for=_duration(rule.recover_seconds),
        repeat=_duration(rule.repeat_seconds), escalate_at=rule.escalate_value,
        escalate_after=_duration(rule.escalate_seconds),
    )  # fmt: skip


def _condition(condition: Condition) -> DeclaredCondition:
    if condition == Condition(target=STATUS):
        return DeclaredCondition(target=STATUS)
    window = _duration(condition.window_seconds)
    is_absent = condition.comparison == "absent"
    return DeclaredCondition(
        target=condition.target, recover=condition.recover_value, aggregate=condition.aggregate,
        above=condition.value if condition.comparison == "above" else None,
        below=condition.value if condition.comparison == "below" else None,
        absent=window if is_absent else None, window=None if is_absent else window,
    )  # fmt: skip


def _duration(seconds: int) -> Duration:
    """In the largest unit that it is a whole number of."""
    if not seconds:
        return 0
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
