"""All processes of the host at one instant, with what each used since the instant before.

Most of them do nothing from one scan to the next. Of one with a single thread the kernel's scheduler tells that in
`/proc/<pid>/schedstat`, which kept open is read for a tenth of what its `stat` costs.
"""

import os
from typing import Final, NamedTuple

try:
    import resource
except ModuleNotFoundError:  # Windows, which only loads this file
    resource = None  # type: ignore[assignment]

from beszel_agent.deltas import gained, per_second, share
from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostFile, HostPaths
from beszel_agent.processes.stat import Io, Stat, parse_io, parse_stat

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
"""Windows has neither, and no `/proc` to read; it only loads this file."""
_STAT_BYTES: Final = 2048
_IO_BYTES: Final = 512
_FLAGS: Final = os.O_RDONLY
_IDLE_LOOKS: Final = 4
"""Of so many scans one looks at a kernel thread that does nothing. On small hosts these are most of what there is."""
_RESTING_LOOKS: Final = 16
"""Of so many scans one looks at a process that never runs, as its memory may be taken from it."""
_MAX_CLOCKS: Final = 1024
_CLOCKS_SHARE: Final = 3 / 8
"""Of the files that this process may have open; those of containers may take half."""
_NO_CLOCK: Final = b"0 0 0\n"
"""What a kernel writes that does not keep these numbers."""


class Process(NamedTuple):
    pid: int
    stat: Stat
    cpu_percent: float | None
    """Of the whole host."""
    memory_bytes: int
    read_bytes_per_second: int | None
    write_bytes_per_second: int | None

    @property
    def io_bytes_per_second(self) -> int:
        return (self.read_bytes_per_second or 0) + (self.write_bytes_per_second or 0)


class Scan(NamedTuple):
    processes: list[Process]
    unreadable: int
    """Processes whose `stat` could be read and made no sense."""


class _Tracked:
    """One process from scan to scan."""

    __slots__ = ("clock", "clock_text", "io", "io_at", "is_at_rest", "looked_at", "may_read_io", "process", "text")

    def __init__(self, process: Process) -> None:
        self.process = process
        self.text = b""
        """The `stat` that says what `process` says."""
        self.is_at_rest = False
        """`process` says so already."""
        self.looked_at = 0.0
        self.clock: HostFile | None = None
        self.clock_text = b""
        """What it said before `text` was read."""
        self.io: Io | None = None
        self.io_at = 0.0
        self.may_read_io = True


class Scanner:
    """Keeps what rates need from one scan to the next."""

    def __init__(self, paths: HostPaths, processors: int) -> None:
        """`processors` is how many share the host."""
        self._paths, self._proc = paths, paths.proc("")
        self._ticks_per_second = _TICKS_PER_SECOND * processors
        self._tracked: dict[str, _Tracked] = {}
        self._scans = 0
        self._most_clocks = self._clocks = _most_clocks()

    def scan(self, now: float) -> Scan:
        """Raise OSError if there is no `/proc` at all."""
        tracked: dict[str, _Tracked] = {}
        unreadable = 0
        for entry in os.listdir(self._proc):  # noqa: PTH208 - half the price of pathlib's
            if not entry[0].isdigit():
                continue
            known = self._tracked.get(entry)
            if known is not None and self._may_pass_by(known):
                tracked[entry] = known
                continue
            try:
                tracked[entry] = self._look_at(entry, now)
            except (FileNotFoundError, ProcessLookupError):
                pass  # it ended after it was listed
            except (OSError, ValueError, ReadingFailed):
                unreadable += 1
        self._tracked = tracked
        self._scans += 1
        self._clocks = self._most_clocks - sum(one.clock is not None for one in tracked.values())
        return Scan([one.process for one in tracked.values()], unreadable)

    @property
    def sees_others(self) -> bool:
        """Whether the first of all processes, which is root's, is among those that were found."""
        return not self._tracked or "1" in self._tracked

    @property
    def is_denied_io(self) -> bool:
        return any(not one.may_read_io for one in self._tracked.values())

    def _may_pass_by(self, one: _Tracked) -> bool:
        process = one.process
        if not one.is_at_rest or one.clock is not None or not process.stat.is_kernel_thread:
            return False
        return (process.pid + self._scans) % _IDLE_LOOKS != 0

    def _look_at(self, entry: str, now: float) -> _Tracked:
        one = self._tracked.get(entry)
        if one is not None and self._stands_still(one):
            return _rest(one, now)
        text = _read(f"{self._proc}{entry}/stat", _STAT_BYTES)
        if one is not None and text == one.text and not one.process.stat.waits_for_disk:
            # Nothing changed, which is the case of most: it used nothing.
            if one.clock is None and not one.is_at_rest:
                self._open_clock(one)
            return _rest(one, now)
        stat = parse_stat(text)
        used: int | None = None
        if one is None or one.process.stat.start != stat.start:  # else another process got the number
            one = _Tracked(Process(int(entry), stat, None, 0, None, None))
        else:
            used = gained(one.process.stat.ticks, stat.ticks)
        cpu_percent = None if used is None else share(used, (now - one.looked_at) * self._ticks_per_second)
        # Asking what it read and wrote costs as much as all else, so one that used no tick of processor time is not
        # asked: the little that it may have moved counts when it next uses one.
        if used != 0 or stat.waits_for_disk:
            read, written = self._disk_rates(one, now)
        else:
            read = written = None if one.io is None else 0
        one.text, one.is_at_rest, one.looked_at = text, False, now
        if stat.threads != 1:
            one.clock = None  # it knows of the first one only
        one.process = Process(one.process.pid, stat, cpu_percent, stat.pages * _PAGE_BYTES, read, written)
        return one

    def _stands_still(self, one: _Tracked) -> bool:
        """By its clock, which is read before its `stat`: what it does between the two shows the next time."""
        if one.clock is None:
            return False
        before, one.clock_text = one.clock_text, one.clock.read_record()
        if one.clock_text != before or one.process.stat.waits_for_disk:
            return False
        return (one.process.pid + self._scans) % _RESTING_LOOKS != 0

    def _open_clock(self, one: _Tracked) -> None:
        """If the kernel has one that tells of the whole process."""
        if one.process.stat.threads != 1 or self._clocks <= 0:
            return
        try:
            clock = self._paths.file(f"{self._proc}{one.process.pid}/schedstat")
            if clock.read_record() != _NO_CLOCK:
                one.clock = clock
                self._clocks -= 1
        except OSError:
            self._clocks = 0  # there is none, or no file can be opened any more: not in this scan

    def _disk_rates(self, one: _Tracked, now: float) -> tuple[int | None, int | None]:
        """Bytes a second, read and written, since this process was asked last."""
        if not one.may_read_io:
            return None, None
        before, elapsed = one.io, now - one.io_at
        try:
            one.io, one.io_at = parse_io(_read(f"{self._proc}{one.process.pid}/io", _IO_BYTES)), now
        except PermissionError:
            one.may_read_io = False  # of another user; that does not change
            return None, None
        except (OSError, ValueError, ReadingFailed):
            return None, None
        if before is None:
            return None, None
        return (
            per_second(gained(before.read, one.io.read), elapsed),
            per_second(gained(before.written, one.io.written), elapsed),
        )


def _most_clocks() -> int:
    if resource is None:
        return 0
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CLOCKS if soft < 0 else min(_MAX_CLOCKS, int(soft * _CLOCKS_SHARE))


def _rest(one: _Tracked, now: float) -> _Tracked:
    """It used nothing until now."""
    if not one.is_at_rest:
        moved = None if one.io is None else 0
        one.process = one.process._replace(cpu_percent=0.0, read_bytes_per_second=moved, write_bytes_per_second=moved)
        one.is_at_rest = True
    one.looked_at = now
    return one


def _read(path: str, size: int) -> bytes:
    descriptor = os.open(path, _FLAGS)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)
