"""Reads what one container has used. Files stay open: reading them again costs half of opening them."""

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from beszel_agent.containers.cgroup_files import (
    find_number,
    parse_blkio,
    parse_cpu_stat,
    parse_io_stat,
    parse_number,
    parse_traffic,
)
from beszel_agent.containers.model import CgroupPlace, Counters
from beszel_agent.containers.model import Container as Subject
from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostFile, HostPaths

_FILES_EACH: Final = 8
"""Open for one container at most."""
_ONE_PIECE_BYTES: Final = 3500
"""The kernel hands out tables a page at a time; one that is clearly shorter is complete after one read."""
_STANDING_SECONDS: Final = 4.5
"""How long what changes seldom may stand: processes, kills, and memory while the container does not run."""

_FAILURES: Final = (OSError, ValueError, IndexError, ReadingFailed)
_NOTHING: Final = (None,) * len(Counters._fields)

Parse = Callable[[bytes], Any]
"""Gives the value of one field of `Counters`, or as many as there are fields to take them; None for nothing."""


class FileBudget:
    """How many containers may keep their files open; those on top open them for every reading."""

    def __init__(self, most_files: int) -> None:
        self._left = most_files // _FILES_EACH

    def take(self) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        self._left += 1


class _Source(NamedTuple):
    """A file, how it is read, and where in `Counters` that goes."""

    file: HostFile
    parse: Parse
    first: int
    last: int
    """One behind the last."""


class _MemorySources(NamedTuple):
    used: HostFile
    stat: HostFile
    cache_field: bytes


class ContainerReader:
    """The open files of one run of a container."""

    def __init__(
        self, paths: HostPaths, subject: Subject, place: CgroupPlace, stacked: Container[bytes], budget: FileBudget
    ) -> None:
        """`stacked` are the numbers of the block devices that lie on others."""
        self._budget = budget
        self._keeps_open = budget.take()
        open_file = partial(paths.file, keep_open=self._keeps_open)
        self._fast = list(_open_sources(open_file, _wanted_often(place, subject, stacked)))
        self._slow = list(_open_sources(open_file, _wanted_seldom(place)))
        self._memory = _open_memory(open_file, place)
        self._traffic = _open_traffic(open_file, paths, subject)
        self._last: Counters | None = None
        self._read_at = 0.0
        self._used: int | None = None

    def read(self, now: float) -> Counters | None:
        """None if nothing is left to read: the container has ended. `now` is monotonic."""
        values: list[int | None] = list(_NOTHING)
        is_there = _fill(self._fast, values)
        last, is_fresh = self._last, now - self._read_at < _STANDING_SECONDS
        if last is not None and is_fresh:
            for index in _STANDING:
                values[index] = last[index] if values[index] is None else values[index]
            # Without a moment of CPU a container has neither taken nor given back memory.
            if last.cpu_ns is None or last.cpu_ns != values[_CPU_NS]:
                is_there |= self._read_memory(values, last)
            else:
                values[_MEMORY] = last.memory_bytes
        else:
            self._read_at = now
            is_there |= _fill(self._slow, values)
            is_there |= self._read_memory(values, None)
        if not is_there:
            # Its cgroup is gone, and what is still open would keep its network alive.
            self.close()
            return None
        self._read_traffic(values)
        self._last = Counters._make(values)
        return self._last

    def close(self) -> None:
        files = [source.file for source in (*self._fast, *self._slow)]
        if self._memory is not None:
            files += self._memory[:2]
        if self._traffic is not None:
            files.append(self._traffic)
        for file in files:
            file.close()
        self._fast, self._slow, self._memory, self._traffic = [], [], None, None
        if self._keeps_open:
            self._keeps_open = False
            self._budget.give_back()

    def _read_memory(self, values: list[int | None], last: Counters | None) -> bool:
        """Without the file cache.

        Its size stands in a long file that costs as much as all others together, so it is taken to be that of `last` as
        long as the sum is the same.
        """
        if self._memory is None:
            return False
        try:
            used = parse_number(self._memory.used.read_record())
            if last is not None and used is not None and used == self._used:
                values[_MEMORY] = last.memory_bytes
                return True
            cache = find_number(self._memory.stat.read_record(), self._memory.cache_field)
        except _FAILURES:
            self._used = None
            return False
        self._used = used
        values[_MEMORY] = None if used is None or cache is None else max(0, used - cache)
        return True

    def _read_traffic(self, values: list[int | None]) -> None:
        if self._traffic is None:
            return
        with suppress(*_FAILURES):
            text = self._traffic.read_record()
            if len(text) > _ONE_PIECE_BYTES:
                text = self._traffic.read()
            values[_NETWORK_RX : _NETWORK_TX + 1] = parse_traffic(text) or (None, None)


def _fill(sources: list[_Source], values: list[int | None]) -> bool:
    """Whether anything could be read. A part that is gone, or not what it should be, costs itself only."""
    is_there = False
    for file, parse, first, last in sources:
        try:
            found = parse(file.read_record())
        except _FAILURES:
            continue
        is_there = True
        if last - first == 1:
            values[first] = found
        elif found is not None:
            values[first:last] = found
    return is_there


def _open_sources(
    open_file: Callable[[str], HostFile], wanted: Iterable[tuple[str, tuple[str, ...], Parse]]
) -> Iterator[_Source]:
    for path, fields, parse in wanted:
        with suppress(OSError):  # a controller that is switched off
            first = Counters._fields.index(fields[0])
            yield _Source(open_file(path), parse, first, first + len(fields))


def _wanted_often(
    place: CgroupPlace, subject: Subject, stacked: Container[bytes]
) -> Iterator[tuple[str, tuple[str, ...], Parse]]:
    """What rates are made of."""
    if place.unified is not None:
        yield f"{place.unified}/cpu.stat", _CPU, parse_cpu_stat
        yield f"{place.unified}/io.stat", _DISK, partial(parse_io_stat, stacked=stacked)
    cpuacct, cpu, blkio = map(place.directory, ("cpuacct", "cpu", "blkio"))
    if cpuacct is not None:
        yield f"{cpuacct}/cpuacct.usage", _CPU[:1], parse_number
    if cpu is not None and subject.facts.cpu_limit_cores is not None:
        yield f"{cpu}/cpu.stat", _CPU[1:], lambda text: parse_cpu_stat(text)[1:]
    if blkio is not None:
        path = f"{blkio}/blkio.throttle.io_service_bytes_recursive"
        yield path, _DISK, partial(parse_blkio, stacked=stacked)


def _wanted_seldom(place: CgroupPlace) -> Iterator[tuple[str, tuple[str, ...], Parse]]:
    unified = place.unified
    if unified is not None:
        yield f"{unified}/memory.events", _OOM, partial(find_number, name=b"oom_kill")
        yield f"{unified}/pids.current", _PIDS, parse_number
    memory, pids = map(place.directory, ("memory", "pids"))
    if memory is not None:
        yield f"{memory}/memory.oom_control", _OOM, partial(find_number, name=b"oom_kill")
    if pids is not None:
        yield f"{pids}/pids.current", _PIDS, parse_number


def _open_memory(open_file: Callable[[str], HostFile], place: CgroupPlace) -> _MemorySources | None:
    choices = [
        (place.unified, "memory.current", b"inactive_file"),
        (place.directory("memory"), "memory.usage_in_bytes", b"total_inactive_file"),
    ]
    for directory, name, cache_field in choices:
        if directory is not None:
            with suppress(OSError):
                return _MemorySources(
                    open_file(f"{directory}/{name}"), open_file(f"{directory}/memory.stat"), cache_field
                )
    return None


def _open_traffic(open_file: Callable[[str], HostFile], paths: HostPaths, subject: Subject) -> HostFile | None:
    if subject.pid is None or not subject.has_network:
        return None
    with suppress(OSError):
        return open_file(paths.proc(f"{subject.pid}/net/dev"))
    return None


_CPU: Final = ("cpu_ns", "periods", "throttled_periods")
_OOM: Final = ("oom_kills",)
_PIDS: Final = ("pids",)
_DISK: Final = ("read_bytes", "write_bytes")
_CPU_NS: Final = Counters._fields.index("cpu_ns")
_MEMORY: Final = Counters._fields.index("memory_bytes")
_NETWORK_RX: Final = Counters._fields.index("network_rx")
_NETWORK_TX: Final = Counters._fields.index("network_tx")
_STANDING: Final = tuple(map(Counters._fields.index, (*_OOM, *_PIDS)))
