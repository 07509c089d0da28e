"""Shares of processor time, in all and per core, from `/proc/stat`."""

from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.config import Config
from beszel_agent.deltas import share
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, Metrics

_LARGEST_STEP_BACK: Final = 300
"""In ticks of 10 ms. Idle and iowait are estimates of the kernel and may fall a little; a reset falls by more."""


class Times(NamedTuple):
    """Ticks since boot in each state, as proc(5) lists them. `user` and `nice` contain what guests ran."""

    user: int
    nice: int
    system: int
    idle: int
    iowait: int = 0
    irq: int = 0
    softirq: int = 0
    steal: int = 0

    @property
    def total(self) -> int:
        return sum(self)


class CpuCollector:
    name: ClassVar[str] = "cpu"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, stat: HostFile) -> None:
        self._stat = stat
        self._previous: dict[bytes, Times] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
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
    # The lines of the processors come first; the long line of interrupts after them is not split at all.
    lines = text[: text.find(b"\nintr")].split(b"\n") if b"\nintr" in text else text.split(b"\n")
    times: dict[bytes, Times] = {}
    for line in lines:
        words = line.split()
        if words and words[0].startswith(b"cpu"):
            if len(words) < 5:
                raise ReadingFailed("/proc/stat: a processor without times")
            times[words[0]] = Times(*map(int, words[1:9]))
    if b"cpu" not in times:
        raise ReadingFailed("/proc/stat: no line of all processors")
    return times


def cpu_metrics(previous: dict[bytes, Times], current: dict[bytes, Times]) -> CpuMetrics | None:
    """None if there is nothing to compare with."""
    spent = _spent(previous.get(b"cpu"), current[b"cpu"])
    if spent is None or spent.total == 0:
        return None
    total = spent.total
    return CpuMetrics(
        usage_percent=_busy(spent),
        user_percent=share(spent.user, total),
        system_percent=share(spent.system, total),
        iowait_percent=share(spent.iowait, total),
        steal_percent=share(spent.steal, total),
        cores_percent=_cores(previous, current),
    )


def _cores(previous: dict[bytes, Times], current: dict[bytes, Times]) -> list[float] | None:
    """In the order of the kernel. None if one cannot be told: the list is addressed by position."""
    cores: list[float] = []
    for name, times in current.items():
        if name == b"cpu":
            continue
        spent = _spent(previous.get(name), times)
        busy = None if spent is None else _busy(spent)
        if busy is None:
            return None
        cores.append(busy)
    return cores or None


def _busy(spent: Times) -> float | None:
    total = spent.total
    return share(total - spent.idle - spent.iowait, total)


def _spent(previous: Times | None, current: Times) -> Times | None:
    """Ticks between two readings; None after a reset."""
    if previous is None:
        return None
    spent = Times(*[now - before for now, before in zip(current, previous, strict=True)])
    if min(spent) >= 0:
        return spent
    idle, iowait = max(0, spent.idle), max(0, spent.iowait)
    if spent.idle < -_LARGEST_STEP_BACK or spent.iowait < -_LARGEST_STEP_BACK:
        return None
    spent = spent._replace(idle=idle, iowait=iowait)
    return spent if min(spent) >= 0 else None
