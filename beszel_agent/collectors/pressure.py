"""Pressure stall information, from `/proc/pressure`; the format is that of the kernel's `accounting/psi`."""

from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import CpuMetrics, MemoryMetrics, Metrics

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
    fields: ClassVar[tuple[str, ...]] = ("cpu", "memory")
    pace_seconds: ClassVar[float] = 0

    def __init__(self, cpu: HostFile, memory: HostFile) -> None:
        self._cpu, self._memory = cpu, memory

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(*open_pressure(paths, "cpu", "memory"))

    def collect(self, now: float) -> Metrics:
        return Metrics(
            cpu=CpuMetrics(pressure_percent=_some(self._cpu.read())),
            memory=MemoryMetrics(pressure_percent=_some(self._memory.read())),
        )


def open_pressure(paths: HostPaths, *subjects: str) -> list[HostFile]:
    """Raise `Unavailable`."""
    try:
        files = [paths.proc_file(f"pressure/{subject}") for subject in subjects]
        files[0].read()
    except FileNotFoundError as error:
        raise Unavailable("the kernel keeps no pressure stall information") from error
    except OSError as error:
        # Compiled in but switched off: the files are there and reading them says EOPNOTSUPP.
        raise Unavailable(f"pressure stall information is off ({error.strerror}); psi=1 turns it on") from error
    return files


def parse_pressure(text: bytes) -> Pressure:
    some, full = _some(text), _share_after(text, b"full avg10=")
    return Pressure(some, full, None if full is None else int(text[text.rfind(b"=") + 1 :]))


def _some(text: bytes) -> float:
    some = _share_after(text, b"some avg10=")
    if some is None:
        raise ReadingFailed("no `some avg10` in the pressure file")
    return some


def _share_after(text: bytes, label: bytes) -> float | None:
    at = text.find(label)
    if at < 0:
        return None
    return float(text[at + len(label) : at + len(label) + _LONGEST_SHARE].split(b" ", 1)[0])
