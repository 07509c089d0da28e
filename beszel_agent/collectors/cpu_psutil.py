"""Shares of processor time as psutil tells them, on systems other than Linux."""

from typing import Any, ClassVar, Final, Self

import msgspec
import psutil

from beszel_agent.collectors.cpu import Times, cpu_metrics
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import CpuMetrics, Metrics

_TICKS_PER_SECOND: Final = 100
_STATES: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""In the order of `Times`. Windows has the time of interrupts apart too, yet also within that of the system."""


class PsutilCpuCollector:
    name: ClassVar[str] = "cpu"
    fields: ClassVar[tuple[str, ...]] = ("cpu",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self) -> None:
        self._previous: dict[bytes, Times] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls()

    def collect(self, now: float) -> Metrics:
        cores = psutil.cpu_times(percpu=True)
        if not cores:
            raise ReadingFailed("psutil tells of no processor")
        current = add_cores([ticks_of(core) for core in cores])
        previous, self._previous = self._previous, current
        told = cpu_metrics(previous, current)
        return Metrics(cpu=None if told is None else only_known_states(told, cores[0]))


def ticks_of(times: Any) -> Times:
    """The seconds that psutil counts, in ticks; 0 of a state that this system does not know."""
    return tuple(round(getattr(times, state, 0.0) * _TICKS_PER_SECOND) for state in _STATES)


def add_cores(cores: list[Times]) -> dict[bytes, Times]:
    """As `/proc/stat` has them: `cpu`, then each. The sum is made here so that both are of one instant."""
    named = {b"cpu%d" % number: times for number, times in enumerate(cores)}
    return {b"cpu": tuple(map(sum, zip(*cores, strict=True))), **named}


def only_known_states(told: CpuMetrics, times: Any) -> CpuMetrics:
    """Without the states that this system does not tell."""
    return msgspec.structs.replace(
        told,
        iowait_percent=told.iowait_percent if hasattr(times, "iowait") else None,
        steal_percent=told.steal_percent if hasattr(times, "steal") else None,
    )
