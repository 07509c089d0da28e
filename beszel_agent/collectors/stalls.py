"""What stood still: the share of time in which no task could go on, and the pressure of I/O, from `/proc/pressure`."""

from typing import ClassVar, Self

from beszel_agent.collector import NeverWaits
from beszel_agent.collectors.pressure import open_pressure, parse_pressure
from beszel_agent.config import Config
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, IoMetrics, MemoryMetrics, Metrics


class StallsCollector(NeverWaits):
    name: ClassVar[str] = "stalls"
    fields: ClassVar[tuple[str, ...]] = ("cpu", "memory", "io")
    pace_seconds: ClassVar[float] = 5
    """The kernel's figures are of ten seconds anyway."""

    def __init__(self, cpu: HostFile, memory: HostFile, io: HostFile) -> None:
        self._cpu, self._memory, self._io = cpu, memory, io

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(*open_pressure(paths, "cpu", "memory", "io"))

    def collect(self, now: float) -> Metrics:
        cpu, memory, io = (parse_pressure(file.read()) for file in (self._cpu, self._memory, self._io))
        # Of a whole host the kernel prints for processors a `full` that it never counts, and so stays 0 for ever.
        cpu_full = cpu.full if cpu.full_total else None
        return Metrics(
            cpu=None if cpu_full is None else CpuMetrics(pressure_full_percent=cpu_full),
            memory=MemoryMetrics(pressure_full_percent=memory.full),
            io=IoMetrics(pressure_percent=io.some, pressure_full_percent=io.full),
        )
