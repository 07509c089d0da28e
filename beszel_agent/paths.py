"""Where the host's own files are. Every read of `/proc`, `/sys` and `/etc` goes through here.

Tests put a recorded tree there instead, and a bug report becomes such a tree. On a system without such trees whoever
asks for one is told so: a collector that knows no other source is thereby unavailable there, for that reason.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.system import LINUX, NAMES, host_system

T = TypeVar("T")

_CHUNK_BYTES: Final = 64 << 10
_RECORD_BYTES: Final = 8 << 10
_MAX_BYTES: Final = 8 << 20
"""Far above any of the kernel's tables; a read past it is a sign of a wrong path."""
_FULL_BYTES: Final = 3 << 10
"""The kernel hands out a table by the page, as many whole lines as go in. A read that leaves a kilobyte of the page has
come to the end of a table whose lines are shorter than that."""


class HostPaths:
    """The roots. With `keep_open=False` every read opens the file anew, as recorded trees change under the reader."""

    def __init__(
        self,
        *,
        proc: str = "/proc",
        sys: str = "/sys",
        etc: str = "/etc",
        root: str = "/",
        keep_open: bool = True,
        system: str | None = None,
    ) -> None:
        """`system` as `host_system` has it; that of this host if it is None."""
        self._proc, self._sys, self._etc, self._root = proc, sys, etc, root
        self._keep_open = keep_open
        self._shared: dict[str, Any] = {}
        self.system = system or host_system()
        self.is_linux = self.system == LINUX

    @property
    def system_name(self) -> str:
        """For people."""
        return NAMES.get(self.system, self.system)

    def with_sys(self, sys: str | None) -> "HostPaths":
        """The same host with its `/sys` elsewhere, as where a container has it mounted."""
        if sys is None:
            return self
        return HostPaths(
            proc=self._proc, sys=sys, etc=self._etc, root=self._root, keep_open=self._keep_open, system=self.system
        )

    def proc(self, name: str) -> str:
        """Raise `Unavailable` on a system without Linux's `/proc`."""
        self._need_linux("/proc")
        return f"{self._proc}/{name}"

    def sys(self, name: str) -> str:
        """Raise `Unavailable` on a system without Linux's `/sys`."""
        self._need_linux("/sys")
        return f"{self._sys}/{name}"

    def etc(self, name: str) -> str:
        return f"{self._etc}/{name}"

    def shared(self, name: str, make: Callable[[], T]) -> T:
        """What several readers of this host use together, made by the first of them."""
        if name not in self._shared:
            self._shared[name] = make()
        return cast("T", self._shared[name])

    def root(self, path: str) -> str:
        """An absolute path of the host, such as a mount point."""
        return path if self._root == "/" else self._root + path

    def proc_file(self, name: str, *, long_lines: bool = False) -> "HostFile":
        """A file that is read again and again. Raise FileNotFoundError if it is not there.

        `long_lines`: some may have a kilobyte and more.
        """
        return HostFile(self.proc(name), keep_open=self._keep_open, long_lines=long_lines)

    def file(self, path: str, *, keep_open: bool = True) -> "HostFile":
        """One of these by its whole path; `keep_open=False` where there are too many of them."""
        return HostFile(path, keep_open=keep_open and self._keep_open, long_lines=True)

    def _need_linux(self, tree: str) -> None:
        if not self.is_linux:
            raise Unavailable(f"it needs Linux's {tree}, and this is {self.system_name}")


class HostFile:
    """A file of the kernel, kept open: reading it at offset 0 makes the kernel write it anew, for half the price.

    No program that the agent starts inherits it; Python opens every file so.
    """

    __slots__ = ("_descriptor", "_full_bytes", "_path")

    def __init__(self, path: str, *, keep_open: bool, long_lines: bool) -> None:
        self._path = path
        self._full_bytes = 1 if long_lines else _FULL_BYTES
        self._descriptor: int | None = None
        self._descriptor = os.open(path, os.O_RDONLY)
        if not keep_open:
            self.close()

    def read(self) -> bytes:
        """Raise OSError."""
        if self._descriptor is not None:
            return _read_all(self._descriptor, self._path, self._full_bytes)
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            return _read_all(descriptor, self._path, self._full_bytes)
        finally:
            os.close(descriptor)

    def read_record(self) -> bytes:
        """What one short read gives: the whole of a file that the kernel writes as one record, as those of cgroups are.

        Raise OSError.
        """
        if self._descriptor is not None:
            data = os.pread(self._descriptor, _RECORD_BYTES, 0)
            if len(data) < _RECORD_BYTES:
                return data
        return self.read()

    def fileno(self) -> int | None:
        return self._descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.close()


def read_bytes(path: str) -> bytes:
    """Raise OSError, or `ReadingFailed` if the file does not end."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return _read_all(descriptor, path)
    finally:
        os.close(descriptor)


def read_text(path: str) -> str:
    """A file as text without surrounding space. Raise OSError, or `ReadingFailed` if it does not end."""
    return read_bytes(path).decode("utf-8", "replace").strip()


def read_text_or_none(path: str) -> str | None:
    """None if there is no such file, it may not be read, or it is empty."""
    try:
        return read_text(path) or None
    except (OSError, ReadingFailed):
        return None


def read_number_or_none(path: str) -> int | None:
    """The first word of a file, if it is a whole number."""
    words = (read_text_or_none(path) or "").split(None, 1)
    try:
        return int(words[0]) if words else None
    except ValueError:
        return None


def list_names(path: str) -> list[str]:
    """What a directory holds, sorted; nothing if there is no such directory or it may not be read."""
    try:
        return sorted(entry.name for entry in Path(path).iterdir())
    except OSError:
        return []


def _read_all(descriptor: int, path: str, full_bytes: int = 1) -> bytes:
    """The kernel hands out long tables a page at a time; a read of less than `full_bytes` is the end."""
    data = chunk = os.pread(descriptor, _CHUNK_BYTES, 0)
    while len(chunk) >= full_bytes:
        if len(data) > _MAX_BYTES:
            raise ReadingFailed(f"{path} does not end")
        chunk = os.pread(descriptor, _CHUNK_BYTES, len(data))
        data += chunk
    return data
