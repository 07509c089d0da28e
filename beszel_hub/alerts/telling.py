"""Who is told of a step, and in which words; and the summary of what quiet hours held back. Pure."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from beszel_hub.alerts.rule import SEVERITIES, STATUS
from beszel_hub.alerts.silences import About, Silence, is_silent
from beszel_hub.alerts.steps import Step
from beszel_hub.alerts.texts import describe
from beszel_hub.alerts.transition import Severity, Transition

MAX_LINES: Final = 20
"""Of a summary; what is left out is counted."""


class Told(NamedTuple):
    """A step on its way out."""

    step: Step
    transition: Transition
    held_from: tuple[str, ...]
    """Users who have quiet hours."""


def tell(
    step: Step, *, system_name: str, tags: tuple[str, ...], members: Iterable[str], silences: list[Silence]
) -> Told:
    """The owner of a rule, or without one every member of the system, unless they want to be left in peace."""
    recipients = sorted(members) if step.rule.user_id is None else [step.rule.user_id]
    held = tuple(
        user_id
        for user_id in recipients
        if is_silent(silences, About(user_id, step.system_id, tags, step.rule.id), step.at_ms)
    )
    transition = Transition(
        id=step.id, alert_id=step.alert_id, rule_id=step.rule.id, name=step.rule.name, system_id=step.system_id,
        system_name=system_name, target=step.target, severity=step.severity, kind=step.happened, value=step.value,
        peak=step.peak, threshold=threshold_of(step), since_ms=step.since_ms, at_ms=step.at_ms,
        user_ids=tuple(user_id for user_id in recipients if user_id not in held), text=describe(step, system_name),
    )  # fmt: skip
    return Told(step, transition, held if step.happened != "closed" else ())


def threshold_of(step: Step) -> float | None:
    condition = step.rule.conditions[0]
    return None if condition.comparison == "absent" or condition.target == STATUS else condition.value


def summarize(
    user_id: str, held: Sequence[tuple[int, Transition]], now_ms: int, over: Collection[str] = ()
) -> Transition:
    """What one user was not told, in one transition; what still lasts comes first, `over` are alerts that do not."""
    transitions = [transition for _, transition in held]
    ended = {transition.alert_id for transition in transitions if transition.kind == "recovered"}.union(over)
    newest = {transition.alert_id: transition for transition in transitions}
    lasting = [transition for transition in newest.values() if transition.alert_id not in ended]
    gone = [transition for transition in newest.values() if transition.alert_id in ended]
    lines = [f"still: {transition.text}" for transition in lasting] + [
        f"over: {transition.text}" for transition in gone
    ]
    left_out = len(lines) - MAX_LINES
    if left_out > 0:
        lines = [*lines[:MAX_LINES], f"and {left_out} more"]
    severities: list[Severity] = [transition.severity for transition in lasting] or ["info"]
    number = held[-1][0]
    return Transition(
        id=f"summary:{user_id}:{number}", alert_id=f"summary:{user_id}:{number}", rule_id="", name="Quiet hours",
        system_id="", system_name="", target="", severity=max(severities, key=SEVERITIES.index),
        kind="summary", value=None, peak=None, threshold=None,
        since_ms=min(transition.at_ms for transition in transitions), at_ms=now_ms, user_ids=(user_id,),
        text=f"While it was quiet: {len(lasting)} still wrong, {len(gone)} over. " + "; ".join(lines),
        lasting=tuple(transition.alert_id for transition in lasting),
    )  # fmt: skip
