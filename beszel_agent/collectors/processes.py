"""The busiest processes by processor time, memory and I/O, and how many there are, from `/proc/<pid>`."""

import os
from typing import ClassVar, Final

import msgspec

from beszel_agent.collector import Collector, NeverWaits
from beszel_agent.config import Config
from beszel_agent.errors import ReadingIncomplete, Unavailable
from beszel_agent.grants import PTRACE, describe_need
from beszel_agent.host import online_processors
from beszel_agent.paths import HostPaths
from beszel_agent.processes.busiest import busiest, count_processes, describe_process
from beszel_agent.processes.names import CountsNames
from beszel_agent.processes.owners import Owners
from beszel_agent.processes.scanner import Scanner
from beszel_protocol.sample import Metrics

_COUNT: Final = 5
"""Of each kind. What a sample tells in fifteen rows at most, a client shows; the action `processes` tells all."""


class ProcessesCollector(NeverWaits, CountsNames):
    name: ClassVar[str] = "processes"
    fields: ClassVar[tuple[str, ...]] = ("top_processes", "processes")
    pace_seconds: ClassVar[float] = 5

    def __init__(self, scanner: Scanner, owners: Owners) -> None:
        super().__init__()
        self._scanner, self._owners = scanner, owners

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.processes_psutil import PsutilProcessesCollector  # noqa: PLC0415

            return PsutilProcessesCollector.probe(paths, config)
        if not os.path.exists(paths.proc("self/stat")):  # noqa: PTH110 - as everywhere, a path is a text here
            raise Unavailable("no /proc/<pid>")
        return cls(Scanner(paths, online_processors(paths)), Owners(paths))

    def collect(self, now: float) -> Metrics:
        processes, unreadable = self._scanner.scan(now)
        self._owners.forget(now)
        top = [
            describe_process(process, lambda pid, start: self._owners.owner_of(pid, start, now))
            for process in busiest(processes, _COUNT)
        ]
        counts = msgspec.structs.replace(count_processes(processes), by_name=self.names.count(processes))
        part = Metrics(top_processes=top or None, processes=counts)
        if unreadable:
            raise ReadingIncomplete(f"the stat of {unreadable} processes makes no sense", part)
        return part

    def shortfall(self) -> str | None:
        """What the agent would need to tell the rest; None if it has all."""
        if not self._scanner.sees_others:
            return "hidepid= of /proc hides the processes of other users: its gid= lets a group see them"
        if self._scanner.is_denied_io:
            return describe_need("what processes of other users read and write", [PTRACE])
        return None
