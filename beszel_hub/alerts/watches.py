"""One rule on one system: takes samples or statuses, and tells what has happened to its alerts."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

import msgspec

from beszel_hub.alerts.gauges import Gauge, Meter
from beszel_hub.alerts.past import Digest
from beszel_hub.alerts.phases import CALM, Happened, Policy, Reading, State, Verdict, advance, close
from beszel_hub.alerts.rule import STATUS, Condition, Rule
from beszel_hub.alerts.surroundings import Surroundings
from beszel_protocol.feed import SystemStatus
from beszel_protocol.sample import Metrics

COMPOSITE: Final = "conditions"
"""The target of an alert of several conditions."""

MIN_PATIENCE_MS: Final = 1_800_000

MakeId: TypeAlias = Callable[[], str]


class Change(NamedTuple):
    """The state of one target is another than before; `happened` is None for what nobody needs to hear of."""

    target: str
    before: State
    after: State
    happened: Happened | None
    value: float | None


def policy_of(rule: Rule) -> Policy:
    return Policy(
        for_ms=rule.for_seconds * 1000, recover_ms=rule.recover_seconds * 1000,
        repeat_ms=rule.repeat_seconds * 1000, escalate_ms=rule.escalate_seconds * 1000,
    )  # fmt: skip


def patience_ms(rule: Rule) -> int:
    """How long an alert waits for its targets to be told of again, such as after a restart of the hub."""
    return max(MIN_PATIENCE_MS, *(2000 * condition.window_seconds for condition in rule.conditions))


class TargetsWatch:
    """A rule of one condition: each target has an alert of its own."""

    __slots__ = ("_make_id", "_meter", "_policy", "_unplaced", "rule")

    def __init__(self, rule: Rule, sampled_ms: int, make_id: MakeId) -> None:
        self.rule = rule
        self._policy = policy_of(rule)
        self._meter = Meter(rule.conditions[0], sampled_ms)
        self._make_id = make_id
        self._unplaced: dict[str, tuple[State, int]] = {}

    def states(self) -> Iterator[tuple[str, State]]:
        yield from ((target, state) for target, (state, _) in self._unplaced.items())
        yield from ((gauge.name, gauge.state) for gauge in self._meter.gauges.values() if gauge.state is not CALM)

    def restore(self, target: str, state: State, sampled_ms: int) -> None:
        """Go on from a state; its target may be yet to be seen again."""
        gauge = self._meter.find(target) or self._meter.miss(target, sampled_ms)
        if gauge is not None:
            gauge.state = state
        else:
            self._unplaced[target] = (state, sampled_ms)

    def owns(self, target: str) -> bool:
        """Whether a state of this target can be one of this rule, which may have been another."""
        return self._meter.stands_for(target)

    def take(self, metrics: Metrics, around: Surroundings, now_ms: int, sampled_ms: int) -> list[Change]:
        meter = self._meter
        meter.take(metrics, around, now_ms, sampled_ms)
        if self._unplaced:
            self._place()
        changes: list[Change] = []
        for gauge in meter.gauges.values():
            if not meter.has_news(gauge, now_ms) or (gauge.state.phase == "calm" and meter.is_calm(gauge)):
                continue
            self._judge(gauge, now_ms, sampled_ms, changes)
        return changes

    def wanting(self) -> list[Condition]:
        """Those whose windows know too little."""
        return [self._meter.condition] if self._meter.wants_past else []

    def recall(self, past: Digest, now_ms: int, sampled_ms: int) -> None:
        """Fill windows with the past, its instants those of the monotonic clock."""
        if self._meter.condition in past:
            self._meter.recall(past[self._meter.condition], now_ms, sampled_ms)

    def sweep(self, sampled_ms: int) -> list[Change]:
        """Close the alerts of targets that are gone, and forget targets that nobody misses."""
        changes: list[Change] = []
        for gauge in self._meter.gauges.values():
            if gauge.state.phase != "calm" and self._meter.has_vanished(gauge, sampled_ms):
                changes.append(_closing(gauge.name, gauge.state))
                gauge.state = CALM
        for target, (state, since_ms) in list(self._unplaced.items()):
            if sampled_ms - since_ms > patience_ms(self.rule):
                changes.append(_closing(target, state))
                del self._unplaced[target]
        self._meter.forget_silent(sampled_ms)
        return changes

    def close(self) -> list[Change]:
        """End everything; the windows begin anew."""
        changes = [_closing(target, state) for target, state in self.states() if state != CALM]
        self._unplaced.clear()
        self._meter = Meter(self.rule.conditions[0], 0)
        return changes

    def acknowledge(self, alert_id: str) -> Change | None:
        for gauge in self._meter.gauges.values():
            if gauge.state.alert_id == alert_id:
                change = _acknowledging(gauge.name, gauge.state)
                gauge.state = change.after
                return change
        for target, (state, since_ms) in self._unplaced.items():
            if state.alert_id == alert_id:
                change = _acknowledging(target, state)
                self._unplaced[target] = (change.after, since_ms)
                return change
        return None

    def _judge(self, gauge: Gauge, now_ms: int, sampled_ms: int, changes: list[Change]) -> None:
        before = gauge.state
        worse_than = before.peak if before.phase == "firing" else None
        reading = self._meter.judge(gauge, now_ms, sampled_ms, worse_than, self.rule.escalate_value)
        if reading is None:
            return
        alert_id = before.alert_id or self._make_id()
        after, happened = advance(self._policy, before, reading, now_ms, alert_id)
        if after is not before:
            gauge.state = after
            changes.append(Change(gauge.name, before, after, happened, reading.value))

    def _place(self) -> None:
        for gauge in self._meter.gauges.values():
            found = self._unplaced.pop(gauge.name, None)
            if found is not None:
                gauge.state = found[0]


class CompositeWatch:
    """A rule of several conditions: one alert a system."""

    __slots__ = ("_judged_ms", "_make_id", "_meters", "_policy", "rule", "state")

    def __init__(self, rule: Rule, sampled_ms: int, make_id: MakeId) -> None:
        self.rule = rule
        self.state = CALM
        self._judged_ms = sampled_ms
        self._policy = policy_of(rule)
        self._meters = [Meter(condition, sampled_ms) for condition in rule.conditions]
        self._make_id = make_id

    def states(self) -> Iterator[tuple[str, State]]:
        if self.state is not CALM:
            yield COMPOSITE, self.state

    def restore(self, _: str, state: State, sampled_ms: int) -> None:
        self.state = state
        self._judged_ms = sampled_ms

    def owns(self, target: str) -> bool:
        return target == COMPOSITE

    def take(self, metrics: Metrics, around: Surroundings, now_ms: int, sampled_ms: int) -> list[Change]:
        for meter in self._meters:
            meter.take(metrics, around, now_ms, sampled_ms)
        reading = self._combine(now_ms, sampled_ms)
        if reading is not None:
            self._judged_ms = sampled_ms
        if reading is None or (self.state.phase == "calm" and reading.verdict is not Verdict.BREACHED):
            return []
        before = self.state
        self.state, happened = advance(self._policy, before, reading, now_ms, before.alert_id or self._make_id())
        return [] if self.state is before else [Change(COMPOSITE, before, self.state, happened, reading.value)]

    def wanting(self) -> list[Condition]:
        return [meter.condition for meter in self._meters if meter.wants_past]

    def recall(self, past: Digest, now_ms: int, sampled_ms: int) -> None:
        for meter in self._meters:
            if meter.condition in past:
                meter.recall(past[meter.condition], now_ms, sampled_ms)

    def sweep(self, sampled_ms: int) -> list[Change]:
        for meter in self._meters:
            meter.forget_silent(sampled_ms)
        if self.state.phase == "calm" or sampled_ms - self._judged_ms <= patience_ms(self.rule):
            return []
        before, self.state = self.state, CALM
        return [_closing(COMPOSITE, before)]

    def close(self) -> list[Change]:
        before, self.state = self.state, CALM
        self._judged_ms = 0
        self._meters = [Meter(condition, 0) for condition in self.rule.conditions]
        return [] if before == CALM else [_closing(COMPOSITE, before)]

    def acknowledge(self, alert_id: str) -> Change | None:
        if self.state.alert_id != alert_id:
            return None
        change = _acknowledging(COMPOSITE, self.state)
        self.state = change.after
        return change

    def _combine(self, now_ms: int, sampled_ms: int) -> Reading | None:
        """The first condition gives the value; a condition of many targets is as bad as the worst of them."""
        readings = [self._worst(meter, now_ms, sampled_ms) for meter in self._meters]
        verdicts = [None if reading is None else reading.verdict for reading in readings]
        if self.rule.match == "any" and Verdict.CLEAR in verdicts:
            verdicts = [self._unless_mute(*pair, sampled_ms) for pair in zip(self._meters, verdicts, strict=True)]
        needed = all if self.rule.match == "all" else any
        spoiling = any if self.rule.match == "all" else all
        first = readings[0] or Reading(Verdict.HELD)
        if needed(verdict is Verdict.BREACHED for verdict in verdicts):
            return first._replace(verdict=Verdict.BREACHED)
        if spoiling(verdict is Verdict.CLEAR for verdict in verdicts):
            return first._replace(verdict=Verdict.CLEAR)
        return None if None in verdicts else first._replace(verdict=Verdict.HELD)

    def _unless_mute(self, meter: Meter, verdict: Verdict | None, sampled_ms: int) -> Verdict | None:
        """What a host does not have cannot be wrong with it; an alert that waits for what vanished is closed before."""
        is_mute = verdict is None and meter.is_mute(sampled_ms, 2 * patience_ms(self.rule))
        return Verdict.CLEAR if is_mute else verdict

    def _worst(self, meter: Meter, now_ms: int, sampled_ms: int) -> Reading | None:
        critical = self.rule.escalate_value if meter is self._meters[0] else None
        worst: Reading | None = None
        for gauge in meter.gauges.values():
            reading = meter.judge(gauge, now_ms, sampled_ms, self.state.peak, critical)
            if reading is not None and (worst is None or _is_worse(reading, worst, meter)):
                worst = reading
        return worst


class StatusWatch:
    """A rule on a system being down. `None` for a status says nothing: the hub has only just started."""

    __slots__ = ("_make_id", "_policy", "rule", "state")

    def __init__(self, rule: Rule, make_id: MakeId) -> None:
        self.rule = rule
        self.state = CALM
        self._policy = policy_of(rule)
        self._make_id = make_id

    def states(self) -> Iterator[tuple[str, State]]:
        if self.state is not CALM:
            yield STATUS, self.state

    def restore(self, _: str, state: State, __: int) -> None:
        self.state = state

    def owns(self, target: str) -> bool:
        return target == STATUS

    def tick(self, status: SystemStatus, since_ms: int, now_ms: int) -> list[Change]:
        """`since_ms`: when the system got this status."""
        if status not in {"up", "down"} or (status == "up" and self.state.phase == "calm"):
            return []
        before = self.state
        if status == "down" and before.phase == "calm":
            before = State(phase="pending", since_ms=min(since_ms, now_ms), fires_ms=before.fires_ms)
        reading = Reading(Verdict.BREACHED if status == "down" else Verdict.CLEAR)
        after, happened = advance(self._policy, before, reading, now_ms, before.alert_id or self._make_id())
        if after is self.state:
            return []
        before, self.state = self.state, after
        return [Change(STATUS, before, after, happened, None)]

    def close(self) -> list[Change]:
        before, self.state = self.state, CALM
        return [] if before == CALM else [_closing(STATUS, before)]

    def acknowledge(self, alert_id: str) -> Change | None:
        if self.state.alert_id != alert_id:
            return None
        change = _acknowledging(STATUS, self.state)
        self.state = change.after
        return change


def _is_worse(reading: Reading, than: Reading, meter: Meter) -> bool:
    order = (Verdict.CLEAR, Verdict.HELD, Verdict.BREACHED)
    if reading.verdict is not than.verdict:
        return order.index(reading.verdict) > order.index(than.verdict)
    if reading.value is None or than.value is None:
        return False
    return reading.value > than.value if meter.condition.comparison == "above" else reading.value < than.value


def _closing(target: str, state: State) -> Change:
    """Also of a calm one that fired lately, which is kept for that."""
    after, happened = close(state)
    return Change(target, state, after, happened, None)


def _acknowledging(target: str, state: State) -> Change:
    return Change(target, state, msgspec.structs.replace(state, is_acknowledged=True), None, state.value)
