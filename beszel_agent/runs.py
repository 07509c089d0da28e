"""One collector at work: when it runs, what it costs, whether it succeeds.

A collector that only reads what the kernel has in memory runs in place. One that may have to wait runs in a thread of
its own: a disk that hangs costs its own readings and nobody else's.
"""

import logging
import threading
import time
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from beszel_agent.collector import Collector, NeverWaits, Partial, ToldOnce
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, ReadingIncomplete, Unavailable, describe
from beszel_agent.pace import Pace
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics

TIMEOUT_SECONDS: Final = 10.0
MAX_LOST_THREADS: Final = 4
REPROBE_SECONDS: Final = 60.0

_FAILURES: Final = (OSError, ValueError, ReadingFailed)
_STALE_PACES: Final = 3
_ALWAYS: Final = float("-inf")

log = logging.getLogger(__name__)


class CollectorReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What runs here, what it costs, or why it does not."""

    name: str
    state: Literal["running", "failing", "unavailable"]
    reason: str | None = None
    readings: int = 0
    failures: int = 0
    mean_ms: float | None = None
    """Of a reading, by the wall clock."""
    pace_seconds: float | None = None
    """The shortest time between two readings, where it is not that of the samples."""


class Run(Protocol):
    fields: tuple[str, ...]
    """Those of a sample that its parts may fill."""
    due_at: float
    """Until then `read` has nothing to do and nothing to tell: most collectors find nothing on most hosts, and asking
    each of them with every sample would be dear."""

    def read(self, now: float) -> Metrics | None:
        """The collector's part of a sample that is taken `now`; None if it has none. Never raises, never waits."""

    def report(self) -> CollectorReport: ...


class _Ledger:
    """Counts and times the readings of one collector, and logs when it starts or stops to fail."""

    def __init__(self, collector: Collector) -> None:
        self.name = collector.name
        self._partial = collector if isinstance(collector, Partial) else None
        self._pace_seconds = collector.pace_seconds or None
        self._readings = self._failures = 0
        self._seconds = 0.0
        self._reason: str | None = None

    def succeeded(self, seconds: float) -> None:
        self._readings += 1
        self._seconds += seconds
        if self._reason is not None:
            self._reason = None
            log.info("collector %s reads again", self.name)

    def failed(self, reason: str, seconds: float) -> None:
        self._readings += 1
        self._failures += 1
        self._seconds += seconds
        if self._reason is None:
            log.warning("collector %s fails: %s", self.name, reason)
        self._reason = reason

    def report(self) -> CollectorReport:
        return CollectorReport(
            name=self.name,
            state="running" if self._reason is None else "failing",
            reason=self._reason or (None if self._partial is None else self._partial.shortfall()),
            readings=self._readings,
            failures=self._failures,
            mean_ms=round(1000 * self._seconds / self._readings, 3) if self._readings else None,
            pace_seconds=self._pace_seconds,
        )


class InPlaceRun:
    """Runs the collector with every sample."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.fields = collector.fields
        self.due_at = _ALWAYS
        self._ledger = _Ledger(collector)

    def read(self, now: float) -> Metrics | None:  # noqa: ARG002
        # Rates need the instant of this very reading, not that of the sample, which other collectors have delayed.
        started = time.monotonic()
        try:
            part = self.collector.collect(started)
        except Exception as error:  # noqa: BLE001 - a mistake in one collector must not cost the readings of the others
            self._ledger.failed(_reason(error), time.monotonic() - started)
            return _part_of(error)
        self._ledger.succeeded(time.monotonic() - started)
        return part

    def report(self) -> CollectorReport:
        return self._ledger.report()


class PacedRun(InPlaceRun):
    """Runs the collector at its pace, or less often where that would cost too much. It has a part when it was read."""

    def __init__(self, collector: Collector) -> None:
        super().__init__(collector)
        self._pace = Pace(collector.pace_seconds)

    def read(self, now: float) -> Metrics | None:
        if now < self.due_at:
            return None
        started = time.thread_time()
        part = super().read(now)
        self.due_at = self._pace.due_after(now, time.thread_time() - started)
        return part


class _Outcome(NamedTuple):
    part: Metrics | None
    reason: str | None
    """Why there is no part, or why it is not complete."""
    seconds: float


class _Attempt:
    """One reading in a thread. A daemon thread, as one that hangs must not keep the agent from ending."""

    def __init__(self, collector: Collector, started: float) -> None:
        self.started = started
        self.outcome: _Outcome | None = None
        self._collector = collector
        self._thread = threading.Thread(target=self._work, name=collector.name, daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _work(self) -> None:
        part, reason = None, None
        try:
            part = self._collector.collect(self.started)
        except Exception as error:  # noqa: BLE001 - as above
            part, reason = _part_of(error), _reason(error)
        self.outcome = _Outcome(part, reason, time.monotonic() - self.started)


class ThreadedRun:
    """Runs the collector at its own pace; its last part stands in the samples until it is three paces old.

    That of a collector which is `ToldOnce` stands in the next one only.
    """

    def __init__(self, collector: Collector, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.collector = collector
        self.fields = collector.fields
        self.due_at = _ALWAYS
        self._told_once = isinstance(collector, ToldOnce)
        self._ledger = _Ledger(collector)
        self._timeout_seconds = timeout_seconds
        self._attempt: _Attempt | None = None
        self._lost: list[_Attempt] = []
        self._part: Metrics | None = None
        self._part_at = self._next_at = float("-inf")

    def read(self, now: float) -> Metrics | None:
        self._lost = [attempt for attempt in self._lost if attempt.is_alive]
        self._collect_outcome(now)
        if self._attempt is None and now >= self._next_at and len(self._lost) < MAX_LOST_THREADS:
            self._next_at = now + self.collector.pace_seconds
            self._start(now)
        part = self._part if now - self._part_at < _STALE_PACES * self.collector.pace_seconds else None
        if self._told_once:
            self._part = None
            self.due_at = self._next_at if self._attempt is None else _ALWAYS
        return part

    def report(self) -> CollectorReport:
        report = self._ledger.report()
        if not self._lost:
            return report
        reason = f"{len(self._lost)} of its readings never came back"
        return msgspec.structs.replace(report, state="failing", reason=reason)

    def _start(self, now: float) -> None:
        try:
            self._attempt = _Attempt(self.collector, now)
        except RuntimeError as error:  # no more threads allowed here
            self._ledger.failed(str(error), 0.0)

    def _collect_outcome(self, now: float) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        outcome = attempt.outcome
        if outcome is None:
            if now - attempt.started > self._timeout_seconds:
                self._ledger.failed(f"no answer within {self._timeout_seconds:g} s", now - attempt.started)
                self._lost.append(attempt)
                self._attempt = None
            return
        self._attempt = None
        if outcome.reason is not None:
            self._ledger.failed(outcome.reason, outcome.seconds)
        else:
            self._ledger.succeeded(outcome.seconds)
        if outcome.part is not None:
            self._part, self._part_at = outcome.part, attempt.started


class ProbedRun:
    """A collector on this host: at work, or absent for a reason that is looked at again now and then."""

    def __init__(self, kind: type[Collector], paths: HostPaths, config: Config) -> None:
        self._kind, self._paths, self._config = kind, paths, config
        self.fields = kind.fields
        self.due_at = _ALWAYS
        self._run: InPlaceRun | ThreadedRun | None = None
        self._reason: str | None = None

    def read(self, now: float) -> Metrics | None:
        if now < self.due_at:
            return None
        run = self._run = self._run or self._probe()
        if run is None:
            self.due_at = now + REPROBE_SECONDS
            return None
        part = run.read(now)
        self.due_at = run.due_at
        return part

    def report(self) -> CollectorReport:
        if self._run is not None:
            return self._run.report()
        return CollectorReport(name=self._kind.name, state="unavailable", reason=self._reason)

    @property
    def collector(self) -> Collector | None:
        return None if self._run is None else self._run.collector

    def _probe(self) -> InPlaceRun | ThreadedRun | None:
        try:
            collector = self._kind.probe(self._paths, self._config)
        except Unavailable as error:
            self._reason = str(error)
        except ImportError:
            raise  # the agent is not whole; whoever started it is told what to install
        except Exception as error:  # noqa: BLE001 - as with a reading; psutil has errors of its own
            self._reason = _reason(error)
        else:
            return _make_run(collector)
        return None


def _make_run(collector: Collector) -> InPlaceRun | ThreadedRun:
    if not collector.pace_seconds:
        return InPlaceRun(collector)
    if isinstance(collector, NeverWaits):
        return PacedRun(collector)
    timeout_seconds = getattr(collector, "timeout_seconds", None)
    return (
        ThreadedRun(collector) if timeout_seconds is None else ThreadedRun(collector, timeout_seconds=timeout_seconds)
    )


def _part_of(error: Exception) -> Metrics | None:
    return error.part if isinstance(error, ReadingIncomplete) else None


def _reason(error: Exception) -> str:
    """What to tell of a reading that failed. What no collector should raise is told with its kind."""
    if isinstance(error, _FAILURES):
        return describe(error)
    log.debug("a collector has a mistake", exc_info=error)
    return f"unexpected {type(error).__name__}: {error}"
