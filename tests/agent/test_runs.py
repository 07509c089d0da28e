"""A collector at work: what fails or hangs costs its own part and is told."""

import logging
import threading
from typing import ClassVar, Self

import pytest

from beszel_agent.collector import Collector, NeverWaits, ToldOnce
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, ReadingIncomplete, Unavailable
from beszel_agent.paths import HostPaths
from beszel_agent.runs import MAX_LOST_THREADS, REPROBE_SECONDS, InPlaceRun, PacedRun, ProbedRun, ThreadedRun
from beszel_protocol.sample import Metrics
from tests.support.programs import wait_until


class Scripted:
    """Does at each reading what it was told: an instant is an uptime, an error is raised, an event is waited for."""

    name: ClassVar[str] = "scripted"
    fields: ClassVar[tuple[str, ...]] = ("uptime_seconds",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, *script: float | Exception | threading.Event) -> None:
        self._script = list(script)

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(1.0)

    def collect(self, now: float) -> Metrics:
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, threading.Event):
            step.wait(20)
            return Metrics()
        return Metrics(uptime_seconds=step)


class Paced(Scripted):
    pace_seconds: ClassVar[float] = 10


class PacedOnce(Paced, ToldOnce):
    pass


class PacedInPlace(Paced, NeverWaits):
    pass


class Absent(Scripted):
    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        raise Unavailable("no such thing here")


class Broken(Scripted):
    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        raise PermissionError(13, "Permission denied", "/sys/secret")


class Mistaken(Scripted):
    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        raise RuntimeError("oops")


class Incomplete(Scripted):
    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        raise ModuleNotFoundError("No module named 'psutil'", name="psutil")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ReadingFailed("half a file"), "half a file"),
        (OSError(5, "Input/output error", "/proc/x"), "/proc/x: Input/output error"),
        (ValueError("no number"), "no number"),
        (IndexError("oops"), "unexpected IndexError: oops"),
    ],
)
def test_a_failure_is_a_gap_and_told_once(error: Exception, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    run = InPlaceRun(Scripted(1.0, error, error, 2.0))
    with caplog.at_level(logging.INFO):
        parts = [run.read(0.0) for _ in range(3)]
        report = run.report()
        assert run.read(0.0) == Metrics(uptime_seconds=2.0)
    assert parts == [Metrics(uptime_seconds=1.0), None, None]
    assert (report.state, report.reason, report.readings, report.failures) == ("failing", reason, 3, 2)
    assert run.report().state == "running"
    assert [record.getMessage() for record in caplog.records] == [
        f"collector scripted fails: {reason}",
        "collector scripted reads again",
    ]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Absent, "no such thing here"),
        (Broken, "/sys/secret: Permission denied"),
        (Mistaken, "unexpected RuntimeError: oops"),
    ],
)
def test_what_is_not_there_is_no_failure(kind: type[Collector], reason: str) -> None:
    run = ProbedRun(kind, HostPaths(), Config())
    assert run.read(0.0) is None
    assert (run.report().state, run.report().reason) == ("unavailable", reason)


def test_an_agent_that_is_not_whole_does_not_start() -> None:
    """Its command line says what to install."""
    with pytest.raises(ModuleNotFoundError):
        ProbedRun(Incomplete, HostPaths(), Config()).read(0.0)


def test_what_was_not_there_is_looked_for_again() -> None:
    class Plugged(Scripted):
        is_there: ClassVar[bool] = False

        @classmethod
        def probe(cls, paths: HostPaths, config: Config) -> Self:
            if not cls.is_there:
                raise Unavailable("not plugged in")
            return cls(1.0)

    run = ProbedRun(Plugged, HostPaths(), Config())
    assert run.read(0.0) is None
    Plugged.is_there = True
    assert run.read(REPROBE_SECONDS - 1) is None
    assert run.read(REPROBE_SECONDS) == Metrics(uptime_seconds=1.0)
    assert run.report().state == "running"


def test_a_report_says_what_a_reading_costs() -> None:
    run = InPlaceRun(Scripted(1.0))
    run.read(0.0)
    mean_ms = run.report().mean_ms
    assert mean_ms is not None
    assert mean_ms >= 0


def finish(run: ThreadedRun, readings: int, now: float) -> None:
    def is_done() -> bool:
        run.read(now)
        return run.report().readings >= readings

    wait_until(f"{readings} readings", is_done)


def test_a_paced_part_stands_until_it_is_three_paces_old() -> None:
    run = ThreadedRun(Paced(1.0, 2.0))
    assert run.read(0.0) is None
    finish(run, 1, 0.5)
    assert run.read(9.0) == Metrics(uptime_seconds=1.0)
    assert run.report().readings == 1  # not due yet
    run.read(10.0)
    finish(run, 2, 10.5)
    assert run.read(11.0) == Metrics(uptime_seconds=2.0)
    assert run.read(40.0) is None


def test_one_that_hangs_never_holds_up_the_sample_and_is_reported() -> None:
    never = threading.Event()
    run = ThreadedRun(Paced(1.0, never), timeout_seconds=5)
    run.read(0.0)
    finish(run, 1, 1.0)
    for now in range(10, 200):
        run.read(float(now))
    report = run.report()
    assert report.state == "failing"
    assert report.reason == f"{MAX_LOST_THREADS} of its readings never came back"
    assert sum(thread.name == "scripted" for thread in threading.enumerate()) == MAX_LOST_THREADS
    assert run.read(200.0) is None  # its last part is stale: a gap
    never.set()
    wait_until("the threads end", lambda: not any(thread.name == "scripted" for thread in threading.enumerate()))
    finish(run, report.readings + 1, 201.0)
    assert run.report().state == "running"


class Hindered(Scripted):
    def shortfall(self) -> str | None:
        return "SMART of /dev/sda needs CAP_SYS_RAWIO"


def test_what_is_told_once_stands_in_one_sample() -> None:
    run = ThreadedRun(PacedOnce(1.0, 2.0))
    parts: list[Metrics | None] = []

    def is_told() -> bool:
        parts.append(run.read(0.5))
        return parts[-1] is not None

    wait_until("the first part", is_told)
    assert parts[-1] == Metrics(uptime_seconds=1.0)
    assert [run.read(float(now)) for now in range(1, 10)] == [None] * 9
    run.read(10.5)
    wait_until("the second part", is_told)
    assert parts[-1] == Metrics(uptime_seconds=2.0)


def test_what_never_waits_is_read_in_place_at_its_pace_and_told_when_it_is_read() -> None:
    run = PacedRun(PacedInPlace(1.0, 2.0, ReadingFailed("broken"), 4.0))
    assert [run.read(float(now)) for now in (0, 1)] == [Metrics(uptime_seconds=1.0), Metrics(uptime_seconds=2.0)]
    assert [run.read(float(now)) for now in range(2, 12)] == [None] * 10
    assert (run.report().readings, run.report().state) == (3, "failing")
    assert [run.read(float(now)) for now in range(12, 22)] == [None] * 9 + [Metrics(uptime_seconds=4.0)]
    assert (run.report().readings, run.report().pace_seconds) == (4, 10)


def test_what_could_be_read_is_told_although_something_is_missing() -> None:
    incomplete = ReadingIncomplete("one of three is broken", Metrics(uptime_seconds=7.0))
    in_place = InPlaceRun(Scripted(incomplete))
    assert in_place.read(0.0) == Metrics(uptime_seconds=7.0)
    assert (in_place.report().state, in_place.report().reason) == ("failing", "one of three is broken")
    threaded = ThreadedRun(Paced(incomplete))
    finish(threaded, 1, 0.5)
    assert threaded.read(1.0) == Metrics(uptime_seconds=7.0)
    assert threaded.report().state == "failing"


def test_one_that_reads_only_some_says_what_it_misses() -> None:
    run = InPlaceRun(Hindered(1.0, ReadingFailed("worse")))
    run.read(0.0)
    assert (run.report().state, run.report().reason) == ("running", "SMART of /dev/sda needs CAP_SYS_RAWIO")
    run.read(0.0)
    assert (run.report().state, run.report().reason) == ("failing", "worse")


def test_nobody_asks_for_what_is_not_there_or_not_due() -> None:
    absent = ProbedRun(Absent, HostPaths(), Config())
    assert absent.due_at <= 5.0
    assert absent.read(5.0) is None
    assert absent.due_at == 5.0 + REPROBE_SECONDS
    paced = PacedRun(PacedInPlace(1.0))
    for now in (0.0, 1.0):
        assert paced.due_at <= now
        paced.read(now)
    assert 10.9 < paced.due_at < 11.0
    once = ThreadedRun(PacedOnce(1.0))
    wait_until("its part", lambda: once.due_at > 0.5 or once.read(0.5) is not None)
    assert once.due_at == 10.5
    assert once.read(5.0) is None


def test_what_stands_in_several_samples_is_asked_for_each() -> None:
    run = ThreadedRun(Paced(1.0))
    finish(run, 1, 0.5)
    assert run.due_at == float("-inf")
    assert run.read(3.0) == Metrics(uptime_seconds=1.0)
