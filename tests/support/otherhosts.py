"""Hosts under macOS, Windows and FreeBSD, as far as an interpreter on this host can play one.

psutil is replaced by a module that has what it has there, with the fields that its results have there, and with values
as such hosts tell them. Run as a program, `python -m tests.support.otherhosts windows collectors --json`, this starts
the agent's command line in an interpreter that lacks what Python lacks there.
"""

import asyncio
import builtins
import ctypes
import os
import platform
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple, NoReturn

import websockets.client

LOADED_BEFORE = (shutil, ssl, tempfile, websockets.client)
"""What chooses at its import between modules that are not built on this host."""

SYSTEMS = ("darwin", "freebsd", "windows")
PLATFORMS = {"darwin": "darwin", "freebsd": "freebsd14", "windows": "win32"}
UUID = "4c4c4544-0042-3510-8054-b4c04f4a5131"
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
SYSCTLS = {
    "darwin": {
        "machdep.cpu.brand_string": b"Apple M2\0",
        "kern.bootsessionuuid": b"1F0D6E9B-8B0D-4B57-9C3C-0A6B1C7A5E11\0",
    },
    "freebsd": {
        "hw.model": b"AMD EPYC 7B13\0",
        "kern.hostuuid": UUID.encode() + b"\0",
        "kern.boot_id": bytes(range(16)),
        "kstat.zfs.misc.arcstats.size": (6 * GIB).to_bytes(8, "little"),
    },
    "windows": {},
}  # fmt: skip
REGISTRY = {
    (r"HARDWARE\DESCRIPTION\System\CentralProcessor\0", "ProcessorNameString"): "Intel(R) Core(TM) i7-8700 CPU  ",
    (r"SOFTWARE\Microsoft\Cryptography", "MachineGuid"): UUID.upper(),
    (
        r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters", "BootId",
    ): 171,
}  # fmt: skip


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


def become(system: str) -> OtherPsutil:
    """Take from this interpreter what the other system's has not, and put in its place what that has."""
    psutil = OtherPsutil(system)
    sys.modules["psutil"] = psutil
    sys.platform = PLATFORMS[system]
    ctypes.CDLL = lambda *_, **__: _library(system)  # type: ignore[misc, assignment]
    shutil.which = lambda *_, **__: None
    platform.release = lambda: {"darwin": "24.1.0", "freebsd": "14.1-RELEASE", "windows": "11"}[system]
    platform.version = lambda: "10.0.22631"
    platform.system = lambda: {"darwin": "Darwin", "freebsd": "FreeBSD", "windows": "Windows"}[system]
    platform.machine = lambda: "AMD64" if system == "windows" else "arm64"
    platform.mac_ver = lambda *_, **__: ("15.1", ("", "", ""), "arm64")
    platform.win32_ver = lambda *_, **__: ("2022Server", "10.0.20348", "SP0", "Multiprocessor Free")
    for name in ("resource", "grp"):
        sys.modules[name] = None  # type: ignore[assignment]
    for name in ("CLOCK_BOOTTIME",):
        delattr(time, name)
    _forbid_linux_files()
    if system == "windows":
        _become_windows()
    else:
        os.statvfs = _statvfs  # type: ignore[assignment]
    return psutil


def _become_windows() -> None:
    for name in ("fcntl", "pwd", "termios"):
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in (
        (os, ("geteuid", "getuid", "getloadavg", "getxattr", "O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "pread",
              "statvfs", "sysconf", "uname")),
        (select, ("poll",)),
        (signal, ("SIGHUP", "SIGKILL")),
        (socket, ("SOCK_CLOEXEC",)),
        (time, ("CLOCK_MONOTONIC", "clock_gettime", "clock_gettime_ns")),
    ):  # fmt: skip
        for name in names:
            delattr(module, name)
    asyncio.SelectorEventLoop.add_signal_handler = _no_signals  # type: ignore[method-assign, assignment]
    registry = ModuleType("winreg")
    registry.__dict__.update(
        HKEY_LOCAL_MACHINE=0, KEY_READ=0, KEY_WOW64_64KEY=0, OpenKey=_open_key, QueryValueEx=_query_value
    )
    sys.modules["winreg"] = registry
    lock = ModuleType("msvcrt")
    lock.__dict__.update(LK_NBLCK=2, locking=lambda *_: None)
    sys.modules["msvcrt"] = lock


def _no_signals(*_: object) -> NoReturn:
    raise NotImplementedError


def _forbid_linux_files() -> None:
    """No such host has these; whoever opens one here has not asked for it by `HostPaths`."""
    opened: Callable[..., Any] = builtins.open
    os_open: Callable[..., int] = os.open

    def check(path: object) -> None:
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(("/proc/", "/sys/")):
            raise AssertionError(f"{path} was opened under {sys.platform}")

    def open_(path: Any, *arguments: Any, **options: Any) -> Any:
        check(path)
        return opened(path, *arguments, **options)

    def os_open_(path: Any, *arguments: Any, **options: Any) -> int:
        check(path)
        return os_open(path, *arguments, **options)

    builtins.open = open_  # type: ignore[assignment]
    os.open = os_open_


def _statvfs(path: str) -> Any:
    known = {"/": (1000, 400, 400), "/home": (500, 400, 400), "/srv": (100, 10, 5), "/boot/efi": (64, 60, 60)}
    if path not in known:
        raise OSError(5, "Input/output error", path)
    blocks, free, available = known[path]
    return SimpleNamespace(f_blocks=blocks, f_bfree=free, f_bavail=available, f_frsize=4096, f_files=100, f_ffree=75)


@contextmanager
def _open_key(root: int, key: str, reserved: int, access: int) -> Iterator[str]:
    yield key


def _query_value(key: str, name: str) -> tuple[Any, int]:
    if (key, name) not in REGISTRY:
        raise FileNotFoundError(2, "The system cannot find the file specified")
    return REGISTRY[key, name], 1


def _library(system: str) -> Any:
    """The C library: what of it the agent calls."""

    def sysctlbyname(name: bytes, value: Any, size: Any, new: None, new_size: int) -> int:
        found = SYSCTLS[system].get(name.decode())
        if found is None:
            return -1
        if value is not None:
            ctypes.memmove(value, found, len(found))
        size._obj.value = len(found)
        return 0

    def gethostuuid(uuid: Any, wait: Any) -> int:
        ctypes.memmove(uuid, bytes.fromhex(UUID.replace("-", "")), 16)
        return 0

    library = SimpleNamespace(sysctlbyname=sysctlbyname)
    if system == "darwin":
        library.gethostuuid = gethostuuid
    return library


def run_there(system: str, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The agent's command line, in an interpreter of its own."""
    argv = [sys.executable, "-m", "tests.support.otherhosts", system, *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30, check=False)


if __name__ == "__main__":
    become(sys.argv[1])
    from beszel_agent.cli import run_command_line

    sys.exit(run_command_line(sys.argv[2:]))
