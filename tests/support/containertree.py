"""One container of a host whose files a test writes: cgroups of either version, and its network."""

from pathlib import Path

from beszel_agent.collectors.containers import ContainersCollector
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import ContainerMetrics
from tests.support.recorded_containers import RecordedHost

FULL_ID = "a" * 64
_PID = 500
_INTERFACE = "  eth0: {rx} 1 0 0 0 0 0 0 {tx} 1 0 0 0 0 0 0\n"


class ContainerTree:
    """It has used nothing yet. What is set is what its files say from then on, in files that stay the same."""

    def __init__(self, directory: Path, *, version: int) -> None:
        self.version = version
        self._proc, self._cgroups = directory / "proc", directory / "sys/fs/cgroup"
        self._write(directory / "sys/devices/system/cpu/online", "0-3\n")
        path = f"/docker/{FULL_ID}"
        for pid in (1, _PID):
            table = "0::{}\n" if version == 2 else "1:cpuacct:{0}\n2:memory:{0}\n3:blkio:{0}\n4:pids:{0}\n"
            self._write(self._proc / str(pid) / "cgroup", table.format("/" if pid == 1 else path))
        if version == 2:
            self._write(self._cgroups / "cgroup.controllers", "cpu io memory pids\n")
        else:
            for controller in ("cpuacct", "memory", "blkio", "pids"):
                self._write(self._cgroups / controller / "cgroup.procs", "1\n")
        self.set(cpu_ms=0, used_bytes=1000, cache_bytes=200, kills=0, pids=1, written=0, rx=0, tx=0)
        paths = HostPaths(proc=str(self._proc), sys=str(directory / "sys"))
        self.host = RecordedHost(paths, Config())
        self.host.look({"docker": [_document("web")]})
        self.collector = ContainersCollector(paths, self.host)

    def set(self, **values: int) -> None:
        """Names as in the constructor; of what stands in one file, all."""
        if "cpu_ms" in values:
            spent_us = values["cpu_ms"] * 1000
            self._tell("cpuacct", "cpuacct.usage", f"{spent_us * 1000}\n", "cpu.stat", f"usage_usec {spent_us}\n")
        if "used_bytes" in values:
            text = f"{values['used_bytes']}\n"
            self._tell("memory", "memory.usage_in_bytes", text, "memory.current", text)
        if "cache_bytes" in values:
            cache = values["cache_bytes"]
            self._tell(
                "memory", "memory.stat", f"total_inactive_file {cache}\n", "memory.stat", f"inactive_file {cache}\n"
            )
        if "kills" in values:
            text = f"oom_kill {values['kills']}\n"
            self._tell("memory", "memory.oom_control", text, "memory.events", text)
        if "pids" in values:
            text = f"{values['pids']}\n"
            self._tell("pids", "pids.current", text, "pids.current", text)
        if "written" in values:
            written = values["written"]
            old = f"8:0 Read 0\n8:0 Write {written}\nTotal {written}\n"
            self._tell("blkio", "blkio.throttle.io_service_bytes_recursive", old, "io.stat", f"8:0 wbytes={written}\n")
        if "rx" in values:
            head = "Inter-|\n face |\n"
            self._write(self._proc / str(_PID) / "net/dev", head + _INTERFACE.format(rx=values["rx"], tx=values["tx"]))

    def rename(self, name: str) -> None:
        self.host.look({"docker": [_document(name)]})

    def read(self, now: float) -> ContainerMetrics:
        """`now` in seconds; as far apart as a test likes."""
        (metrics,) = self.collector.collect(now).containers or []
        return metrics

    def _tell(self, controller: str, name: str, text: str, unified_name: str, unified_text: str) -> None:
        if self.version == 2:
            self._write(self._cgroups / "docker" / FULL_ID / unified_name, unified_text)
        else:
            self._write(self._cgroups / controller / "docker" / FULL_ID / name, text)

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _document(name: str) -> dict[str, object]:
    return {
        "Id": FULL_ID,
        "Name": f"/{name}",
        "State": {"Status": "running", "Pid": _PID, "StartedAt": "2026-11-22T12:00:00Z"},
    }
