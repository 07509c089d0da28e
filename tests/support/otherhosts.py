"""Hosts under macOS, Windows and FreeBSD, as far as an interpreter on this host can play one.

psutil is replaced by a module that has what it has there. Run as a program,
`python -m tests.support.otherhosts windows collectors --json`, this starts the agent's command line in an interpreter
that lacks what Python lacks there.
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
from typing import Any, NoReturn

import websockets.client

from tests.support.otherpsutil import GIB, OtherPsutil

LOADED_BEFORE = (shutil, ssl, tempfile, websockets.client)
"""What chooses at its import between modules that are not built on this host."""

SYSTEMS = ("darwin", "freebsd", "windows")
PLATFORMS = {"darwin": "darwin", "freebsd": "freebsd14", "windows": "win32"}
UUID = "4c4c4544-0042-3510-8054-b4c04f4a5131"
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
