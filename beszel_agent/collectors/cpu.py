"""Shares of processor time, in all and per core, and what the scheduler counts, from `/proc/stat`."""

from collections.abc import Sequence
from operator import sub
from typing import ClassVar, Final, NamedTuple, Self

import msgspec

from beszel_agent.config import Config
from beszel_agent.deltas import gained, per_second, share
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, Metrics, ProcessCounts

_LARGEST_STEP_BACK: Final = 300
"""In ticks of 10 ms. Idle and iowait are estimates of the kernel and may fall a little; a reset falls by more."""

Times = tuple[int, ...]
"""Ticks since boot in each state, in the order of proc(5). `user` and `nice` contain what guests ran."""

_USER, _SYSTEM, _IDLE, _IOWAIT, _STEAL = 0, 2, 3, 4, 7
_STATES: Final = 8
_NOTHING: Final = (0,) * _STATES

_ACTIVITY_NAMES: Final = (b"ctxt", b"processes", b"procs_running", b"procs_blocked")
_ACTIVITY_WORDS: Final = 10
"""Of the lines `ctxt`, `btime`, `processes`, `procs_running` and `procs_blocked`."""
_NO_COUNTS: Final = ProcessCounts()


class Activity(NamedTuple):
    """What the scheduler counts; None where the kernel does not tell it. The first three since boot."""

    interrupts: int | None = None
    context_switches: int | None = None
    forks: int | None = None
    running: int | None = None
    blocked: int | None = None


class CpuCollector:
    name: ClassVar[str] = "cpu"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, stat: HostFile) -> None:
        self._stat = stat
        self._previous: dict[bytes, Times] = {}
        self._activity = Activity()
        self._read_at = 0.0

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            return cls(paths.proc_file("stat"))
        except OSError as error:
            raise Unavailable(f"no /proc/stat: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        text = self._stat.read()
        current, activity = parse_stat(text), parse_activity(text)
        cpu = cpu_metrics(self._previous, current)
        rates = _Rates(self._activity, activity, now - self._read_at)
        self._previous, self._activity, self._read_at = current, activity, now
        switches, interrupts = rates.of("context_switches"), rates.of("interrupts")
        if switches is not None or interrupts is not None:
            cpu = msgspec.structs.replace(
                cpu or CpuMetrics(), context_switches_per_second=switches, interrupts_per_second=interrupts
            )
        processes = ProcessCounts(
            running=activity.running, blocked=activity.blocked, forks_per_second=rates.of("forks")
        )
        return Metrics(cpu=cpu, processes=processes if processes != _NO_COUNTS else None)


def parse_stat(text: bytes) -> dict[bytes, Times]:
    """The times of `cpu` (all together) and of `cpu0`, `cpu1` … that are online."""
    times: dict[bytes, Times] = {}
    # The processors come first; the long line of interrupts after them is not even split.
    for line in text.partition(b"\nintr")[0].split(b"\n"):
        words = line.split()
        if not words or not words[0].startswith(b"cpu"):
            continue
        ticks = tuple(map(int, words[1 : _STATES + 1]))
        if len(ticks) < _STATES:
            if len(ticks) <= _IDLE:
                raise ReadingFailed("/proc/stat: a processor without times")
            ticks += (0,) * (_STATES - len(ticks))
        times[words[0]] = ticks
    if b"cpu" not in times:
        raise ReadingFailed("/proc/stat: no line of all processors")
    return times


def parse_activity(text: bytes) -> Activity:
    """The lines after those of the processors."""
    # The first number of the line of interrupts is their sum; the thousands behind it are not split.
    at = text.find(b"\nintr ")
    interrupts = text[at + 6 : at + 32].split(b"\n", 1)[0].split(b" ", 1)[0] if at >= 0 else None
    at = text.find(b"\nctxt ")
    # One pair a line, up to the long one of soft interrupts, which is not split either.
    words = text[at:].split(None, _ACTIVITY_WORDS) if at >= 0 else []
    found = dict(zip(words[::2], words[1::2], strict=False))
    return Activity(*(None if word is None else int(word) for word in (interrupts, *map(found.get, _ACTIVITY_NAMES))))


def cpu_metrics(previous: dict[bytes, Times], current: dict[bytes, Times]) -> CpuMetrics | None:
    """None if there is nothing to compare with."""
    spent = _spent(previous.get(b"cpu"), current[b"cpu"])
    total = sum(spent)
    if total == 0:
        return None
    return CpuMetrics(
        usage_percent=share(total - spent[_IDLE] - spent[_IOWAIT], total),
        user_percent=share(spent[_USER], total),
        system_percent=share(spent[_SYSTEM], total),
        iowait_percent=share(spent[_IOWAIT], total),
        steal_percent=share(spent[_STEAL], total),
        cores_percent=_cores(previous, current),
    )


class _Rates(NamedTuple):
    before: Activity
    now: Activity
    elapsed_seconds: float

    def of(self, name: str) -> int | None:
        before, now = getattr(self.before, name), getattr(self.now, name)
        return None if before is None or now is None else per_second(gained(before, now), self.elapsed_seconds)


def _cores(previous: dict[bytes, Times], current: dict[bytes, Times]) -> list[float] | None:
    """In the order of the kernel. None if one cannot be told: the list is addressed by position."""
    cores: list[float] = []
    for name, times in current.items():
        if name == b"cpu":
            continue
        spent = _spent(previous.get(name), times)
        total = sum(spent)
        busy = share(total - spent[_IDLE] - spent[_IOWAIT], total) if total else None
        if busy is None:
            return None
        cores.append(busy)
    return cores or None


def _spent(previous: Times | None, current: Times) -> Sequence[int]:
    """Ticks between two readings; all zero if there is nothing to compare with, as after a reset."""
    if previous is None:
        return _NOTHING
    spent = list(map(sub, current, previous))
    if min(spent) >= 0:
        return spent
    if min(spent[_IDLE], spent[_IOWAIT]) >= -_LARGEST_STEP_BACK:
        spent[_IDLE], spent[_IOWAIT] = max(0, spent[_IDLE]), max(0, spent[_IOWAIT])
    return spent if min(spent) >= 0 else _NOTHING
