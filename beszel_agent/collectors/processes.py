"""The busiest processes by processor time, memory and I/O, and how many there are, from `/proc/<pid>`."""

import os
import time
from typing import ClassVar, Final, Self

from beszel_agent.config import Config
from beszel_agent.errors import ReadingIncomplete, Unavailable, describe
from beszel_agent.host import online_processors
from beszel_agent.pace import Pace
from beszel_agent.paths import HostPaths
from beszel_agent.processes.busiest import busiest, count_processes, describe_process
from beszel_agent.processes.owners import Owners
from beszel_agent.processes.scanner import Scanner
from beszel_protocol.sample import Metrics

_PACE_SECONDS: Final = 5.0
_COUNT: Final = 5
"""Of each kind. What a sample tells in fifteen rows at most, a client shows; the action `processes` tells all."""


class ProcessesCollector:
    """Looks at them less often than every sample, and only samples for which it looked have a part of it."""

    name: ClassVar[str] = "processes"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, scanner: Scanner, owners: Owners) -> None:
        self._scanner, self._owners = scanner, owners
        self._pace = Pace(_PACE_SECONDS)
        self._failure: str | None = None

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if not os.path.exists(paths.proc("self/stat")):  # noqa: PTH110 - as everywhere, a path is a text here
            raise Unavailable("no /proc/<pid>")
        return cls(Scanner(paths, online_processors(paths)), Owners(paths))

    def collect(self, now: float) -> Metrics:
        if not self._pace.is_due(now):
            if self._failure is not None:
                raise ReadingIncomplete(self._failure, Metrics())  # it stands until the next look
            return Metrics()
        started = time.thread_time()
        self._failure = None
        try:
            return self._look(now)
        except (OSError, ReadingIncomplete) as error:
            self._failure = describe(error)
            raise
        finally:
            self._pace.spent(now, time.thread_time() - started)

    def shortfall(self) -> str | None:
        """What the agent would need to tell the rest; None if it has all."""
        if not self._scanner.sees_others:
            return "hidepid= of /proc hides the processes of other users: its gid= lets a group see them"
        if self._scanner.is_denied_io:
            return "what processes of other users read and write needs CAP_SYS_PTRACE"
        return None

    def _look(self, now: float) -> Metrics:
        processes, unreadable = self._scanner.scan(now)
        self._owners.forget(now)
        top = [
            describe_process(process, lambda pid, start: self._owners.owner_of(pid, start, now))
            for process in busiest(processes, _COUNT)
        ]
        part = Metrics(top_processes=top or None, processes=count_processes(processes))
        if unreadable:
            raise ReadingIncomplete(f"the stat of {unreadable} processes makes no sense", part)
        return part
