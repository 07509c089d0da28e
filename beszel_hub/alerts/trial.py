"""A rule tried on the past: what it would have said, and how finely the past is still known. Pure but for reading."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeVar

from beszel_hub.alerts.bygone import Bygone, Course
from beszel_hub.alerts.past import Annals, Stretch
from beszel_hub.alerts.replay import replay
from beszel_hub.alerts.rule import STATUS, Rule
from beszel_hub.alerts.steps import Step
from beszel_hub.alerts.targets import counts_events, judges_containers, reset_day_of
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import Metrics
from beszel_protocol.timestamps import format_timestamp

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
    gaps: list[str]
    """What the rule goes by and history does not hold, in sentences."""


def run_trial(
    history: Annals, read: Read, rule: Rule, system_id: str, from_ms: int, to_ms: int, *,
    containers: Sequence[ContainerFacts] = (), longest_raw_ms: int | None = None,
) -> Trial:  # fmt: skip
    """`containers` are those that the system has now. Parts longer than `longest_raw_ms` are tried on roll-ups only."""
    kept = read(lambda: history.known(system_id, from_ms, to_ms))
    stretches = read(lambda: history.known(system_id, from_ms, to_ms, longest_raw_ms))
    bygone = read(lambda: _bygone(history, rule, system_id, from_ms, to_ms, containers))
    course = Course(bygone)
    samples = 0

    def counted() -> Iterator[tuple[int, Metrics]]:
        nonlocal samples
        for portion in _portions(stretches):
            found = read(partial(history.samples, system_id, rule, portion))
            samples += len(found)
            yield from found

    steps = list(replay(rule, system_id, counted(), course.surround))
    return Trial(steps, samples, stretches, list(_gaps(rule, kept, bygone, course)))


def _bygone(
    history: Annals, rule: Rule, system_id: str, from_ms: int, to_ms: int, containers: Sequence[ContainerFacts]
) -> Bygone:
    targets = [condition.target for condition in rule.conditions if condition.target != STATUS]
    has_containers = any(map(judges_containers, targets))
    needs_events = has_containers or any(map(counts_events, targets))
    days = {day for target in targets if (day := reset_day_of(target)) is not None}
    return Bygone(
        events=[(at_ms, event) for _, at_ms, event in history.events([system_id], from_ms)] if needs_events else (),
        containers=containers if has_containers else None,
        traffic=history.traffic_course(system_id, days, from_ms, to_ms) if days else (),
    )


def _gaps(rule: Rule, kept: Sequence[Stretch], bygone: Bygone, course: Course) -> Iterator[str]:
    """What the rule goes by and history does not hold, in sentences."""
    since_ms = next((stretch.from_ms for stretch in kept if stretch.seconds == 1), None)
    if bygone.containers is not None and kept and since_ms != kept[0].from_ms:
        until = "now" if since_ms is None else format_timestamp(since_ms)
        yield (
            f"Before {until} events are not kept any more: of containers it is only known which ran, by roll-ups, "
            "not how they ended."
        )
    if course.unknown_ends and any(condition.target.startswith("container_failed") for condition in rule.conditions):
        names = ", ".join(clean_text(name) for name in sorted(course.unknown_ends))
        yield f"No exit code is known of these, which is not taken for a failure: {names}."
    if any(reset_day_of(each.target) is not None for each in rule.conditions if each.target != STATUS):
        yield (
            "Traffic is known every ten minutes." if bygone.traffic else "No interface has told how much it carried."
        )


def _portions(stretches: list[Stretch]) -> Iterator[Stretch]:
    for stretch in stretches:
        step_ms = PORTION_SAMPLES * stretch.seconds * 1000
        for from_ms in range(stretch.from_ms, stretch.to_ms, step_ms):
            yield Stretch(from_ms, min(stretch.to_ms, from_ms + step_ms), stretch.seconds)
