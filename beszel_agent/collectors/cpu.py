"""Shares of processor time, in all and per core, from `/proc/stat`."""

from collections.abc import Sequence
from operator import sub
from typing import ClassVar, Final

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.deltas import share
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, Metrics

_LARGEST_STEP_BACK: Final = 300
"""In ticks of 10 ms. Idle and iowait are estimates of the kernel and may fall a little; a reset falls by more."""


Times = tuple[int, ...]
"""Ticks since boot in each state, in the order of proc(5). `user` and `nice` contain what guests ran."""

_USER, _SYSTEM, _IDLE, _IOWAIT, _STEAL = 0, 2, 3, 4, 7
_STATES: Final = 8
_NOTHING: Final = (0,) * _STATES


class CpuCollector:
    name: ClassVar[str] = "cpu"
    fields: ClassVar[tuple[str, ...]] = ("cpu",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, stat: HostFile) -> None:
        self._stat = stat
        self._previous: dict[bytes, Times] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.cpu_psutil import PsutilCpuCollector  # noqa: PLC0415

            return PsutilCpuCollector.probe(paths, config)
        try:
            return cls(paths.proc_file("stat"))
        except OSError as error:
            raise Unavailable(f"no /proc/stat: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        current = parse_stat(self._stat.read())
        previous, self._previous = self._previous, current
        return Metrics(cpu=cpu_metrics(previous, current))


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
