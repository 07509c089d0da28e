"""The action `processes`: every process of the host, on request."""

import asyncio
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from beszel_agent.errors import RequestRefused
from beszel_agent.host import online_processors
from beszel_agent.paths import HostPaths
from beszel_agent.processes.busiest import count_processes, describe_process
from beszel_agent.processes.owners import Owner, Owners
from beszel_agent.processes.scanner import Process, Scanner
from beszel_protocol.processes import ProcessesQuery, ProcessList
from beszel_protocol.sample import ProcessMetrics

if TYPE_CHECKING:
    from beszel_agent.processes.scanner_psutil import PsutilScanner

_BETWEEN_SCANS_SECONDS: Final = 0.5
_ORDERS: Final[Mapping[str, str]] = {
    "cpu": "cpu_percent",
    "memory": "memory_bytes",
    "io": "io_bytes_per_second",
}


async def list_processes(paths: HostPaths, params: Mapping[str, Any]) -> ProcessList:
    """Raise `RequestRefused`. Takes two looks, half a second apart, for its rates; each in a thread."""
    try:
        wanted = msgspec.convert(params, ProcessesQuery)
    except msgspec.ValidationError as error:
        raise RequestRefused("bad_params", str(error)) from error
    clock = asyncio.get_running_loop().time
    if paths.is_linux:
        scanner = Scanner(paths, online_processors(paths))
        await asyncio.to_thread(scanner.scan, clock())
        await asyncio.sleep(_BETWEEN_SCANS_SECONDS)
        return await asyncio.to_thread(_look, scanner, paths, wanted, clock())
    from beszel_agent.processes.scanner_psutil import PsutilScanner  # noqa: PLC0415 - for the systems that need it

    other = PsutilScanner(with_parents=True)
    await asyncio.to_thread(other.scan, clock())
    await asyncio.sleep(_BETWEEN_SCANS_SECONDS)
    return await asyncio.to_thread(_look_by_psutil, other, wanted, clock())


def _look(scanner: Scanner, paths: HostPaths, wanted: ProcessesQuery, now: float) -> ProcessList:
    processes = scanner.scan(now).processes
    owners = Owners(paths)
    return ProcessList(
        counts=count_processes(processes),
        processes=[
            _describe(process, lambda pid, start: owners.owner_of(pid, start, now))
            for process in _first(processes, wanted)
        ],
    )


def _look_by_psutil(scanner: "PsutilScanner", wanted: ProcessesQuery, now: float) -> ProcessList:
    processes = scanner.scan(now).processes
    first = _first(processes, wanted)
    return ProcessList(
        counts=scanner.count(processes),
        processes=[_describe(process, lambda pid, _: scanner.owner_of(pid)) for process in first],
    )


def _describe(process: Process, owner: Callable[[int, int], Owner]) -> ProcessMetrics:
    return msgspec.structs.replace(describe_process(process, owner), parent=process.stat.parent or None)


def _first(processes: list[Process], wanted: ProcessesQuery) -> list[Process]:
    order = attrgetter(_ORDERS[wanted.by], "memory_bytes")
    first = sorted(processes, key=lambda process: [value or 0 for value in order(process)], reverse=True)
    return first[: wanted.limit]
