"""Pressure stall information, from `/proc/pressure`; the format is that of the kernel's `accounting/psi`."""

from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, IoMetrics, MemoryMetrics, Metrics

_LONGEST_SHARE: Final = len("100.00 ")


class Pressure(NamedTuple):
    """`avg10` of each line: percent of the last ten seconds."""

    some: float
    """In which some task waited."""
    full: float | None
    """In which all did. None where the kernel does not tell it: of processors, before Linux 5.13."""
    full_total: int | None
    """Microseconds since boot."""


class PressureCollector:
    name: ClassVar[str] = "pressure"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, cpu: HostFile, memory: HostFile, io: HostFile) -> None:
        self._cpu, self._memory, self._io = cpu, memory, io

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            cpu, memory, io = (paths.proc_file(f"pressure/{name}") for name in ("cpu", "memory", "io"))
            cpu.read()
        except FileNotFoundError as error:
            raise Unavailable("the kernel keeps no pressure stall information") from error
        except OSError as error:
            # Compiled in but switched off: the files are there and reading them says EOPNOTSUPP.
            raise Unavailable(f"pressure stall information is off ({error.strerror}); psi=1 turns it on") from error
        return cls(cpu, memory, io)

    def collect(self, now: float) -> Metrics:
        cpu, memory, io = (parse_pressure(file.read()) for file in (self._cpu, self._memory, self._io))
        # Of a whole host the kernel prints for processors a `full` that it never counts, and so stays 0 for ever.
        cpu_full = cpu.full if cpu.full_total else None
        return Metrics(
            cpu=CpuMetrics(pressure_percent=cpu.some, pressure_full_percent=cpu_full),
            memory=MemoryMetrics(pressure_percent=memory.some, pressure_full_percent=memory.full),
            io=IoMetrics(pressure_percent=io.some, pressure_full_percent=io.full),
        )


def parse_pressure(text: bytes) -> Pressure:
    some, full = _word_after(text, b"some avg10="), _word_after(text, b"full avg10=")
    if some is None:
        raise ReadingFailed("no `some avg10` in the pressure file")
    if full is None:
        return Pressure(float(some), None, None)
    return Pressure(float(some), float(full), int(text[text.rfind(b"=") + 1 :]))


def _word_after(text: bytes, label: bytes) -> bytes | None:
    at = text.find(label)
    return None if at < 0 else text[at + len(label) : at + len(label) + _LONGEST_SHARE].split(b" ", 1)[0]
