"""Containers without an engine that one could ask: pods of containerd and CRI-O, LXC and systemd-nspawn.

They are known by the paths of their cgroups. What a path does not say of a pod's container stands in the bundle that
its runtime keeps, or in the name of its log, which the kubelet chooses.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from beszel_agent.containers.cgroup_files import parse_cpu_max, parse_cpu_quota, parse_memory_limit
from beszel_agent.containers.hierarchy import Hierarchy, list_directories
from beszel_agent.containers.model import SHORT_ID, CgroupPlace, Container
from beszel_agent.containers.pods import PodNames
from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostPaths, list_names, read_number_or_none, read_text, read_text_or_none
from beszel_protocol.containers import MAX_CONTAINERS, ContainerFacts
from beszel_protocol.hygiene import clean_text
from beszel_protocol.timestamps import format_timestamp

_HEX_ID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RUNTIME_SCOPE: Final = re.compile(r"(?P<runtime>cri-containerd|nerdctl|crio)-(?P<id>[0-9a-f]{64})\.scope", re.ASCII)
_ESCAPED: Final = re.compile(r"\\x([0-9a-f]{2})")
_LXC_PAYLOAD: Final = "lxc.payload."
_NSPAWN: Final = re.compile(r"systemd-nspawn@(?P<name>.+)\.service")
_MACHINE: Final = re.compile(r"machine-(?P<name>.+)\.scope")
_FOREIGN_MACHINES: Final = ("qemu", "lxc", "vbox", "xen")
"""What libvirt puts beside them, with a number: `machine-qemu-1-web.scope`."""
_POD_DEPTH: Final = 4
_TICKS_PER_SECOND: Final = 100
_LIMITS_SECONDS: Final = 15.0
"""How often the limits of a guest that is known are looked at: no engine tells when they change."""


class Guest(NamedTuple):
    """One found by its path."""

    engine: str
    name: str
    """Of the container; of those of pods and containerd their id, until something tells more."""
    path: str


def find_guests(hierarchy: Hierarchy) -> list[Guest]:
    """All that are there now, but none in which the agent itself is: that is its host."""
    own = hierarchy.own_path().rstrip("/") + "/"
    found: list[Guest] = []
    for root in hierarchy.roots:
        for guest in _below(root):
            relative = guest.path.removeprefix(root)
            if not own.startswith(relative + "/"):
                found.append(guest._replace(path=relative))
    return found[:MAX_CONTAINERS]


def recognise_machine(name: str) -> tuple[str, str] | None:
    """Engine and name of a guest by its cgroup in `machine.slice`; None of a virtual machine and of Podman's."""
    service = _NSPAWN.fullmatch(name)
    if service is not None:
        return "nspawn", unescape(service["name"])
    scope = _MACHINE.fullmatch(name)
    if scope is None:
        return None
    machine = unescape(scope["name"])
    kind, dash, rest = machine.partition("-")
    if dash and kind in _FOREIGN_MACHINES and rest[:1].isdigit():
        return ("lxc", rest.partition("-")[2] or rest) if kind == "lxc" else None
    return "nspawn", machine


def unescape(name: str) -> str:
    r"""What systemd wrote with `\x2d` and the like."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)


class GuestScan:
    """Makes containers of what is found; of what was found before only that it is still the same is looked at."""

    def __init__(self, paths: HostPaths, hierarchy: Hierarchy, clock: Callable[[], float] = time.monotonic) -> None:
        self._paths, self._hierarchy, self._clock = paths, hierarchy, clock
        self._limits_at = clock()
        self._pods = PodNames(paths)
        self._known: dict[str, Container] = {}
        self._sandboxes: set[str] = set()

    def scan(self) -> dict[str, Container]:
        before, self._known = self._known, {}
        guests = find_guests(self._hierarchy)
        self._sandboxes &= {guest.path for guest in guests}
        looks_at_limits = self._clock() - self._limits_at >= _LIMITS_SECONDS
        if looks_at_limits:
            self._limits_at = self._clock()
        for guest in guests:
            container = before.get(guest.path)
            if container is None or not self._is_alive(guest, container):
                container = self._describe(guest) if guest.path not in self._sandboxes else None
            elif looks_at_limits:
                container = _with_limits(container)
            if container is not None:
                self._known[guest.path] = container
        return {item.full_id: item for item in self._known.values()}

    def _is_alive(self, guest: Guest, container: Container) -> bool:
        """After a restart the number may be somebody else's."""
        table = read_text_or_none(self._paths.proc(f"{container.pid}/cgroup"))
        return table is not None and guest.path in table

    def _describe(self, guest: Guest) -> Container | None:
        """None if it is not one that people mean: a pod's pause container, or one that has just ended."""
        place = self._hierarchy.same_everywhere(guest.path)
        pid = None if place is None else _first_process(place)
        if place is None or pid is None:
            return None
        facts = self._facts(guest, place, pid)
        if facts is None:
            self._sandboxes.add(guest.path)
            return None
        full_id = guest.name if _HEX_ID.fullmatch(guest.name) else facts.id
        return Container(facts, full_id, pid, place, has_network=not self._shares_network(pid))

    def _facts(self, guest: Guest, place: CgroupPlace, pid: int) -> ContainerFacts | None:
        memory, cores = _limits(place)
        bare = ContainerFacts(
            id=make_id(guest),
            name=clean_text(guest.name),
            engine=guest.engine,
            state="running",
            status="Up",
            started_at=_started_at(self._paths, pid),
            memory_limit_bytes=memory,
            cpu_limit_cores=cores,
            statistics="cgroup",
        )
        if not _HEX_ID.fullmatch(guest.name):
            return bare
        named = self._pods.find(guest.name)
        if named is None:
            return msgspec.structs.replace(bare, name=bare.id)
        if named.is_sandbox:
            return None
        return msgspec.structs.replace(
            bare,
            name=f"{named.pod}/{named.container}" if named.pod else named.container or bare.id,
            pod=named.pod,
            namespace=named.namespace,
            image=named.image,
            restarts=named.restarts,
        )

    def _shares_network(self, pid: int) -> bool:
        """Each network namespace has its own inode here, which may be asked for without rights over the process."""
        inodes = []
        for path in (self._paths.proc("self/net/dev"), self._paths.proc(f"{pid}/net/dev")):
            try:
                inodes.append(Path(path).stat().st_ino)
            except OSError:
                return False
        return inodes[0] == inodes[1]


def _below(root: str) -> Iterator[Guest]:
    for entry in list_directories(root):
        name = entry.name
        if name.startswith(_LXC_PAYLOAD):
            yield Guest("lxc", name.removeprefix(_LXC_PAYLOAD), entry.path)
        elif name == "lxc":
            # `lxc/<name>`, as Proxmox and older LXC have it.
            yield from (Guest("lxc", item.name, item.path) for item in list_directories(entry.path))
        elif name == "machine.slice":
            for item in list_directories(entry.path):
                machine = recognise_machine(item.name)
                if machine is not None:
                    yield Guest(*machine, item.path)
        elif name.startswith("kubepods"):
            yield from _pods_below(entry.path, _POD_DEPTH)
        elif name == "system.slice":
            yield from _scopes(entry.path)


def _scopes(path: str) -> Iterator[Guest]:
    """Those that `nerdctl` and `crictl` started without a pod's slice."""
    for item in list_directories(path):
        scope = _RUNTIME_SCOPE.fullmatch(item.name)
        if scope is not None:
            yield Guest("cri-o" if scope["runtime"] == "crio" else "containerd", scope["id"], item.path)


def _pods_below(path: str, depth: int) -> Iterator[Guest]:
    """`…/cri-containerd-<id>.scope` under the systemd driver, `…/pod<uid>/<id>` under that of cgroupfs."""
    for entry in list_directories(path):
        scope = _RUNTIME_SCOPE.fullmatch(entry.name)
        if scope is not None:
            yield Guest("cri-o" if scope["runtime"] == "crio" else "containerd", scope["id"], entry.path)
        elif _HEX_ID.fullmatch(entry.name):
            yield Guest("containerd", entry.name, entry.path)
        elif entry.name.startswith("crio-") and _HEX_ID.fullmatch(entry.name[5:]):
            yield Guest("cri-o", entry.name[5:], entry.path)
        elif depth > 1 and not entry.name.startswith(("docker-", "crio-conmon-")):
            yield from _pods_below(entry.path, depth - 1)


def make_id(guest: Guest) -> str:
    if _HEX_ID.fullmatch(guest.name):
        return guest.name[:SHORT_ID]
    return hashlib.sha256(f"{guest.engine}\0{guest.name}".encode(errors="surrogateescape")).hexdigest()[:SHORT_ID]


def _first_process(place: CgroupPlace) -> int | None:
    """Of the whole tree below it, in which only the leaves may hold processes."""
    start = place.unified or place.controllers[0][1]
    waiting = [start]
    for _ in range(64):
        if not waiting:
            return None
        path = waiting.pop(0)
        pid = read_number_or_none(f"{path}/cgroup.procs")
        if pid:
            return pid
        waiting += [entry.path for entry in list_directories(path)]
    return None


def _limits(place: CgroupPlace) -> tuple[int | None, float | None]:
    """Bytes of memory and number of processors; None without a limit."""
    try:
        if place.unified is not None:
            memory = (read_text_or_none(f"{place.unified}/memory.max") or "max").encode()
            processors = (read_text_or_none(f"{place.unified}/cpu.max") or "").encode()
            return parse_memory_limit(memory), parse_cpu_max(processors)
        memory_directory, cpu_directory = place.directory("memory"), place.directory("cpu")
        memory = (read_text_or_none(f"{memory_directory}/memory.limit_in_bytes") or "max").encode()
        quota = (read_text_or_none(f"{cpu_directory}/cpu.cfs_quota_us") or "-1").encode()
        period = (read_text_or_none(f"{cpu_directory}/cpu.cfs_period_us") or "0").encode()
        return parse_memory_limit(memory), parse_cpu_quota(quota, period)
    except ValueError:
        return None, None


def _with_limits(container: Container) -> Container:
    """The same object as long as they are."""
    memory, cores = (None, None) if container.place is None else _limits(container.place)
    facts = container.facts
    if (memory, cores) == (facts.memory_limit_bytes, facts.cpu_limit_cores):
        return container
    return container._replace(facts=msgspec.structs.replace(facts, memory_limit_bytes=memory, cpu_limit_cores=cores))


def _started_at(paths: HostPaths, pid: int) -> str | None:
    """Field 22 of `/proc/<pid>/stat`, in ticks after the `btime` of `/proc/stat`; a name before it may hold spaces."""
    try:
        ticks = int(read_text(paths.proc(f"{pid}/stat")).rpartition(")")[2].split()[19])
        lines = read_text(paths.proc("stat")).splitlines()
        booted = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration, ReadingFailed):
        return None
    return format_timestamp(booted * 1000 + ticks * 1000 // _TICKS_PER_SECOND)


def has_places(paths: HostPaths) -> bool:
    """Whether this host has a cgroup below which guests may come."""
    if not paths.is_linux:
        return False
    for base in ("fs/cgroup", "fs/cgroup/memory"):
        for name in list_names(paths.sys(base)):
            if name.startswith((_LXC_PAYLOAD, "kubepods")) or name in {"lxc", "machine.slice"}:
                return True
    return False
