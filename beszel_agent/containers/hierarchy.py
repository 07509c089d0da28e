"""Where the cgroups of this host are mounted, and which of them is a container's."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from beszel_agent.containers.cgroup_files import parse_cgroup_table
from beszel_agent.containers.model import CgroupPlace, Container
from beszel_agent.paths import HostPaths, read_text_or_none

_V1_CONTROLLERS: Final = ("cpuacct", "cpu", "memory", "blkio", "pids")
_JOINED: Final = {"cpu": "cpu,cpuacct", "cpuacct": "cpu,cpuacct"}
_MOST_DEPTH: Final = 7
"""How deep below the root a container's cgroup is looked for: a pod under systemd lies at 4, a rootless one at 7."""
_MOST_LOOKS: Final = 20_000


class Hierarchy:
    """The mounted cgroups: version 2, version 1, or both beside each other."""

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._unified: str | None = None
        self._controllers: dict[str, str] = {}
        if paths.is_linux:
            self._unified = _unified_root(paths.sys("fs/cgroup"))
            self._controllers = dict(_v1_roots(paths.sys("fs/cgroup")))

    @property
    def can_be_read(self) -> bool:
        return self._unified is not None or "memory" in self._controllers or "cpuacct" in self._controllers

    @property
    def roots(self) -> list[str]:
        """Where to look for cgroups by name: one tree is enough, as they look alike."""
        found = [self._unified, *(self._controllers.get(name) for name in ("memory", "pids", "cpuacct"))]
        return [root for root in found if root is not None][:1]

    def locate(self, pid: int, full_id: str) -> CgroupPlace | None:
        """The cgroup of the container `full_id`, whose first process is `pid`; None if it cannot be seen from here.

        The id must be part of its path: a process of that number need not be that container's, as where the agent is in
        a container itself, and one that shares the cgroup of its caller has no numbers of its own.
        """
        table = parse_cgroup_table(read_text_or_none(self._paths.proc(f"{pid}/cgroup")) or "")
        mine = {name: _up_to(path, full_id) for name, path in table.items() if full_id in path and "/../" not in path}
        place = self.place_of(mine)
        return place if place is not None else self._search(full_id)

    def place_of(self, by_controller: Mapping[str, str]) -> CgroupPlace | None:
        """The directories of these paths, as far as they are there; the path of version 2 has the empty name."""
        unified = None
        if self._unified is not None and "" in by_controller:
            unified = _directory(self._unified + by_controller[""])
        controllers = tuple(
            (name, directory)
            for name, root in self._controllers.items()
            if name in by_controller and (directory := _directory(root + by_controller[name])) is not None
        )
        return CgroupPlace(unified, controllers) if unified is not None or controllers else None

    def same_everywhere(self, path: str) -> CgroupPlace | None:
        """The cgroup of that path below every root."""
        return self.place_of(dict.fromkeys(("", *self._controllers), path))

    def is_alive(self, container: Container) -> bool:
        """Whether its first process is still there, as far as processes can be seen from here."""
        if container.pid is None or read_text_or_none(self._paths.proc("1/cgroup")) is None:
            return True
        table = read_text_or_none(self._paths.proc(f"{container.pid}/cgroup"))
        return table is not None and container.full_id in table

    def own_path(self) -> str:
        """That of the agent itself, below one of `roots`."""
        table = parse_cgroup_table(read_text_or_none(self._paths.proc("self/cgroup")) or "")
        names = ("",) if self._unified is not None else ("memory", "pids", "cpuacct")
        return next((table[name] for name in names if name in table), "/")

    def _search(self, full_id: str) -> CgroupPlace | None:
        for root in self.roots:
            found = _find_named(root, full_id)
            if found is not None:
                return self.same_everywhere(found.removeprefix(root))
        return None


def list_directories(path: str) -> list[os.DirEntry[str]]:
    """The cgroups directly below one; none if it is gone."""
    try:
        with os.scandir(path) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _unified_root(base: str) -> str | None:
    """Version 2 counts only if it has controllers: beside version 1 it often has none but those for itself."""
    for root in (base, f"{base}/unified"):
        controllers = (read_text_or_none(f"{root}/cgroup.controllers") or "").split()
        if "memory" in controllers or "io" in controllers or "pids" in controllers:
            return root
    return None


def _v1_roots(base: str) -> Iterator[tuple[str, str]]:
    for name in _V1_CONTROLLERS:
        for directory in (name, _JOINED.get(name, name)):
            if Path(base, directory, "cgroup.procs").exists():
                yield name, f"{base}/{directory}"
                break


def _up_to(path: str, full_id: str) -> str:
    """The part of a path that ends with the id.

    The processes themselves may lie deeper, as where systemd runs within; this is what has the whole account.
    """
    end = path.find("/", path.index(full_id))
    return path if end < 0 else path[:end]


def _directory(path: str) -> str | None:
    return path if Path(path).is_dir() else None


def _find_named(root: str, full_id: str) -> str | None:
    """The first directory, level by level, whose name has the id in it."""
    level, looks = [root], 0
    for _ in range(_MOST_DEPTH):
        below: list[str] = []
        for path in level:
            looks += 1
            if looks > _MOST_LOOKS:
                return None
            for entry in list_directories(path):
                if full_id in entry.name and "conmon" not in entry.name:
                    return entry.path
                below.append(entry.path)
        level = below
    return None
