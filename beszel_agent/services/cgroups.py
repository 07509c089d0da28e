"""What services use, from their control groups: cheaper than asking their manager for each.

Of version 2, of version 1, or of both beside each other (hybrid), where version 2 has no controllers: of its files
there is then `cpu.stat` alone, and version 1 has what is left, of services for which systemd keeps account.
"""

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostPaths, read_bytes

_ROOT: Final = "fs/cgroup"
_TRACKING: Final = ("systemd", "unified", "memory", "cpu,cpuacct", "cpuacct")
"""Trees of version 1 and hybrid hosts; systemd keeps every service in the first two, in the others some of them."""
_CPU: Final = ("cpuacct", "cpu,cpuacct")
_MAX_DEPTH: Final = 6
_OF_PODS: Final = "kubepods"
"""Slices by the hundred, and no service in them."""
_CPU_FIELD: Final = b"usage_usec "


class Group(NamedTuple):
    unit: str
    inode: int
    """Another after each start of the service."""
    unified: str | None
    """The directory in the tree of version 2, and those of version 1."""
    cpu: str | None = None
    memory: str | None = None


class GroupUsage(NamedTuple):
    cpu_us: int | None
    """Since the group was made."""
    memory_bytes: int | None
    memory_peak_bytes: int | None


class _Trees(NamedTuple):
    """Where the groups are looked for, and the roots under which each has its place."""

    walked: str
    unified: str | None
    cpu: str | None = None
    memory: str | None = None


def find_groups(paths: HostPaths) -> dict[str, Group]:
    """The groups of services by the name of their unit."""
    trees = _find_trees(paths.sys(_ROOT))
    return {group.unit: group for group in _walk(trees, "", 0)}


def read_usage(group: Group) -> GroupUsage:
    """What of it can be read; a controller that is off has no files."""
    cpu_us = None if group.unified is None else _read_cpu(f"{group.unified}/cpu.stat")
    if cpu_us is None and group.cpu is not None:
        cpu_ns = _read_number(f"{group.cpu}/cpuacct.usage")
        cpu_us = None if cpu_ns is None else cpu_ns // 1000
    if group.memory is not None:
        used, peak = f"{group.memory}/memory.usage_in_bytes", f"{group.memory}/memory.max_usage_in_bytes"
    elif group.unified is not None:
        used, peak = f"{group.unified}/memory.current", f"{group.unified}/memory.peak"
    else:
        return GroupUsage(cpu_us, None, None)
    return GroupUsage(cpu_us, _read_number(used), _read_number(peak))


def _find_trees(root: str) -> _Trees:
    present = {name for name in (*_TRACKING, *_CPU) if os.path.isdir(f"{root}/{name}/system.slice")}  # noqa: PTH112
    walked = next((name for name in _TRACKING if name in present), None)
    # A root of version 2 has slices of its own; that of version 1 has the trees and nothing else.
    if walked is None or os.path.exists(f"{root}/cgroup.controllers"):  # noqa: PTH110
        return _Trees(root, root)
    cpu = next((name for name in _CPU if name in present), None)
    return _Trees(
        f"{root}/{walked}",
        f"{root}/unified" if "unified" in present else None,
        None if cpu is None else f"{root}/{cpu}",
        f"{root}/memory" if "memory" in present else None,
    )


def _walk(trees: _Trees, below: str, depth: int) -> Iterator[Group]:
    try:
        with os.scandir(trees.walked + below) as entries:
            found = [entry for entry in entries if entry.name.endswith((".service", ".slice"))]
    except OSError:
        return  # it ended meanwhile, or there are no control groups
    for entry in found:
        path = f"{below}/{entry.name}"
        if entry.name.endswith(".service"):
            places = (None if root is None else root + path for root in trees[1:])
            yield Group(entry.name, entry.inode(), *places)
        elif depth < _MAX_DEPTH and not entry.name.startswith(_OF_PODS):
            yield from _walk(trees, path, depth + 1)


def _read_cpu(path: str) -> int | None:
    try:
        for line in read_bytes(path).splitlines():
            if line.startswith(_CPU_FIELD):
                return int(line[len(_CPU_FIELD) :])
    except (OSError, ValueError, ReadingFailed):
        pass
    return None


def _read_number(path: str) -> int | None:
    try:
        return int(read_bytes(path))
    except (OSError, ValueError, ReadingFailed):
        return None
