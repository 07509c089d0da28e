"""All processes of the host at one instant as psutil tells them, on systems other than Linux."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import psutil

from beszel_agent.deltas import gained, per_second, share
from beszel_agent.processes.busiest import count_processes
from beszel_agent.processes.owners import Owner, Place
from beszel_agent.processes.scanner import Process, Scan
from beszel_agent.processes.stat import Stat
from beszel_protocol.sample import ProcessCounts

_TICKS_PER_SECOND: Final = 100
_ATTRIBUTES: Final = ("cpu_times", "create_time", "memory_info", "name", "num_threads", "status", "username")
_PARENT: Final = "ppid"
_IO: Final = "io_counters"
"""macOS does not tell it."""


class Spent(NamedTuple):
    """What one process had used at one instant; None of what the agent may not know."""

    start: int
    ticks: int | None
    read_bytes: int | None
    written_bytes: int | None


class PsutilScanner:
    """Keeps what rates need from one scan to the next."""

    def __init__(self, *, with_parents: bool = False) -> None:
        """Parents cost on Windows, which tells them of all processes at once and each time anew."""
        self._attributes = [*_ATTRIBUTES, _IO] if hasattr(psutil.Process, _IO) else [*_ATTRIBUTES]
        if with_parents:
            self._attributes.append(_PARENT)
        self._processors = psutil.cpu_count() or 1
        self._previous: dict[int, Spent] = {}
        self._previous_now = 0.0
        self._users: dict[int, str | None] = {}
        self.is_denied = False
        """Whether there are processes of which the agent may not know what they take up."""

    def scan(self, now: float) -> Scan:
        previous, elapsed = self._previous, now - self._previous_now
        self._previous, self._previous_now = {}, now
        self._users, self.is_denied = {}, False
        return Scan(list(self._look(previous, elapsed)), 0)

    def owner_of(self, pid: int) -> Owner:
        """As of the last scan."""
        return Owner(self._users.get(pid), Place())

    def count(self, processes: Iterable[Process]) -> ProcessCounts:
        """Of the last scan. Threads of the kernel cannot be told apart, and of others' processes not every one."""
        counts = count_processes(processes)
        return ProcessCounts(
            total=counts.total, zombies=counts.zombies, threads=None if self.is_denied else counts.threads
        )

    def _look(self, previous: dict[int, Spent], elapsed_seconds: float) -> Iterator[Process]:
        for found in psutil.process_iter(self._attributes, ad_value=None):
            info: dict[str, Any] = found.info
            spent = spent_by(info)
            before = previous.get(found.pid)
            if before is not None and before.start != spent.start:  # another process got the number
                before = None
            self._previous[found.pid], self._users[found.pid] = spent, info["username"]
            self.is_denied |= spent.ticks is None
            cpu_percent = _cpu_percent(before, spent, elapsed_seconds * self._processors)
            yield describe(found.pid, info, before, spent, elapsed_seconds)._replace(cpu_percent=cpu_percent)


def spent_by(info: dict[str, Any]) -> Spent:
    """`info` as psutil has it, with None for what the agent may not know."""
    times, io = info["cpu_times"], info.get(_IO)
    return Spent(
        start=round((info["create_time"] or 0) * _TICKS_PER_SECOND),
        ticks=None if times is None else round((times.user + times.system) * _TICKS_PER_SECOND),
        read_bytes=None if io is None else io.read_bytes,
        written_bytes=None if io is None else io.write_bytes,
    )


def describe(pid: int, info: dict[str, Any], before: Spent | None, spent: Spent, elapsed_seconds: float) -> Process:
    memory = info["memory_info"]
    read = written = None
    if before is not None:
        read = per_second(_gain(before.read_bytes, spent.read_bytes), elapsed_seconds)
        written = per_second(_gain(before.written_bytes, spent.written_bytes), elapsed_seconds)
    stat = Stat(
        raw_name=(info["name"] or "").encode(),
        state=b"Z" if info["status"] == psutil.STATUS_ZOMBIE else b"S",
        flags=0,
        ticks=spent.ticks or 0,
        threads=info["num_threads"] or 0,
        start=spent.start,
        pages=0,
        parent=info.get(_PARENT) or 0,
    )
    return Process(pid, stat, None, 0 if memory is None else memory.rss, read, written)


def _cpu_percent(before: Spent | None, spent: Spent, processor_seconds: float) -> float | None:
    used = None if before is None else _gain(before.ticks, spent.ticks)
    return None if used is None else share(used, processor_seconds * _TICKS_PER_SECOND)


def _gain(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else gained(before, now)
