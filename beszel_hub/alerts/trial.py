"""A rule tried on the past: what it would have said, and how finely the past is still known. Pure but for reading."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeVar

from beszel_hub.alerts.past import Annals, Stretch
from beszel_hub.alerts.replay import replay
from beszel_hub.alerts.rule import STATUS, InvalidRule, Rule
from beszel_hub.alerts.steps import Step
from beszel_hub.alerts.targets import compile_target, counts_events
from beszel_protocol.messages import Event
from beszel_protocol.sample import Metrics

T = TypeVar("T")

PORTION_SAMPLES: Final = 2000
"""Read at a time, so that a week of samples fills no memory and holds up nobody."""


class Read(Protocol):
    """Runs a call inside `Database.read`."""

    def __call__(self, call: Callable[[], T], /) -> T: ...


class Trial(NamedTuple):
    """Of one rule on one system."""

    steps: list[Step]
    samples: int
    stretches: list[Stretch]


def check_testable(rule: Rule) -> None:
    """Raise `InvalidRule` for what history does not keep."""
    for condition in rule.conditions:
        if condition.target != STATUS:
            target = compile_target(condition.target)
            if target.read_beside is not None and not counts_events(condition.target):
                raise InvalidRule(
                    "target", f"{target.label} is not kept in history, so the rule cannot be tried on it."
                )


def run_trial(
    history: Annals, read: Read, rule: Rule, system_id: str, from_ms: int, to_ms: int, *,
    longest_raw_ms: int | None = None,
) -> Trial:  # fmt: skip
    """Parts longer than `longest_raw_ms` are tried on roll-ups only."""
    stretches = read(lambda: history.known(system_id, from_ms, to_ms, longest_raw_ms))
    events = read(lambda: _events(history, rule, system_id, from_ms))
    samples = 0

    def counted() -> Iterator[tuple[int, Metrics]]:
        nonlocal samples
        for portion in _portions(stretches):
            found = read(partial(history.samples, system_id, rule, portion))
            samples += len(found)
            yield from found

    steps = list(replay(rule, system_id, counted(), events))
    return Trial(steps, samples, stretches)


def _events(history: Annals, rule: Rule, system_id: str, from_ms: int) -> list[tuple[int, Event]]:
    if not any(counts_events(condition.target) for condition in rule.conditions):
        return []
    return [(instant_ms, event) for _, instant_ms, event in history.events([system_id], from_ms)]


def _portions(stretches: list[Stretch]) -> Iterator[Stretch]:
    for stretch in stretches:
        step_ms = PORTION_SAMPLES * stretch.seconds * 1000
        for from_ms in range(stretch.from_ms, stretch.to_ms, step_ms):
            yield Stretch(from_ms, min(stretch.to_ms, from_ms + step_ms), stretch.seconds)
