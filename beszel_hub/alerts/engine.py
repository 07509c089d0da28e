"""The engine: which rules watch which systems, and what samples, statuses and time make of them.

Pure but for its memory: whoever calls it brings the moment and takes the steps. A sample touches only the rules of its
own system. What a step or a state was is told once, in the order in which it happened.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, TypeAlias

import msgspec

from beszel_hub.alerts.moment import Moment
from beszel_hub.alerts.past import ASK_AFTER_MS, Digest, Wanted, group
from beszel_hub.alerts.phases import CALM, State
from beszel_hub.alerts.punctuality import Punctuality
from beszel_hub.alerts.rule import STATUS, Rule
from beszel_hub.alerts.steps import Kept, Place, Step, keep, revive
from beszel_hub.alerts.surroundings import Surroundings
from beszel_hub.alerts.targets import counted_event_of, counts_events, process_name_of, reset_day_of
from beszel_hub.alerts.transition import Severity
from beszel_hub.alerts.watches import Change, CompositeWatch, StatusWatch, TargetsWatch
from beszel_hub.alerts.window import Past
from beszel_protocol.feed import SystemStatus
from beszel_protocol.messages import MAX_PROCESS_PATTERNS
from beszel_protocol.sample import Metrics

START_GRACE_MS: Final = 20_000
"""After a start the statuses of systems are those of before, until agents had time to come back."""
SWEEP_MS: Final = 30_000
MAX_RULES: Final = 2000
"""On one system; further ones do not watch it, so that no user's rules fill the hub's memory."""
MAX_COUNTED_GAP_MS: Final = 310_000
"""Between two samples a system may be silent for its interval, which is at most five minutes."""
MAX_PENDING_GAP_MS: Final = 300_000
"""A wait that a restart has interrupted for longer begins anew: nobody knows what was meanwhile."""

CLOCK_SET_MS: Final = 1000
"""A wall clock that moves by more against the monotonic one was set: what is kept by the old one is kept anew."""

RULE_GONE: Final = "the rule is gone"
RULE_CHANGED: Final = "the rule watches something else"
TARGET_GONE: Final = "the target is gone"
PAUSED: Final = "the system is paused"
SYSTEM_GONE: Final = "the system is gone"

Watch: TypeAlias = TargetsWatch | CompositeWatch | StatusWatch


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A system as the engine sees it."""

    id: str
    status: SystemStatus
    status_since_ms: int = 0
    """On the wall clock."""
    tags: tuple[str, ...] = ()
    seen_by: frozenset[str] = frozenset()
    """Users who see it, administrators among them."""


class _Station:
    """One system with its watches."""

    __slots__ = (
        "around",
        "asks_ms",
        "last_ms",
        "on_samples",
        "on_status",
        "punctuality",
        "sampled_ms",
        "since_ms",
        "watched",
    )  # fmt: skip

    def __init__(self, watched: Watched, around: Surroundings) -> None:
        self.watched = watched
        self.since_ms = 0
        """Of the status, on the monotonic clock."""
        self.around = around
        self.asks_ms: list[int] = []
        """When the past of its windows is to be asked for."""
        self.on_samples: dict[str, TargetsWatch | CompositeWatch] = {}
        self.on_status: dict[str, StatusWatch] = {}
        self.punctuality = Punctuality()
        self.last_ms: int | None = None
        self.sampled_ms = 0
        """For how long it has sent samples: what is absent is so in this time only."""

    def find(self, rule_id: str) -> Watch | None:
        return self.on_samples.get(rule_id) or self.on_status.get(rule_id)

    def remove(self, rule_id: str) -> Watch | None:
        return self.on_samples.pop(rule_id, None) or self.on_status.pop(rule_id, None)

    @property
    def watches(self) -> list[Watch]:
        return [*self.on_samples.values(), *self.on_status.values()]


class Engine:
    """`make_id` names new alerts."""

    def __init__(self, make_id: Callable[[], str], started: Moment) -> None:
        self._make_id = make_id
        self._started = started
        self._rules: dict[str, Rule] = {}
        self._broad: dict[str, Rule] = {}
        """Of the rules those that are not for one system."""
        self._of_system: dict[str, dict[str, Rule]] = {}
        self._stations: dict[str, _Station] = {}
        self._around: dict[str, Surroundings] = {}
        self._unsaved: dict[Place, State] = {}
        self._saved_at = started
        self._swept_ms = started.monotonic_ms

    def restore(self, states: Iterable[Kept], stopped_ms: int, moment: Moment) -> list[Kept]:
        """Go on where another process stopped, at `stopped_ms` on the wall clock; rules and systems come first.

        Gives back what belongs to none of them.
        """
        was_long_away = moment.wall_ms - stopped_ms > MAX_PENDING_GAP_MS
        orphans: list[Kept] = []
        for kept in states:
            station = self._stations.get(kept.place.system_id)
            watch = None if station is None else station.find(kept.place.rule_id)
            is_watched = station is not None and station.watched.status != "paused"
            if station is None or watch is None or not is_watched or not watch.owns(kept.place.target):
                orphans.append(kept)
                continue
            counted = counted_event_of(kept.place.target)
            if counted is not None:
                station.around.expect(*counted)
            state = revive(kept, moment)
            if state.phase == "pending" and was_long_away and kept.place.target != STATUS:
                state = CALM
            watch.restore(kept.place.target, state, station.sampled_ms)
        return orphans

    def set_rules(self, rules: Iterable[Rule], moment: Moment) -> list[Step]:
        """Take over all rules; an alert whose rule only changed goes on under the new one."""
        before, self._rules = self._rules, {rule.id: rule for rule in rules}
        if self._rules == before:
            return []
        self._broad = {rule.id: rule for rule in self._rules.values() if rule.system_id is None}
        self._of_system = {}
        for rule in self._rules.values():
            if rule.system_id is not None:
                self._of_system.setdefault(rule.system_id, {})[rule.id] = rule
        steps: list[Step] = []
        for station in self._stations.values():
            steps += self._apply(station, moment)
        return steps

    def set_system(self, watched: Watched, moment: Moment) -> list[Step]:
        """A system is new or has changed."""
        station = self._stations.get(watched.id)
        if station is None:
            station = self._stations[watched.id] = _Station(watched, self.around(watched.id))
            station.since_ms = moment.monotonic_of(watched.status_since_ms)
        elif station.watched == watched:
            return []
        elif station.watched.status_since_ms != watched.status_since_ms or station.watched.status != watched.status:
            station.since_ms = moment.monotonic_ms
        station.watched = watched
        steps = self._silence(station, moment, PAUSED) if watched.status in {"paused", "pending"} else []
        return steps + self._apply(station, moment)

    def remove_system(self, system_id: str, moment: Moment) -> list[Step]:
        station = self._stations.pop(system_id, None)
        self._around.pop(system_id, None)
        return [] if station is None else self._silence(station, moment, SYSTEM_GONE)

    def take(self, system_id: str, instant_ms: int, metrics: Metrics, moment: Moment) -> list[Step]:
        """A live sample has arrived; one that was on its way for long says nothing about now."""
        station = self._stations.get(system_id)
        if station is None or station.watched.status == "paused":
            return []
        now_ms = moment.monotonic_ms
        if station.punctuality.is_late(instant_ms, now_ms):
            return []
        elapsed_ms = MAX_COUNTED_GAP_MS + 1 if station.last_ms is None else now_ms - station.last_ms
        if elapsed_ms <= MAX_COUNTED_GAP_MS:
            station.sampled_ms += elapsed_ms
        else:  # whatever windows there are have ended
            station.asks_ms = [now_ms + delay_ms for delay_ms in ASK_AFTER_MS]
        station.last_ms = station.around.now_ms = now_ms
        steps: list[Step] = []
        for watch in station.on_samples.values():
            changes = watch.take(metrics, station.around, now_ms, station.sampled_ms)
            if changes:
                steps += self._note(station, watch, changes, moment)
        return steps

    def around(self, system_id: str) -> Surroundings:
        """What is known of a system beside its samples, to be kept up to date; it counts with the next sample."""
        return self._around.setdefault(system_id, Surroundings())

    def traffic_days(self, system_id: str) -> frozenset[int]:
        """On which days of a month the traffic of a system is to be counted from."""
        station = self._stations.get(system_id)
        watches = [] if station is None else list(station.on_samples.values())
        days = (reset_day_of(condition.target) for watch in watches for condition in watch.rule.conditions)
        return frozenset(day for day in days if day is not None)

    def process_names(self, system_id: str) -> tuple[str, ...]:
        """Patterns of processes that are to be counted on a system."""
        station = self._stations.get(system_id)
        watches = [] if station is None else list(station.on_samples.values())
        names = (process_name_of(condition.target) for watch in watches for condition in watch.rule.conditions)
        return tuple(sorted({name for name in names if name is not None})[:MAX_PROCESS_PATTERNS])

    def longest_count_ms(self) -> int:
        """Over how long events are counted; 0 if no rule counts any."""
        counting = (each for rule in self._rules.values() for each in rule.conditions if counts_events(each.target))
        return max((1000 * condition.window_seconds for condition in counting), default=0)

    def asking(self, moment: Moment) -> list[str]:
        """Systems whose windows may need some of the past; each is named a few times only."""
        due = [
            station
            for station in self._stations.values()
            if station.asks_ms and station.asks_ms[0] <= moment.monotonic_ms and station.last_ms is not None
        ]
        for station in due:
            station.asks_ms = [due_ms for due_ms in station.asks_ms if due_ms > moment.monotonic_ms]
        return [station.watched.id for station in due]

    def wanting(self, system_id: str) -> list[Wanted]:
        """The parts of the past that the windows of a system need by now."""
        station = self._stations.get(system_id)
        watches = [] if station is None else list(station.on_samples.values())
        return group(system_id, [condition for watch in watches for condition in watch.wanting()])

    def recall(self, system_id: str, past: Digest, moment: Moment) -> None:
        """Fill windows with what was asked for; nothing is judged by it, but by the next sample."""
        station = self._stations.get(system_id)
        if station is None:
            return
        here = {
            condition: {keys: [_by_monotonic(one, moment) for one in found] for keys, found in targets.items()}
            for condition, targets in past.items()
        }
        for watch in station.on_samples.values():
            watch.recall(here, moment.monotonic_ms, station.sampled_ms)

    def tick(self, moment: Moment) -> list[Step]:
        """Let time pass; called about once a second."""
        now_ms = moment.monotonic_ms
        is_starting = now_ms - self._started.monotonic_ms < START_GRACE_MS
        is_sweeping = now_ms - self._swept_ms >= SWEEP_MS
        steps: list[Step] = []
        for station in self._stations.values():
            for watch in station.on_status.values():
                is_news = station.since_ms >= self._started.monotonic_ms
                if not is_starting or is_news or station.watched.status == "up":
                    changes = watch.tick(station.watched.status, station.since_ms, now_ms)
                    steps += self._note(station, watch, changes, moment)
            if is_sweeping:
                for sampled in station.on_samples.values():
                    steps += self._note(station, sampled, sampled.sweep(station.sampled_ms), moment, TARGET_GONE)
        if is_sweeping:
            self._swept_ms = now_ms
        return steps

    def acknowledge(self, place: Place, alert_id: str, moment: Moment) -> bool:
        """Somebody looks after the alert: it is not repeated, nor escalated by time. False if it does not fire."""
        station = self._stations.get(place.system_id)
        watch = None if station is None else station.find(place.rule_id)
        change = None if watch is None or not alert_id else watch.acknowledge(alert_id)
        if station is None or watch is None or change is None:
            return False
        self._note(station, watch, [change], moment)
        return True

    def take_unsaved(self, moment: Moment) -> list[Kept]:
        """States that changed since this was last asked; the calm ones among them need not be kept."""
        if abs(moment.wall_of(self._saved_at.monotonic_ms) - self._saved_at.wall_ms) >= CLOCK_SET_MS:
            self._saved_at = moment
            self._unsaved = self._everything() | self._unsaved
        unsaved, self._unsaved = self._unsaved, {}
        return [keep(place, state, moment) for place, state in unsaved.items()]

    def _everything(self) -> dict[Place, State]:
        return {
            Place(watch.rule.id, system_id, target): state
            for system_id, station in self._stations.items()
            for watch in station.watches
            for target, state in watch.states()
        }

    def step_of(self, kept: Kept) -> Step | None:
        """What was last told of an alert that fires; None for any other state, or if nobody watches it any more."""
        station, rule = self._stations.get(kept.place.system_id), self._rules.get(kept.place.rule_id)
        if kept.phase != "firing" or rule is None or station is None or station.find(rule.id) is None:
            return None
        return Step(
            rule=rule, system_id=kept.place.system_id, target=kept.place.target, happened="fired",
            alert_id=kept.alert_id, severity="critical" if kept.is_escalated else rule.severity, value=kept.value,
            peak=kept.peak, since_ms=kept.since_ms, at_ms=kept.reminded_ms, is_acknowledged=kept.is_acknowledged,
        )  # fmt: skip

    def count_pairs(self) -> int:
        """How many rules watch how many systems."""
        return sum(len(station.on_samples) + len(station.on_status) for station in self._stations.values())

    def _apply(self, station: _Station, moment: Moment) -> list[Step]:
        """Make the watches of a system what the rules say."""
        watched = station.watched
        candidates = self._broad | self._of_system.get(watched.id, {})
        wanted = dict(islice(((rule.id, rule) for rule in candidates.values() if _watches(rule, watched)), MAX_RULES))
        steps: list[Step] = []
        for watch in station.watches:
            if watch.rule.id not in wanted:
                station.remove(watch.rule.id)
                steps += self._note(station, watch, watch.close(), moment, RULE_GONE)
            elif watch.rule != wanted[watch.rule.id]:
                steps += self._replace(station, watch, wanted[watch.rule.id], moment)
        for rule in wanted.values():
            if station.find(rule.id) is None:
                self._place(station, rule, moment)
        return steps

    def _replace(self, station: _Station, before: Watch, rule: Rule, moment: Moment) -> list[Step]:
        """Go on under a rule that changed, with the alerts of what it still watches."""
        station.remove(rule.id)
        states = dict(before.states())
        watch = self._place(station, rule, moment)
        for target, state in states.items():
            if watch.owns(target):
                watch.restore(target, state, station.sampled_ms)
        ended = [change for change in before.close() if not watch.owns(change.target)]
        return self._note(station, before, ended, moment, RULE_CHANGED)

    def _place(self, station: _Station, rule: Rule, moment: Moment) -> Watch:
        watch: Watch
        station.asks_ms = [moment.monotonic_ms + delay_ms for delay_ms in ASK_AFTER_MS]
        if rule.conditions[0].target == STATUS:
            watch = station.on_status[rule.id] = StatusWatch(rule, self._make_id)
        elif rule.is_composite:
            watch = station.on_samples[rule.id] = CompositeWatch(rule, station.sampled_ms, self._make_id)
        else:
            watch = station.on_samples[rule.id] = TargetsWatch(rule, station.sampled_ms, self._make_id)
        return watch

    def _silence(self, station: _Station, moment: Moment, reason: str) -> list[Step]:
        steps: list[Step] = []
        for watch in station.watches:
            steps += self._note(station, watch, watch.close(), moment, reason)
        station.sampled_ms = 0
        station.last_ms = None
        return steps

    def _note(
        self, station: _Station, watch: Watch, changes: Sequence[Change], moment: Moment, reason: str = ""
    ) -> list[Step]:
        steps: list[Step] = []
        for change in changes:
            self._unsaved[Place(watch.rule.id, station.watched.id, change.target)] = change.after
            if change.happened is not None:
                steps.append(_step(station.watched.id, watch.rule, change, moment, reason))
        return steps


def _by_monotonic(one: Past, moment: Moment) -> Past:
    return one._replace(from_ms=moment.monotonic_of(one.from_ms), to_ms=moment.monotonic_of(one.to_ms))


def _watches(rule: Rule, watched: Watched) -> bool:
    return rule.applies_to(watched.id, watched.tags, watched.seen_by)


def _step(system_id: str, rule: Rule, change: Change, moment: Moment, reason: str) -> Step:
    alert = change.after if change.happened in {"fired", "escalated", "repeated"} else change.before
    return Step(
        rule=rule, system_id=system_id, target=change.target, happened=change.happened or "closed",
        alert_id=alert.alert_id, severity=_severity(rule, alert), value=change.value, peak=alert.peak,
        since_ms=moment.wall_of(alert.since_ms), at_ms=moment.wall_ms, number=alert.repeats, reason=reason,
        is_acknowledged=alert.is_acknowledged,
    )  # fmt: skip


def _severity(rule: Rule, alert: State) -> Severity:
    return "critical" if alert.is_escalated else rule.severity
