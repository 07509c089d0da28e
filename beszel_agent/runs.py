"""One collector at work: when it runs, what it costs, whether it succeeds.

A collector that only reads what the kernel has in memory runs in place. One that may have to wait runs in a thread of
its own: a disk that hangs costs its own readings and nobody else's.
"""

import logging
import threading
import time
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from beszel_agent.collector import Collector, ToldOnce
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, ReadingIncomplete, Unavailable, describe
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics

TIMEOUT_SECONDS: Final = 10.0
MAX_LOST_THREADS: Final = 4

_FAILURES: Final = (OSError, ValueError, ReadingFailed)
_STALE_PACES: Final = 3

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
    def read(self, now: float) -> Metrics | None:
        """The collector's part of a sample that is taken `now`; None if it has none. Never raises, never waits."""

    def report(self) -> CollectorReport: ...


class _Outcome(NamedTuple):
    part: Metrics | None
    reason: str | None
    """Why there is no part, or why it is not complete."""
    seconds: float


class _Ledger:
    """Counts and times the readings of one collector, and logs when it starts or stops to fail."""

    def __init__(self, collector: Collector) -> None:
        self.name = collector.name
        self._pace_seconds = collector.pace_seconds or None
        self._readings = self._failures = 0
        self._seconds = 0.0
        self._reason: str | None = None

    def enter(self, outcome: _Outcome) -> None:
        self._readings += 1
        self._seconds += outcome.seconds
        self._failures += outcome.reason is not None
        if outcome.reason is not None and self._reason is None:
            log.warning("collector %s fails: %s", self.name, outcome.reason)
        if outcome.reason is None and self._reason is not None:
            log.info("collector %s reads again", self.name)
        self._reason = outcome.reason

    def report(self) -> CollectorReport:
        return CollectorReport(
            name=self.name,
            state="running" if self._reason is None else "failing",
            reason=self._reason,
            readings=self._readings,
            failures=self._failures,
            mean_ms=round(1000 * self._seconds / self._readings, 3) if self._readings else None,
            pace_seconds=self._pace_seconds,
        )


class InPlaceRun:
    """Runs the collector with every sample."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._ledger = _Ledger(collector)

    def read(self, now: float) -> Metrics | None:  # noqa: ARG002
        # Rates need the instant of this very reading, not that of the sample, which other collectors have delayed.
        started = time.monotonic()
        outcome = _collect(self._collector, started)
        self._ledger.enter(outcome)
        return outcome.part

    def report(self) -> CollectorReport:
        return self._ledger.report()


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
        self.outcome = _collect(self._collector, self.started)


class ThreadedRun:
    """Runs the collector at its own pace; its last part stands in the samples until it is three paces old.

    That of a collector which is `ToldOnce` stands in the next one only.
    """

    def __init__(self, collector: Collector, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._collector = collector
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
            self._attempt = _Attempt(self._collector, now)
            self._next_at = now + self._collector.pace_seconds
        part = self._part if now - self._part_at < _STALE_PACES * self._collector.pace_seconds else None
        if self._told_once:
            self._part = None
        return part

    def report(self) -> CollectorReport:
        report = self._ledger.report()
        if not self._lost:
            return report
        reason = f"{len(self._lost)} of its readings never came back"
        return msgspec.structs.replace(report, state="failing", reason=reason)

    def _collect_outcome(self, now: float) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        outcome = attempt.outcome
        if outcome is None:
            if now - attempt.started > self._timeout_seconds:
                reason = f"no answer within {self._timeout_seconds:g} s"
                self._ledger.enter(_Outcome(None, reason, now - attempt.started))
                self._lost.append(attempt)
                self._attempt = None
            return
        self._attempt = None
        self._ledger.enter(outcome)
        if outcome.part is not None:
            self._part, self._part_at = outcome.part, attempt.started


class AbsentRun:
    """Stands for a collector for which this host has nothing."""

    def __init__(self, name: str, reason: str) -> None:
        self._report = CollectorReport(name=name, state="unavailable", reason=reason)

    def read(self, now: float) -> None:
        pass

    def report(self) -> CollectorReport:
        return self._report


def start_run(kind: type[Collector], paths: HostPaths, config: Config) -> Run:
    """Probe a collector and set it to work."""
    try:
        collector = kind.probe(paths, config)
    except Unavailable as error:
        return AbsentRun(kind.name, str(error))
    except _FAILURES as error:
        return AbsentRun(kind.name, describe(error))
    if not collector.pace_seconds:
        return InPlaceRun(collector)
    # What is read once an hour may take a minute.
    return ThreadedRun(collector, timeout_seconds=max(TIMEOUT_SECONDS, collector.pace_seconds / 60))


def _collect(collector: Collector, started: float) -> _Outcome:
    part, reason = None, None
    try:
        part = collector.collect(started)
    except ReadingIncomplete as error:
        part, reason = error.part, describe(error)
    except _FAILURES as error:
        reason = describe(error)
    except Exception as error:  # a mistake in one collector must not cost the readings of the others
        log.debug("collector %s", collector.name, exc_info=True)
        reason = f"unexpected {type(error).__name__}: {error}"
    return _Outcome(part, reason, time.monotonic() - started)
