"""Pressure stall information, from `/proc/pressure`; the format is that of the kernel's `accounting/psi`."""

from typing import ClassVar, Self

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, MemoryMetrics, Metrics


class PressureCollector:
    name: ClassVar[str] = "pressure"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, cpu: HostFile, memory: HostFile) -> None:
        self._cpu, self._memory = cpu, memory

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            cpu, memory = paths.proc_file("pressure/cpu"), paths.proc_file("pressure/memory")
            cpu.read()
        except FileNotFoundError as error:
            raise Unavailable("the kernel keeps no pressure stall information") from error
        except OSError as error:
            # Compiled in but switched off: the files are there and reading them says EOPNOTSUPP.
            raise Unavailable(f"pressure stall information is off ({error.strerror}); psi=1 turns it on") from error
        return cls(cpu, memory)

    def collect(self, now: float) -> Metrics:
        return Metrics(
            cpu=CpuMetrics(pressure_percent=parse_pressure(self._cpu.read())),
            memory=MemoryMetrics(pressure_percent=parse_pressure(self._memory.read())),
        )


def parse_pressure(text: bytes) -> float:
    """`avg10` of the line `some`: percent of the last ten seconds in which some task waited."""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == [b"some"]:
            for word in words:
                if word.startswith(b"avg10="):
                    return float(word[6:])
    raise ReadingFailed("no `some avg10` in the pressure file")
