"""One container of a host whose files a test writes: cgroups of either version, and its network."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

from beszel_agent.collectors.containers import ContainersCollector
from beszel_agent.config import Config
from beszel_agent.containers.guests import GuestScan
from beszel_agent.paths import HostPaths
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.sample import ContainerMetrics
from tests.support.recorded_containers import RecordedHost

FULL_ID = "a" * 64
_INTERFACE = "  eth0: {rx} 1 0 0 0 0 0 0 {tx} 1 0 0 0 0 0 0\n"
_CONTROLLERS = ("cpuacct", "cpu", "memory", "blkio", "pids")


class Layout(NamedTuple):
    """Where somebody who runs containers puts them."""

    engine: str
    """As `ContainerFacts` has it."""
    path: str
    """Of the cgroup, below every root."""
    name: str = "web"
    is_asked: bool = True
    """There is an engine that tells of it; otherwise it is known by its cgroup only."""
    inside: str = ""
    """Where its processes are, below that."""


DOCKER = Layout("docker", f"/docker/{FULL_ID}")


class ContainerTree:
    """It has used nothing yet. What is set is what its files say from then on, in files that stay the same."""

    def __init__(self, directory: Path, *, version: int, layout: Layout = DOCKER, keep_open: bool = False) -> None:
        """Of what is kept open a deleted file can still be read, unlike one of a cgroup that is gone."""
        self.version, self.layout = version, layout
        self._proc, self._cgroups = directory / "proc", directory / "sys/fs/cgroup"
        self._clock = 0.0
        self._document: dict[str, Any] = {"Id": FULL_ID, "Name": f"/{layout.name}", "HostConfig": {}}
        self._write(directory / "sys/devices/system/cpu/online", "0-3\n")
        self._write(self._proc / "stat", "btime 1000000000\n")
        self.set_process(1, "/init.scope")
        if version == 2:
            self._write(self._cgroups / "cgroup.controllers", "cpu io memory pids\n")
        else:
            for controller in _CONTROLLERS:
                self._write(self._cgroups / controller / "cgroup.procs", "1\n")
        self.pid = 0
        self.start(500)
        paths = HostPaths(proc=str(self._proc), sys=str(directory / "sys"), root=str(directory), keep_open=keep_open)
        self.host = RecordedHost(paths, Config())
        self.host._guest_scan = GuestScan(paths, self.host._hierarchy, lambda: self._clock)
        self.look()
        self.collector = ContainersCollector(paths, self.host)

    def start(self, pid: int) -> None:
        """For the first time, or again: its cgroup is a new one, and has used nothing."""
        self._clear()
        self.pid = pid
        self._document["State"] = {"Status": "running", "Pid": pid, "StartedAt": f"2026-11-22T12:00:00.{pid}Z"}
        self.set_process(pid, self.layout.path + self.layout.inside)
        processes = "cgroup.procs", "" if self.layout.inside else f"{pid}\n"
        self._tell(processes, processes)
        if self.layout.inside:
            processes = f"{self.layout.inside[1:]}/cgroup.procs", f"{pid}\n"
            self._tell(processes, processes)
        self._tell(("memory.limit_in_bytes", f"{(1 << 63) - 4096}\n"), ("memory.max", "max\n"), "memory")
        self.set(cpu_ms=0, used_bytes=1000, cache_bytes=200, kills=0, pids=1, written=0, rx=0, tx=0)

    def end(self) -> None:
        """Its process, its cgroup, and what the engine knows of it are gone."""
        self._clear()
        self._document = {}

    def limit(self, memory_bytes: int) -> None:
        """While it runs."""
        self._tell(("memory.limit_in_bytes", f"{memory_bytes}\n"), ("memory.max", f"{memory_bytes}\n"), "memory")
        self._document["HostConfig"] = {"Memory": memory_bytes}
        self._clock += 60

    def rename(self, name: str) -> None:
        self._document["Name"] = f"/{name}"

    def set_process(self, pid: int, path: str) -> None:
        """Where it is, with a network that has carried nothing."""
        table = f"0::{path}\n"
        if self.version == 1:
            table = "".join(f"{number}:{name}:{path}\n" for number, name in enumerate(_CONTROLLERS, 1))
        self._write(self._proc / str(pid) / "cgroup", table)
        self._write(self._proc / str(pid) / "stat", f"{pid} (init) S " + "0 " * 18 + f"{pid} 0\n")
        self.set_traffic(pid, 0, 0)

    def set_traffic(self, pid: int, rx: int, tx: int) -> None:
        head = "Inter-|\n face |\n"
        self._write(self._proc / str(pid) / "net/dev", head + _INTERFACE.format(rx=rx, tx=tx))

    def set(self, **values: int) -> None:
        """Names as in `start`; of what stands in one file, all."""
        if "cpu_ms" in values:
            us = values["cpu_ms"] * 1000
            self._tell(("cpuacct.usage", f"{us * 1000}\n"), ("cpu.stat", f"usage_usec {us}\n"), "cpuacct")
        if "used_bytes" in values:
            text = f"{values['used_bytes']}\n"
            self._tell(("memory.usage_in_bytes", text), ("memory.current", text), "memory")
        if "cache_bytes" in values:
            text = f"inactive_file {values['cache_bytes']}\n"
            self._tell(("memory.stat", f"total_{text}"), ("memory.stat", text), "memory")
        if "kills" in values:
            text = f"oom_kill {values['kills']}\n"
            self._tell(("memory.oom_control", text), ("memory.events", text), "memory")
        if "pids" in values:
            text = f"{values['pids']}\n"
            self._tell(("pids.current", text), ("pids.current", text), "pids")
        if "written" in values:
            amount = values["written"]
            old = f"8:0 Read 0\n8:0 Write {amount}\nTotal {amount}\n"
            new = f"8:0 rbytes=0 wbytes={amount}\n"
            self._tell(("blkio.throttle.io_service_bytes_recursive", old), ("io.stat", new), "blkio")
        if "rx" in values:
            self.set_traffic(self.pid, values["rx"], values["tx"])

    def look(self) -> None:
        """Whoever knows of the container looks, and an engine at all of it, as after an event."""
        documents = [self._document] if self._document else []
        for watch in self.host._watches.values():
            watch.containers = {}
        self.host.look({self.layout.engine: documents} if self.layout.is_asked else {})

    def facts(self) -> ContainerFacts:
        (facts,) = self.host.inventory() or []
        return facts

    def read_all(self, now: float) -> list[ContainerMetrics]:
        """`now` in seconds; as far apart as a test likes."""
        return self.collector.collect(now).containers or []

    def read(self, now: float) -> ContainerMetrics:
        (metrics,) = self.read_all(now)
        return metrics

    def _tell(self, old: tuple[str, str], new: tuple[str, str], controller: str = "") -> None:
        """A file of version 1 with what it says, below one controller or all, and that of version 2."""
        if self.version == 2:
            self._write(Path(f"{self._cgroups}{self.layout.path}", new[0]), new[1])
            return
        for name in (controller,) if controller else _CONTROLLERS:
            self._write(Path(f"{self._cgroups}/{name}{self.layout.path}", old[0]), old[1])

    def _clear(self) -> None:
        if self.pid:
            shutil.rmtree(self._proc / str(self.pid))
        for place in (self._cgroups, *(self._cgroups / name for name in _CONTROLLERS)):
            shutil.rmtree(f"{place}{self.layout.path}", ignore_errors=True)

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
