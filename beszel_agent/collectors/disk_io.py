"""What the block devices below the filesystems read and wrote, from `/proc/diskstats`.

The format is that of the kernel's `admin-guide/iostats`. Counters of sectors are as wide as the kernel's `long`, those
of milliseconds 32 bits.
"""

from collections.abc import Container
from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.block_devices import BlockDevices
from beszel_agent.config import Config
from beszel_agent.deltas import gained, gained_wrapping, per_second, share
from beszel_agent.errors import Unavailable
from beszel_agent.mounts import Filesystem, MountTable
from beszel_agent.paths import HostFile, HostPaths
from beszel_protocol.sample import DiskMetrics, Metrics

_SECTOR_BYTES: Final = 512
"""The unit of diskstats, whatever the device's own sector is."""
_MANY_REQUESTS: Final = 4096
"""More than wait at one device at once; bounds how fast its sum of waiting times can grow."""


DeviceNumber = tuple[bytes, bytes]
"""Major and minor."""


class Counters(NamedTuple):
    """Of one block device since boot."""

    reads: int
    sectors_read: int
    read_ms: int
    writes: int
    sectors_written: int
    write_ms: int
    busy_ms: int


class DiskIoCollector:
    name: ClassVar[str] = "disk_io"
    pace_seconds: ClassVar[float] = 0

    def __init__(self, diskstats: HostFile, table: MountTable, devices: BlockDevices) -> None:
        self._diskstats, self._table, self._devices = diskstats, table, devices
        self._previous: dict[DeviceNumber, Counters] = {}
        self._previous_now = 0.0
        self._filesystems: tuple[Filesystem, ...] = ()
        self._numbers: dict[str, DeviceNumber] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        try:
            return cls(paths.proc_file("diskstats"), MountTable(paths), BlockDevices(paths))
        except OSError as error:
            raise Unavailable(f"no /proc/diskstats or mount table: {error.strerror}") from error

    def collect(self, now: float) -> Metrics:
        filesystems = self._table.filesystems()
        if filesystems is not self._filesystems:
            self._numbers = {item.point: split_number(self._devices.number_of(item)) for item in filesystems}
            self._filesystems = filesystems
        current = parse_diskstats(self._diskstats.read(), self._numbers.values())
        previous, elapsed = self._previous, now - self._previous_now
        self._previous, self._previous_now = current, now
        parts = {
            point: disk_metrics(previous.get(number), current[number], elapsed)
            for point, number in self._numbers.items()
            if number in current
        }
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
            values = [int(word) for word in words[3:13]]
        except ValueError:
            continue
        found[words[0], words[1]] = Counters(
            values[0], values[2], values[3], values[4], values[6], values[7], values[9]
        )
    return found


def disk_metrics(previous: Counters | None, current: Counters, elapsed_seconds: float) -> DiskMetrics:
    """Totals always; rates if there is an earlier reading of the same device, since which no counter fell."""
    read_bytes, write_bytes = current.sectors_read * _SECTOR_BYTES, current.sectors_written * _SECTOR_BYTES
    if previous is None or elapsed_seconds <= 0 or not _continues(previous, current):
        return DiskMetrics(io_read_bytes=read_bytes, io_write_bytes=write_bytes)
    elapsed_ms = elapsed_seconds * 1000
    busy_ms = gained_wrapping(previous.busy_ms, current.busy_ms, 2 * elapsed_ms + 1000)
    return DiskMetrics(
        io_read_bytes=read_bytes,
        io_write_bytes=write_bytes,
        read_bytes_per_second=per_second(read_bytes - previous.sectors_read * _SECTOR_BYTES, elapsed_seconds),
        write_bytes_per_second=per_second(write_bytes - previous.sectors_written * _SECTOR_BYTES, elapsed_seconds),
        utilization_percent=None if busy_ms is None else share(busy_ms, elapsed_ms),
        read_await_ms=_await_ms(previous.reads, current.reads, previous.read_ms, current.read_ms, elapsed_ms),
        write_await_ms=_await_ms(previous.writes, current.writes, previous.write_ms, current.write_ms, elapsed_ms),
    )


def _continues(previous: Counters, current: Counters) -> bool:
    """Whether the wide counters all went on; if not, it is a new device under an old number, or a reset."""
    return (
        current.reads >= previous.reads
        and current.writes >= previous.writes
        and current.sectors_read >= previous.sectors_read
        and current.sectors_written >= previous.sectors_written
    )


def _await_ms(requests_before: int, requests_now: int, ms_before: int, ms_now: int, elapsed_ms: float) -> float | None:
    """Mean time from request to completion; None if nothing completed, as there was nothing to wait for."""
    requests = gained(requests_before, requests_now)
    waited_ms = gained_wrapping(ms_before, ms_now, _MANY_REQUESTS * elapsed_ms)
    if not requests or waited_ms is None:
        return None
    return round(waited_ms / requests, 2)
