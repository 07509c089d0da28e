"""What one condition comes to on one system: a gauge for each target, and the verdict on its value."""

from collections.abc import Mapping, Sequence
from typing import Final

from beszel_hub.alerts.derived import Keys
from beszel_hub.alerts.phases import CALM, Reading, State, Verdict
from beszel_hub.alerts.rule import Condition
from beszel_hub.alerts.surroundings import Surroundings
from beszel_hub.alerts.targets import MAX_KEYS, compile_target, keys_in
from beszel_hub.alerts.window import Past, Window
from beszel_protocol.addresses import MAX_ADDRESS_LENGTH, InvalidAddress
from beszel_protocol.sample import Metrics

FORGET_MS: Final = 3_600_000
"""How long a target may say nothing before it is forgotten, if nothing is wrong with it."""
ABSENT_CLOSED_MS: Final = 86_400_000
"""How long a rule on absence insists."""


class Gauge:
    """One target of a condition. `seen_ms` counts only time in which the system sent samples."""

    __slots__ = ("name", "seen_ms", "state", "window")

    def __init__(self, name: str, window: Window, seen_ms: int) -> None:
        self.name = name
        self.window = window
        self.seen_ms = seen_ms
        self.state: State = CALM


class Meter:
    """One condition on one system, with a gauge for each of its targets."""

    __slots__ = (
        "_is_absence", "_made_ms", "_only", "_read", "_read_beside", "_read_one", "condition", "gauges", "target",
    )  # fmt: skip

    def __init__(self, condition: Condition, sampled_ms: int) -> None:
        self.condition = condition
        self.target = compile_target(condition.target)
        self.gauges: dict[Keys, Gauge] = {}
        self._made_ms = sampled_ms
        self._is_absence = condition.comparison == "absent"
        self._read = self.target.read
        self._read_one = self.target.read_one
        self._read_beside = self.target.read_beside
        self._only: Gauge | None = None
        if self._read_one is not None:
            self._only = self._make((), sampled_ms)
        elif self._is_absence and self.target.only is not None:
            self._make(self.target.only, sampled_ms)

    def take(self, metrics: Metrics, around: Surroundings, now_ms: int, sampled_ms: int) -> None:
        """Add the readings of one sample; `sampled_ms` is the time for which the system has sent samples."""
        if self._read_one is not None and self._only is not None:
            value = self._read_one(metrics)
            if value is not None:
                self._only.window.add(now_ms, value)
                self._only.seen_ms = sampled_ms
            return
        gauges = self.gauges
        beside = self._read_beside
        window_ms = self.condition.window_seconds * 1000
        for keys, value in self._read(metrics) if beside is None else beside(around, window_ms):
            gauge = gauges.get(keys)
            if gauge is None:
                if len(gauges) >= MAX_KEYS:
                    continue
                gauge = self._make(keys, sampled_ms)
            gauge.window.add(now_ms, value)
            gauge.seen_ms = sampled_ms

    @property
    def wants_past(self) -> bool:
        """Whether windows know too little to say anything yet."""
        if self._is_absence or self._read_beside is not None or not self.condition.window_seconds:
            return False
        return not self.gauges or any(gauge.window.value() is None for gauge in self.gauges.values())

    def recall(self, found: Mapping[Keys, Sequence[Past]], now_ms: int, sampled_ms: int) -> None:
        """Fill windows with what was before they began; instants of the monotonic clock, in the order of time."""
        for keys, readings in found.items():
            gauge = self.gauges.get(keys)
            if gauge is not None:
                gauge.window.recall(readings)
            elif len(self.gauges) < MAX_KEYS:
                self._recall_new(keys, readings, now_ms, sampled_ms)

    def find(self, name: str) -> Gauge | None:
        """By the text of the target."""
        return next((gauge for gauge in self.gauges.values() if gauge.name == name), None)

    def stands_for(self, name: str) -> bool:
        """Whether what has this name is one of its targets; also for a name that is too long to be read again."""
        try:
            return keys_in(self.condition.target, name) is not None
        except InvalidAddress:
            return True

    def miss(self, name: str, sampled_ms: int) -> Gauge | None:
        """Of what is absent and may never be told again: a gauge that waits for it from now on."""
        if not self._is_absence or len(name) > MAX_ADDRESS_LENGTH:
            return None
        keys = keys_in(self.condition.target, name)
        return None if keys is None else self._make(keys, sampled_ms)

    def is_mute(self, sampled_ms: int, longest_ms: int) -> bool:
        """Whether nothing was told for so long, or never since it is watched."""
        told_ms = max((gauge.seen_ms for gauge in self.gauges.values()), default=self._made_ms)
        return sampled_ms - told_ms > longest_ms

    def judge(self, gauge: Gauge, now_ms: int, sampled_ms: int, worse_than: float | None, critical: float | None) -> (
        Reading | None
    ):  # fmt: skip
        """None where too little is known, or what is known is too old."""
        silent_ms = sampled_ms - gauge.seen_ms
        if self._is_absence:
            if silent_ms >= gauge.window.window_ms:
                return Reading(Verdict.BREACHED)
            return Reading(Verdict.CLEAR) if gauge.window.has_readings else None
        value = gauge.window.value()
        if value is None or now_ms - gauge.window.last_ms > gauge.window.gap_ms:
            return None
        condition = self.condition
        sign = 1.0 if condition.comparison == "above" else -1.0
        is_worse = worse_than is not None and sign * value > sign * worse_than
        is_critical = critical is not None and sign * value > sign * critical
        if sign * value > sign * condition.value:
            return Reading(Verdict.BREACHED, value, is_worse, is_critical)
        recover_value = condition.value if condition.recover_value is None else condition.recover_value
        is_clear = sign * value <= sign * recover_value
        return Reading(Verdict.CLEAR if is_clear else Verdict.HELD, value, is_worse)

    def has_news(self, gauge: Gauge, now_ms: int) -> bool:
        """Whether the sample of now had a reading; of what is absent, every sample tells."""
        return self._is_absence or gauge.window.last_ms == now_ms

    def is_calm(self, gauge: Gauge) -> bool:
        """A quick look: whether there is surely nothing to judge. Only where nothing is under way."""
        if self._is_absence:
            return False
        value = gauge.window.value()
        if value is None:
            return True
        condition = self.condition
        return value <= condition.value if condition.comparison == "above" else value >= condition.value

    def has_vanished(self, gauge: Gauge, sampled_ms: int) -> bool:
        """Whether a target has been silent for so long that nothing more is to be expected of it."""
        silent_ms = sampled_ms - gauge.seen_ms
        if self._is_absence:
            return silent_ms - gauge.window.window_ms > ABSENT_CLOSED_MS
        return silent_ms > gauge.window.vanished_ms

    def forget_silent(self, sampled_ms: int) -> None:
        """Drop the gauges of targets that are gone, so that names that come and go fill no memory."""
        limit_ms = FORGET_MS + (ABSENT_CLOSED_MS + self.condition.window_seconds * 1000 if self._is_absence else 0)
        for keys, gauge in list(self.gauges.items()):
            is_silent = sampled_ms - gauge.seen_ms > max(limit_ms, gauge.window.vanished_ms)
            if keys and is_silent and gauge.state.phase == "calm":
                del self.gauges[keys]

    def _recall_new(self, keys: Keys, readings: Sequence[Past], now_ms: int, sampled_ms: int) -> None:
        """A target that has not been told of yet, unless it was not for so long that it may be gone."""
        window = self._make_window()
        window.recall(readings)
        if now_ms - window.last_ms <= window.gap_ms:
            self.gauges[keys] = Gauge(self.target.name(keys), window, sampled_ms)

    def _make(self, keys: Keys, sampled_ms: int) -> Gauge:
        gauge = self.gauges[keys] = Gauge(self.target.name(keys), self._make_window(), sampled_ms)
        return gauge

    def _make_window(self) -> Window:
        """What comes with no sample is counted already."""
        condition = self.condition
        if self._read_beside is not None:
            seconds = condition.window_seconds if self._is_absence else 0
            return Window(seconds, "last")
        return Window(condition.window_seconds, condition.aggregate)
