"""psutil as it is under macOS, Windows and FreeBSD: what it has there, with the fields and values of there."""

import os
import time
from collections.abc import Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

GIB = 1 << 30


class Partition(NamedTuple):
    device: str
    mountpoint: str
    fstype: str
    opts: str


class Battery(NamedTuple):
    percent: float
    secsleft: int
    power_plugged: bool | None


class Temperature(NamedTuple):
    label: str
    current: float | None
    high: float | None
    critical: float | None


class Traffic(NamedTuple):
    bytes_sent: int
    bytes_recv: int
    packets_sent: int
    packets_recv: int
    errin: int
    errout: int
    dropin: int
    dropout: int


class Link(NamedTuple):
    isup: bool
    duplex: int
    speed: int
    mtu: int
    flags: str


CPU_FIELDS = {
    "darwin": ("user", "nice", "system", "idle"),
    "freebsd": ("user", "nice", "system", "idle", "irq"),
    "windows": ("user", "system", "idle", "interrupt", "dpc"),
}
"""Seconds that each core spends in these within one reading of them, in `_CPU_SECONDS`."""
_CPU_SECONDS = {
    "darwin": (0.30, 0.0, 0.10, 0.60),
    "freebsd": (0.20, 0.05, 0.10, 0.60, 0.05),
    "windows": (0.30, 0.20, 0.50, 0.02, 0.03),
}
MEMORY: dict[str, dict[str, int | float]] = {
    "darwin": {
        "total": 16 * GIB, "available": 6 * GIB, "percent": 62.5, "used": 8 * GIB, "free": 1 * GIB, "active": 5 * GIB,
        "inactive": 5 * GIB, "wired": 3 * GIB,
    },
    "freebsd": {
        "total": 32 * GIB, "available": 12 * GIB, "percent": 62.5, "used": 20 * GIB, "free": 8 * GIB,
        "active": 2 * GIB, "inactive": 4 * GIB, "buffers": GIB // 2, "cached": 0, "shared": GIB, "wired": 18 * GIB,
    },
    "windows": {"total": 8 * GIB, "available": 2 * GIB, "percent": 75.0, "used": 6 * GIB, "free": 2 * GIB},
}  # fmt: skip
DISK_FIELDS = {
    "darwin": ("read_count", "write_count", "read_bytes", "write_bytes", "read_time", "write_time"),
    "freebsd": ("read_count", "write_count", "read_bytes", "write_bytes", "read_time", "write_time", "busy_time"),
    "windows": ("read_count", "write_count", "read_bytes", "write_bytes", "read_time", "write_time"),
}
DISKS = {
    "darwin": ("disk0",),
    "freebsd": ("ada0", "ada1", "cd0", "pass0"),
    "windows": ("PhysicalDrive0", "PhysicalDrive1"),
}
PARTITIONS = {
    "darwin": (
        Partition("/dev/disk3s1s1", "/", "apfs", "ro,sealed,local,rootfs,dovolfs,journaled,multilabel"),
        Partition(
            "/dev/disk3s6", "/System/Volumes/VM", "apfs", "rw,noexec,local,dovolfs,journaled,multilabel,nobrowse"
        ),
        Partition("/dev/disk3s5", "/System/Volumes/Data", "apfs", "rw,local,dovolfs,journaled,multilabel,nobrowse"),
        Partition("/dev/disk5s1", "/Volumes/Backup", "apfs", "rw,nosuid,local,dovolfs,ignore-ownership,journaled"),
    ),
    "freebsd": (
        Partition("zroot/ROOT/default", "/", "zfs", "rw,noatime,nfs4acls,local"),
        Partition("devfs", "/dev", "devfs", "rw,multilabel,local"),
        Partition("/dev/ada0p1", "/boot/efi", "msdosfs", "rw,local"),
        Partition("zroot/home", "/home", "zfs", "rw,noatime,nfs4acls,local"),
        Partition("/dev/ada1p1", "/srv", "ufs", "ro,local,soft-updates"),
        Partition("tmpfs", "/tmp", "tmpfs", "rw,local"),
        Partition("nas:/media", "/media", "nfs", "rw"),
    ),
    "windows": (
        Partition("C:\\", "C:\\", "NTFS", "rw,fixed"),
        Partition("D:\\", "D:\\", "", "cdrom"),
        Partition("E:\\", "E:\\", "NTFS", "rw,fixed"),
        Partition("F:\\", "F:\\", "exFAT", "ro,removable"),
        Partition("N:\\", "N:\\", "NTFS", "rw,remote"),
    ),
}
LINKS = {
    "darwin": {
        "lo0": Link(True, 0, 0, 16384, "up,loopback,running,multicast"),
        "gif0": Link(False, 0, 0, 1280, "pointopoint,multicast"),
        "ap1": Link(True, 0, 0, 1500, "up,broadcast,running"),
        "en0": Link(True, 2, 1000, 1500, "up,broadcast,running,simplex,multicast"),
        "awdl0": Link(True, 0, 0, 1500, "up,broadcast,running"),
        "bridge0": Link(True, 0, 0, 1500, "up,broadcast,running"),
        "utun3": Link(True, 0, 0, 1380, "up,pointopoint,running,multicast"),
    },
    "freebsd": {
        "em0": Link(True, 2, 1000, 1500, "up,broadcast,running,simplex,multicast"),
        "em1": Link(False, 0, 0, 1500, "broadcast,simplex,multicast"),
        "em0.100": Link(True, 2, 1000, 1500, "up,broadcast,running,simplex,multicast"),
        "lo0": Link(True, 0, 0, 16384, "up,loopback,running,multicast"),
        "epair0a": Link(True, 2, 10000, 1500, "up,broadcast,running"),
        "bridge0": Link(True, 0, 0, 1500, "up,broadcast,running"),
        "wg0": Link(True, 0, 0, 1420, "up,running,multicast"),
    },
    "windows": {
        "Ethernet": Link(True, 2, 2500, 1500, ""),
        "Wi-Fi": Link(False, 2, 0, 1500, ""),
        "Local Area Connection* 1": Link(False, 2, 0, 1500, ""),
        "vEthernet (WSL)": Link(True, 2, 10000, 1500, ""),
        "Loopback Pseudo-Interface 1": Link(True, 2, 1073, 1500, ""),
    },
}


class OtherError(Exception):
    """psutil's own, which is none of Python's."""


class Service(NamedTuple):
    """Of Windows."""

    shown: str
    state: str
    start: str = "automatic"

    def name(self) -> str:
        return self.shown

    def status(self) -> str:
        if self.state == "gone":
            raise OtherError("service not found")
        return self.state

    def start_type(self) -> str:
        return self.start


SERVICES = (
    Service("Spooler", "running"), Service("W32Time", "running", "manual"), Service("sppsvc", "stopped"),
    Service("Fax", "stopped", "manual"), Service("BITS", "start_pending"), Service("Old", "gone"),
)  # fmt: skip


class OtherPsutil(ModuleType):
    """psutil there. Every reading of the processors moves all counters on by a step."""

    def __init__(self, system: str) -> None:
        super().__init__("psutil")
        self.system = system
        self.step = 1
        self.partitions: tuple[Partition, ...] = PARTITIONS[system]
        self.disks: tuple[str, ...] = DISKS[system]
        self.battery: Battery | None = Battery(80, -2, True)
        self.swap_fails = False
        self.Error = OtherError
        if system == "windows":
            self.win_service_iter = lambda: iter(SERVICES)
        if system == "freebsd":
            self.sensors_temperatures = lambda: {
                "coretemp": [Temperature(f"Core {core}", 40.0 + core, 100.0, 100.0) for core in range(2)]
            }

    def cpu_times(self, percpu: bool = False) -> list[Any]:
        assert percpu
        self.step += 1
        seconds = {field: self.step * each for field, each in _spent(self.system)}
        return [SimpleNamespace(**seconds) for _ in range(2)]

    def cpu_count(self, logical: bool = True) -> int | None:
        return 2 if logical else None

    def virtual_memory(self) -> Any:
        return SimpleNamespace(**MEMORY[self.system])

    def swap_memory(self) -> Any:
        if self.swap_fails:
            raise RuntimeError("PdhAddEnglishCounterW failed. Performance counters may be disabled.")
        return SimpleNamespace(total=4 * GIB, used=GIB, free=3 * GIB, percent=25.0, sin=0, sout=0)

    def disk_partitions(self, all: bool = False) -> list[Partition]:  # noqa: A002 - as psutil calls it
        return [partition for partition in self.partitions if all or "remote" not in partition.opts]

    def disk_usage(self, path: str) -> Any:
        if path == "F:\\":
            raise PermissionError(13, "The device is not ready", path)
        return SimpleNamespace(total=100 * GIB, used=40 * GIB, free=60 * GIB, percent=40.0)

    def disk_io_counters(self, perdisk: bool = False, nowrap: bool = True) -> dict[str, Any]:
        assert perdisk
        assert not nowrap
        values = (100, 200, 1 << 20, 2 << 20, 50, 400, 30)
        counted = {field: self.step * value for field, value in zip(DISK_FIELDS[self.system], values, strict=False)}
        return {disk: SimpleNamespace(**counted) for disk in self.disks}

    def net_io_counters(self, pernic: bool = False, nowrap: bool = True) -> dict[str, Traffic]:
        assert pernic
        assert not nowrap
        step = self.step
        return {name: Traffic(1000 * step, 2000 * step, 10 * step, 20 * step, 1, 2, 3, 4) for name in self.links}

    def net_if_stats(self) -> dict[str, Link]:
        return dict(self.links)

    def sensors_battery(self) -> Battery | None:
        return self.battery

    def users(self) -> list[Any]:
        return [SimpleNamespace(name=name, terminal=None, host=None, started=0.0, pid=None) for name in ("ada", "ada")]

    STATUS_ZOMBIE = "zombie"

    @property
    def Process(self) -> type:  # noqa: N802 - as psutil calls it
        return type("Process", (), {} if self.system == "darwin" else {"io_counters": None})

    def process_iter(self, attrs: list[str], ad_value: None) -> list[Any]:
        assert ("io_counters" in attrs) is (self.system != "darwin")
        self.step += 1
        return [SimpleNamespace(pid=pid, info=self._process(pid, attrs)) for pid in (1, 4242)]

    def _process(self, pid: int, attrs: list[str]) -> dict[str, Any]:
        times = SimpleNamespace(user=0.01 * self.step * pid, system=0.0)
        info = {
            "cpu_times": times, "create_time": 1.7e9, "memory_info": SimpleNamespace(rss=pid << 20), "name": f"p{pid}",
            "num_threads": 3, "status": "running", "username": "ada",
            "io_counters": SimpleNamespace(read_bytes=1000 * self.step, write_bytes=0),
        }  # fmt: skip
        if pid == 1:
            info |= dict.fromkeys(("cpu_times", "memory_info", "num_threads", "io_counters"))
        return {name: info[name] for name in attrs}

    def pid_exists(self, pid: int) -> bool:
        return pid == os.getpid()

    def boot_time(self) -> float:
        return time.time() - 86400

    @property
    def links(self) -> Mapping[str, Link]:
        return LINKS[self.system]


def _spent(system: str) -> Iterator[tuple[str, float]]:
    return zip(CPU_FIELDS[system], _CPU_SECONDS[system], strict=True)
