"""Rules as code: `alerts.yml`, kept in version control and applied at every start. Pure.

    rules:
      - name: disk nearly full
        target: disk[*].usage_percent
        above: 90
        recover: 85
        window: 10m
        severity: critical
        tag: prod
      - name: busy and out of memory
        all_of:
          - {target: cpu.usage_percent, above: 90, window: 5m}
          - {target: memory.usage_percent, above: 95, window: 5m}

They are for every member of the systems they watch. Durations are seconds, or `90s`, `10m`, `2h`, `7d`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from beszel_hub.alerts.rule import STATUS, Aggregate, Comparison, Condition, InvalidRule, Match, Rule
from beszel_hub.alerts.transition import Severity
from beszel_hub.alerts.validation import check_rule
from beszel_hub.errors import BadRequest
from beszel_hub.settings import read_duration

MAX_FILE_BYTES: Final = 1 << 20
MAX_RULES: Final = 5000

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


class RulesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rules: Annotated[list[DeclaredRule], msgspec.Meta(max_length=MAX_RULES)] = []


def parse(content: bytes, systems: Mapping[str, Sequence[str]]) -> list[Rule]:
    """The rules of a file; `systems` has the ids by name and by id. Raises `BadRequest` with a sentence."""
    if len(content) > MAX_FILE_BYTES:
        raise BadRequest(f"The file has more than {MAX_FILE_BYTES} bytes.")
    try:
        declared = msgspec.yaml.decode(content or b"{}", type=RulesFile)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadRequest(f"The file cannot be read: {error}") from error
    names = [rule.name for rule in declared.rules]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise BadRequest(f"The file names {twice!r} twice.")
    return [_to_rule(rule, systems) for rule in declared.rules]


def rule_id_of(name: str) -> str:
    """The same name has the same id on every hub, so alerts outlive a file that is applied again."""
    digest = hashlib.sha256(b"beszel-rule-file\0" + name.encode()).hexdigest()
    return f"f{digest[:14]}"


def _to_rule(declared: DeclaredRule, systems: Mapping[str, Sequence[str]]) -> Rule:
    try:
        match, conditions = _conditions(declared)
        return check_rule(
            Rule(
                id=rule_id_of(declared.name), name=declared.name, conditions=conditions, match=match,
                severity=declared.severity, is_enabled=declared.enabled, tag=declared.tag,
                system_id=_system(declared.system, systems), for_seconds=_seconds(declared.for_),
                recover_seconds=_seconds(declared.recover_for), repeat_seconds=_seconds(declared.repeat),
                escalate_value=declared.escalate_at, escalate_seconds=_seconds(declared.escalate_after),
            )
        )  # fmt: skip
    except InvalidRule as error:
        raise BadRequest(f"The rule {declared.name!r}: {error.field}: {error}") from error
    except ValueError as error:
        raise BadRequest(f"The rule {declared.name!r}: {error}") from error


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


def _system(name: str | None, systems: Mapping[str, Sequence[str]]) -> str | None:
    if name is None:
        return None
    found = systems.get(name, ())
    if len(found) != 1:
        raise InvalidRule("system", f"There {'is no system' if not found else 'are several systems'} {name!r}.")
    return found[0]
