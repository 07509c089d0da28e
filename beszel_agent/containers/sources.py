"""The files that tell what a container has used, and where in its counters each of them goes."""

import os
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

_RECORD_BYTES: Final = 512
"""Nearly every file of a cgroup is shorter. Up to here Python has room at hand; for more it asks the system."""
_LONG_RECORD_BYTES: Final = 8 << 10
_ONE_PIECE_BYTES: Final = 3500
"""The kernel hands out tables a page at a time; one that is clearly shorter is complete after one read."""
_CPU: Final = ("cpu_ns", "periods", "throttled_periods")
_OOM: Final = ("oom_kills",)
_PIDS: Final = ("pids",)
_DISK: Final = ("read_bytes", "write_bytes")
CPU_NS: Final = Counters._fields.index("cpu_ns")
MEMORY: Final = Counters._fields.index("memory_bytes")
OOM_KILLS: Final = Counters._fields.index("oom_kills")
PIDS: Final = Counters._fields.index("pids")
_NETWORK_RX: Final = Counters._fields.index("network_rx")
_NETWORK_TX: Final = Counters._fields.index("network_tx")

FAILURES: Final = (OSError, ValueError, IndexError, ReadingFailed)
"""What taking a file, or taking it apart, may raise: it costs itself only."""

Parse = Callable[[bytes], Any]
"""Gives the value of one field of `Counters`, or as many as there are fields to take them; None for nothing."""
Wanted = tuple[str, tuple[str, ...], Parse]
"""A file by its path, and the fields that it tells."""


class Source:
    """A file, how it is read, and where in `Counters` that goes. What says the same again is not taken apart again."""

    __slots__ = ("_descriptor", "_file", "_found", "_parse", "_size_bytes", "first", "last", "text")

    def __init__(self, file: HostFile, parse: Parse, first: int, last: int) -> None:
        """`last` is one behind the last."""
        self._file, self._descriptor, self._size_bytes = file, file.fileno(), _RECORD_BYTES
        self._parse, self.first, self.last = parse, first, last
        self.text: bytes | None = None
        """As it was when it was read last."""
        self._found: Any = None

    def take(self) -> bytes:
        """What the file says now. Raise OSError or `ReadingFailed`."""
        if self._descriptor is None:
            return self._file.read_record()
        text = os.pread(self._descriptor, self._size_bytes, 0)
        if len(text) < self._size_bytes:
            return text
        self._size_bytes = _LONG_RECORD_BYTES
        return self._file.read_record()

    def read(self) -> Any:
        """Raise one of `FAILURES`."""
        text = self.take()
        if text != self.text:
            self.text = None
            self._found = self._parse(text)
            self.text = text
        return self._found

    def close(self) -> None:
        self._descriptor = None
        self._file.close()


class Table(Source):
    """A file that the kernel may hand out in pieces."""

    __slots__ = ()

    def take(self) -> bytes:
        text = super().take()
        return self._file.read() if len(text) > _ONE_PIECE_BYTES else text


class MemorySources(NamedTuple):
    """How much there is, and the long file that tells how much of it is file cache."""

    used: Source
    stat: HostFile
    cache_field: bytes


def open_sources(open_file: Callable[[str], HostFile], wanted: Iterable[Wanted]) -> Iterator[Source]:
    for path, fields, parse in wanted:
        with suppress(OSError):  # a controller that is switched off
            first = Counters._fields.index(fields[0])
            yield Source(open_file(path), parse, first, first + len(fields))


def wanted_often(place: CgroupPlace, subject: Subject, stacked: Container[bytes]) -> Iterator[Wanted]:
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


def wanted_kills(place: CgroupPlace) -> Iterator[Wanted]:
    memory = place.directory("memory")
    if place.unified is not None:
        yield f"{place.unified}/memory.events", _OOM, partial(find_number, name=b"oom_kill")
    if memory is not None:
        yield f"{memory}/memory.oom_control", _OOM, partial(find_number, name=b"oom_kill")


def wanted_pids(place: CgroupPlace) -> Iterator[Wanted]:
    for directory in (place.unified, place.directory("pids")):
        if directory is not None:
            yield f"{directory}/pids.current", _PIDS, parse_number


def open_memory(open_file: Callable[[str], HostFile], place: CgroupPlace) -> MemorySources | None:
    choices = [
        (place.unified, "memory.current", b"inactive_file"),
        (place.directory("memory"), "memory.usage_in_bytes", b"total_inactive_file"),
    ]
    for directory, name, cache_field in choices:
        if directory is not None:
            with suppress(OSError):
                used = Source(open_file(f"{directory}/{name}"), parse_number, MEMORY, MEMORY + 1)
                return MemorySources(used, open_file(f"{directory}/memory.stat"), cache_field)
    return None


def open_traffic(open_file: Callable[[str], HostFile], paths: HostPaths, subject: Subject) -> Source | None:
    if subject.pid is None or not subject.has_network:
        return None
    with suppress(OSError):
        file = open_file(paths.proc(f"{subject.pid}/net/dev"))
        return Table(file, parse_traffic, _NETWORK_RX, _NETWORK_TX + 1)
    return None
