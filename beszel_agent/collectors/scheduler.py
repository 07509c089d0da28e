"""What the scheduler counts: switches, interrupts, processes started and waiting, from `/proc/stat`."""

from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.collector import NeverWaits
from beszel_agent.config import Config
from beszel_agent.deltas import gained, per_second
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, Metrics, ProcessCounts

_NAMES: Final = (b"ctxt", b"processes", b"procs_running", b"procs_blocked")
_WORDS: Final = 10
"""Of the lines `ctxt`, `btime`, `processes`, `procs_running` and `procs_blocked`."""


class Activity(NamedTuple):
    """None where the kernel does not tell it. The first three since boot."""

    interrupts: int | None = None
    context_switches: int | None = None
    forks: int | None = None
    running: int | None = None
    blocked: int | None = None


class SchedulerCollector(NeverWaits):
    name: ClassVar[str] = "scheduler"
    fields: ClassVar[tuple[str, ...]] = ("cpu", "processes")
    pace_seconds: ClassVar[float] = 5

    def __init__(self, stat: HostFile) -> None:
        self._stat = stat
        self._previous = Activity()
        self._previous_now = 0.0

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            return cls(paths.proc_file("stat"))
        except OSError as error:
            raise Unavailable(f"no /proc/stat: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        previous, activity = self._previous, parse_activity(self._stat.read())
        elapsed = now - self._previous_now
        self._previous, self._previous_now = activity, now
        switches = _rate(previous.context_switches, activity.context_switches, elapsed)
        interrupts = _rate(previous.interrupts, activity.interrupts, elapsed)
        forks = _rate(previous.forks, activity.forks, elapsed)
        cpu = CpuMetrics(context_switches_per_second=switches, interrupts_per_second=interrupts)
        processes = ProcessCounts(running=activity.running, blocked=activity.blocked, forks_per_second=forks)
        return Metrics(
            cpu=cpu if cpu != CpuMetrics() else None, processes=processes if processes != ProcessCounts() else None
        )


def parse_activity(text: bytes) -> Activity:
    """The lines after those of the processors."""
    # The first number of the line of interrupts is their sum; the thousands behind it are not split.
    at = text.find(b"\nintr ")
    interrupts = text[at + 6 : at + 32].split(b"\n", 1)[0].split(b" ", 1)[0] if at >= 0 else None
    at = text.find(b"\nctxt ")
    # One pair a line, up to the long one of soft interrupts, which is not split either.
    words = text[at:].split(None, _WORDS) if at >= 0 else []
    found = dict(zip(words[::2], words[1::2], strict=False))
    numbers = (None if word is None else int(word) for word in (interrupts, *map(found.get, _NAMES)))
    activity = Activity(*numbers)
    if activity == Activity():
        raise ReadingFailed("/proc/stat: nothing that the scheduler counts")
    return activity


def _rate(before: int | None, now: int | None, elapsed_seconds: float) -> int | None:
    return None if before is None or now is None else per_second(gained(before, now), elapsed_seconds)
