"""Reads what one container has used. Files stay open: reading them again costs half of opening them."""

from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from beszel_agent.containers.cgroup_files import (
    Transferred,
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


class Source(NamedTuple):
    """A file and how it is read; `shape` takes a part of `Counters` from it."""

    file: HostFile
    shape: Callable[[bytes], dict[str, Any]]
    is_short: bool
    """The kernel gives it in one piece."""


class ContainerReader:
    """The open files of one run of a container."""

    def __init__(
        self, paths: HostPaths, subject: Subject, place: CgroupPlace, stacked: Container[bytes], budget: FileBudget
    ) -> None:
        """`stacked` are the numbers of the block devices that lie on others."""
        self._budget = budget
        self._keeps_open = budget.take()
        self._sources = list(_open_sources(paths, subject, place, stacked, keep_open=self._keeps_open))

    def read(self) -> Counters | None:
        """None if nothing is left to read: the container has ended."""
        found: dict[str, Any] = {}
        for file, shape, is_short in self._sources:
            try:
                found.update(shape(file.read_record() if is_short else file.read()))
            except (OSError, ValueError, IndexError, ReadingFailed):
                continue  # this part of it is gone, or is not what it should be; the others tell for themselves
        if not found:
            return None
        cache, used = found.pop("cache_bytes", None), found.get("memory_bytes")
        found["memory_bytes"] = None if used is None or cache is None else max(0, used - cache)
        return Counters(**found)

    def close(self) -> None:
        for source in self._sources:
            source.file.close()
        self._sources = []
        if self._keeps_open:
            self._keeps_open = False
            self._budget.give_back()


def _open_sources(
    paths: HostPaths, subject: Subject, place: CgroupPlace, stacked: Container[bytes], *, keep_open: bool
) -> Iterator[Source]:
    for path, shape, is_short in _wanted(paths, subject, place, stacked):
        with suppress(OSError):  # a controller that is switched off
            yield Source(paths.file(path, keep_open=keep_open), shape, is_short)


def _wanted(
    paths: HostPaths, subject: Subject, place: CgroupPlace, stacked: Container[bytes]
) -> Iterator[tuple[str, Callable[[bytes], dict[str, Any]], bool]]:
    if place.unified is not None:
        for name, shape in _V2_FILES.items():
            yield f"{place.unified}/{name}", shape, True
        yield f"{place.unified}/io.stat", partial(_disk, partial(parse_io_stat, stacked=stacked)), True
    for controller, files in _V1_FILES.items():
        directory = place.directory(controller)
        if directory is not None:
            for name, shape in files.items():
                yield f"{directory}/{name}", shape, True
    cpu, blkio = place.directory("cpu"), place.directory("blkio")
    if cpu is not None and subject.facts.cpu_limit_cores is not None:
        yield f"{cpu}/cpu.stat", _throttling, True
    if blkio is not None:
        shape = partial(_disk, partial(parse_blkio, stacked=stacked))
        yield f"{blkio}/blkio.throttle.io_service_bytes_recursive", shape, True
    if subject.pid is not None and subject.has_network:
        yield paths.proc(f"{subject.pid}/net/dev"), _traffic, False


def _cpu_v2(text: bytes) -> dict[str, Any]:
    return parse_cpu_stat(text)._asdict()


def _throttling(text: bytes) -> dict[str, Any]:
    found = parse_cpu_stat(text)
    return {"periods": found.periods, "throttled_periods": found.throttled_periods}


def _number(name: str) -> Callable[[bytes], dict[str, Any]]:
    return lambda text: {name: parse_number(text)}


def _line(name: str, field: bytes) -> Callable[[bytes], dict[str, Any]]:
    return lambda text: {name: find_number(text, field)}


def _disk(parse: Callable[[bytes], Transferred | None], text: bytes) -> dict[str, Any]:
    found = parse(text)
    return {} if found is None else {"read_bytes": found.into, "write_bytes": found.out}


def _traffic(text: bytes) -> dict[str, Any]:
    found = parse_traffic(text)
    return {} if found is None else {"network_rx": found.into, "network_tx": found.out}


_V2_FILES: Final = {
    "cpu.stat": _cpu_v2,
    "memory.current": _number("memory_bytes"),
    "memory.stat": _line("cache_bytes", b"inactive_file"),
    "memory.events": _line("oom_kills", b"oom_kill"),
    "pids.current": _number("pids"),
}
_V1_FILES: Final = {
    "cpuacct": {"cpuacct.usage": _number("cpu_ns")},
    "memory": {
        "memory.usage_in_bytes": _number("memory_bytes"),
        "memory.stat": _line("cache_bytes", b"total_inactive_file"),
        "memory.oom_control": _line("oom_kills", b"oom_kill"),
    },
    "pids": {"pids.current": _number("pids")},
}
