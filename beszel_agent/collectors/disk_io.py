"""What the block devices below the filesystems read and wrote, from `/proc/diskstats`.

The format is that of the kernel's `admin-guide/iostats`. Counters of sectors are as wide as the kernel's `long`, those
of milliseconds 32 bits.
"""

from collections.abc import Container, Sequence
from typing import ClassVar, Final

import msgspec

from beszel_agent.block_devices import BlockDevices
from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.deltas import gained_wrapping, per_second, share
from beszel_agent.errors import Unavailable
from beszel_agent.mounts import Filesystem, MountTable, shared_table
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import DiskMetrics

_SECTOR_BYTES: Final = 512
"""The unit of diskstats, whatever the device's own sector is."""
_MANY_REQUESTS: Final = 4096
"""More than wait at one device at once; bounds how fast its sum of waiting times can grow."""


DeviceNumber = tuple[bytes, bytes]
"""Major and minor."""


class Counters(msgspec.Struct, frozen=True, gc=False):
    """Of one block device since boot."""

    reads: int
    sectors_read: int
    read_ms: int
    writes: int
    sectors_written: int
    write_ms: int
    busy_ms: int
    queued_ms: int
    """Weighted by how many requests were waiting or under way."""
    devices: int = 1


class DiskIoCollector:
    name: ClassVar[str] = "disk_io"
    fields: ClassVar[tuple[str, ...]] = ("disk",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, diskstats: HostFile, table: MountTable, devices: BlockDevices) -> None:
        self._diskstats, self._table, self._devices = diskstats, table, devices
        self._previous: dict[str, Counters] = {}
        self._previous_now = 0.0
        self._filesystems: tuple[Filesystem, ...] = ()
        self._wanted: frozenset[DeviceNumber] = frozenset()
        self._numbers: dict[str, list[DeviceNumber]] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Collector:
        if not paths.is_linux:
            from beszel_agent.collectors.disk_io_psutil import PsutilDiskIoCollector  # noqa: PLC0415

            return PsutilDiskIoCollector.probe(paths, config)
        try:
            return cls(paths.proc_file("diskstats"), shared_table(paths, config), BlockDevices(paths))
        except OSError as error:
            raise Unavailable(f"no /proc/diskstats or mount table: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        filesystems = self._table.filesystems(now)
        if filesystems is not self._filesystems:
            self._numbers = {
                item.name: [split_number(number) for number in self._devices.numbers_of(item)] for item in filesystems
            }
            self._wanted = frozenset(number for numbers in self._numbers.values() for number in numbers)
            self._filesystems = filesystems
        found = parse_diskstats(self._diskstats.read(), self._wanted)
        current = {
            name: counters
            for name, numbers in self._numbers.items()
            if (counters := add_counters([found[number] for number in numbers if number in found])) is not None
        }
        previous, elapsed = self._previous, now - self._previous_now
        self._previous, self._previous_now = current, now
        parts = {name: disk_metrics(previous.get(name), counters, elapsed) for name, counters in current.items()}
        return Metrics(disk=parts or None)


def split_number(number: str) -> DeviceNumber:
    """As the table has it, of `major:minor`."""
    major, _, minor = number.encode().partition(b":")
    return major, minor


def parse_diskstats(text: bytes, wanted: Container[DeviceNumber]) -> dict[DeviceNumber, Counters]:
    """The counters of the devices `wanted`; a line that does not fit the format is skipped."""
    found: dict[DeviceNumber, Counters] = {}
    for line in text.splitlines():
        words = line.split(None, 14)
        if len(words) < 14 or (words[0], words[1]) not in wanted:
            continue
        try:
            values = [int(word) for word in words[3:14]]
        except ValueError:
            continue
        found[words[0], words[1]] = Counters(
            values[0], values[2], values[3], values[4], values[6], values[7], values[9], values[10]
        )
    return found


def add_counters(counters: Sequence[Counters]) -> Counters | None:
    """Those of a filesystem that spans devices; None of none."""
    if len(counters) <= 1:
        return counters[0] if counters else None
    return Counters(*map(sum, zip(*map(msgspec.structs.astuple, counters), strict=True)))


def disk_metrics(previous: Counters | None, current: Counters, elapsed_seconds: float) -> DiskMetrics:
    """Totals always; rates if there is an earlier reading of the same device, since which no counter fell."""
    read_bytes, write_bytes = current.sectors_read * _SECTOR_BYTES, current.sectors_written * _SECTOR_BYTES
    if previous is None or elapsed_seconds <= 0 or not _continues(previous, current):
        return DiskMetrics(io_read_bytes=read_bytes, io_write_bytes=write_bytes)
    elapsed_ms = elapsed_seconds * 1000
    most_ms = _MANY_REQUESTS * elapsed_ms * current.devices
    read_ms = gained_wrapping(previous.read_ms, current.read_ms, most_ms)
    write_ms = gained_wrapping(previous.write_ms, current.write_ms, most_ms)
    queued_ms = gained_wrapping(previous.queued_ms, current.queued_ms, 2 * most_ms)
    busy_ms = gained_wrapping(previous.busy_ms, current.busy_ms, (2 * elapsed_ms + 1000) * current.devices)
    return DiskMetrics(
        io_read_bytes=read_bytes,
        io_write_bytes=write_bytes,
        read_bytes_per_second=per_second(read_bytes - previous.sectors_read * _SECTOR_BYTES, elapsed_seconds),
        write_bytes_per_second=per_second(write_bytes - previous.sectors_written * _SECTOR_BYTES, elapsed_seconds),
        utilization_percent=None if busy_ms is None else share(busy_ms, elapsed_ms * current.devices),
        read_await_ms=_ratio(read_ms, current.reads - previous.reads),
        write_await_ms=_ratio(write_ms, current.writes - previous.writes),
        read_time_percent=_ratio(read_ms, elapsed_ms / 100),
        write_time_percent=_ratio(write_ms, elapsed_ms / 100),
        queue_depth=_ratio(queued_ms, elapsed_ms),
    )


def _continues(previous: Counters, current: Counters) -> bool:
    """Whether the wide counters all went on; if not, it is another device under an old number, or a reset."""
    return (
        current.devices == previous.devices
        and current.reads >= previous.reads
        and current.writes >= previous.writes
        and current.sectors_read >= previous.sectors_read
        and current.sectors_written >= previous.sectors_written
    )


def _ratio(part_ms: int | None, whole: float) -> float | None:
    """None of nothing: where no request completed there is no time that it took."""
    return None if part_ms is None or whole <= 0 else round(part_ms / whole, 2)
