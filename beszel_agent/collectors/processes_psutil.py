"""The busiest processes as psutil tells them, on systems other than Linux."""

from typing import ClassVar, Final, Self

import msgspec

from beszel_agent.collector import ToldOnce
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed
from beszel_agent.grants import describe_need
from beszel_agent.paths import HostPaths
from beszel_agent.processes.busiest import busiest, describe_process
from beszel_agent.processes.names import CountsNames
from beszel_agent.processes.scanner_psutil import PsutilScanner
from beszel_protocol.sample import Metrics

_COUNT: Final = 5


class PsutilProcessesCollector(ToldOnce, CountsNames):
    name: ClassVar[str] = "processes"
    fields: ClassVar[tuple[str, ...]] = ("top_processes", "processes")
    # Dearer than `/proc` by far: a question or more for each process.
    pace_seconds: ClassVar[float] = 15

    def __init__(self, system: str) -> None:
        super().__init__()
        self._system = system
        self._scanner = PsutilScanner()

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(paths.system)

    def shortfall(self) -> str | None:
        who = "an administrator" if self._system == "windows" else "root"
        return describe_need("what processes of other users take up", [who]) if self._scanner.is_denied else None

    def collect(self, now: float) -> Metrics:
        processes = self._scanner.scan(now).processes
        if not processes:
            raise ReadingFailed("psutil tells of no process")
        top = [
            describe_process(process, lambda pid, _: self._scanner.owner_of(pid))
            for process in busiest(processes, _COUNT)
        ]
        counts = msgspec.structs.replace(self._scanner.count(processes), by_name=self.names.count(processes))
        return Metrics(top_processes=top or None, processes=counts)
