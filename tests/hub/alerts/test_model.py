"""The engine against a naïve reference that keeps every reading, over any course of events."""

from collections.abc import Iterator
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from beszel_hub.alerts.engine import CLOCK_SET_MS
from beszel_hub.alerts.phases import FLAPPING_FIRES, FLAPPING_MS, MAX_DAMPING_MS, MIN_DAMPING_MS
from beszel_hub.alerts.rule import Rule
from tests.support.alertworld import AlertWorld, cpu
from tests.support.alertworld import rule as make_rule

PERCENTS: Final = st.sampled_from([0.0, 0.0, 70.0, 75.0, 80.0, 81.0, 100.0, 100.0, 100.0])
FRESH_MS: Final = 60_000
COUNTS: Final = st.sampled_from([1, 2, 8, 9, 11, 49, 50, 51, 52, 59, 60, 61, 62, 120, 250, 300])


class Naive:
    """Looks at everything from the beginning, each time."""

    def __init__(self, watched: Rule) -> None:
        self.rule = watched
        self.condition = watched.conditions[0]
        self.readings: list[tuple[int, float]] = []
        self.told: list[str] = []
        self.is_firing = False
        self.bad_since: int | None = None
        self.well_since: int | None = None
        self.fires: list[int] = []

    def take(self, now_ms: int, value: float) -> None:
        self.readings.append((now_ms, value))
        mean = self._mean()
        if mean is None:
            return
        if self.is_firing:
            self._recover(now_ms, mean)
        elif mean > self.condition.value:
            self.bad_since = now_ms if self.bad_since is None else self.bad_since
            if now_ms - self.bad_since >= self.rule.for_seconds * 1000:
                self.is_firing, self.bad_since, self.well_since = True, None, None
                self.fires.append(now_ms)
                self.told.append("fired")
        else:
            self.bad_since = None

    def forget(self) -> None:
        """The windows are empty, as after a restart or a pause."""
        self.readings.clear()

    def pause(self) -> None:
        if self.is_firing:
            self.told.append("closed")
        self.is_firing, self.bad_since, self.well_since = False, None, None
        self.fires.clear()
        self.forget()

    def _recover(self, now_ms: int, mean: float) -> None:
        limit = self.condition.value if self.condition.recover_value is None else self.condition.recover_value
        if mean > limit:
            self.well_since = None
            return
        self.well_since = now_ms if self.well_since is None else self.well_since
        if now_ms - self.well_since >= max(self.rule.recover_seconds * 1000, self._damping(now_ms)):
            self.is_firing, self.well_since = False, None
            self.told.append("recovered")

    def _damping(self, now_ms: int) -> int:
        lately = [fired for fired in self.fires if now_ms - fired < FLAPPING_MS][-16:]
        if len(lately) < FLAPPING_FIRES:
            return 0
        return min(MAX_DAMPING_MS, MIN_DAMPING_MS << (len(lately) - FLAPPING_FIRES))

    def _mean(self) -> float | None:
        window_ms = self.condition.window_seconds * 1000
        now_ms, newest = self.readings[-1]
        if not window_ms:
            return newest
        run = list(self._unbroken(window_ms))
        if now_ms - run[0][0] < window_ms * 5 / 6:
            return None
        step_ms = window_ms // min(60, self.condition.window_seconds)
        buckets = min(60, self.condition.window_seconds)
        values = [value for instant, value in run if now_ms // step_ms - instant // step_ms < buckets]
        return sum(values) / len(values)

    def _unbroken(self, window_ms: int) -> Iterator[tuple[int, float]]:
        """The readings since the last long gap."""
        spacing = start = 0
        for index in range(1, len(self.readings)):
            gap = self.readings[index][0] - self.readings[index - 1][0]
            if gap > max(10_000, 3 * spacing, window_ms // 5):
                start = index
            spacing = min(max(gap, spacing // 2), 6 * 3_600_000)
        yield from self.readings[start:]


class EngineModel(RuleBasedStateMachine):
    @initialize(
        window=st.sampled_from([0, 10, 60, 300]), lasting=st.sampled_from([0, 5, 60]),
        recovering=st.sampled_from([0, 5, 60]), hysteresis=st.sampled_from([None, 70.0]),
    )  # fmt: skip
    def start(self, window: int, lasting: int, recovering: int, hysteresis: float | None) -> None:
        watched = make_rule(
            value=80, window_seconds=window, for_seconds=lasting, recover_seconds=recovering, recover_value=hysteresis
        )
        self.world = AlertWorld(watched)
        self.naive = Naive(watched)
        self.paused = False

    @rule(percent=PERCENTS, count=COUNTS, every=st.sampled_from([1, 1, 1, 2, 7]))
    def send(self, percent: float, count: int, every: int) -> None:
        for _ in range(count):
            self.world.send(cpu(percent), every, every=every)
            if not self.paused:
                self.naive.take(self.world.monotonic_ms, percent)

    @rule(seconds=st.sampled_from([3, 9, 30, 200, 4000]))
    def fall_silent(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @rule(jump_ms=st.integers(CLOCK_SET_MS, 50_000).flatmap(lambda jump_ms: st.sampled_from([jump_ms, -jump_ms])))
    def set_clock(self, jump_ms: int) -> None:
        self.world.wall_ms += jump_ms

    @rule()
    @precondition(lambda self: self._is_fresh())
    def send_nothing_of_it(self) -> None:
        """Never for so long that the target would be gone, which the reference knows nothing of."""
        self.world.send(cpu(None))

    @rule(late_ms=st.integers(200_000, 10**9))
    @precondition(lambda self: bool(self.naive.readings))
    def send_late(self, late_ms: int) -> None:
        self.world.send(cpu(100.0), late_ms=late_ms)

    @rule()
    def restart(self) -> None:
        """The new monotonic clock is another one; what lasts is told on the old."""
        before_ms = self.world.monotonic_ms
        assert self.world.restart() == []
        shift_ms = self.world.monotonic_ms - before_ms
        naive = self.naive
        naive.forget()
        naive.bad_since = None if naive.bad_since is None else naive.bad_since + shift_ms
        naive.well_since = None if naive.well_since is None else naive.well_since + shift_ms
        naive.fires = [fired + shift_ms for fired in naive.fires]

    @rule()
    def pause_or_resume(self) -> None:
        if self.paused:
            self.world.set_status("up")
        else:
            self.world.set_status("paused")
            self.naive.pause()
        self.paused = not self.paused

    def _is_fresh(self) -> bool:
        readings = self.naive.readings
        return bool(readings) and self.world.monotonic_ms - readings[-1][0] < FRESH_MS

    @invariant()
    def tells_the_same(self) -> None:
        assert self.world.told() == self.naive.told

    @invariant()
    def never_recovers_without_having_fired(self) -> None:
        open_alerts: set[str] = set()
        for step in self.world.steps:
            if step.happened == "fired":
                assert not open_alerts
                open_alerts.add(step.alert_id)
            else:
                open_alerts.remove(step.alert_id)


TestEngineModel = EngineModel.TestCase
TestEngineModel.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
