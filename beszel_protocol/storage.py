"""Filesystems, arrays, pools and disks as a sample tells them; `sample` says how all of it is to be read."""

from typing import Annotated

from beszel_protocol import kinds
from beszel_protocol.metrics import Metric, Unit
from beszel_protocol.part import Part


class DiskMetrics(Part, frozen=True, kw_only=True):
    """One filesystem and the block device below it; `usage_percent` is used / (used + available), as `df` has it."""

    total_bytes: Annotated[int, kinds.total("Disk size")] | None = None
    used_bytes: Annotated[int, kinds.level_bytes("Disk used")] | None = None
    usage_percent: Annotated[float, kinds.percent("Disk")] | None = None
    inodes_total: Annotated[int, kinds.count("Disk inodes")] | None = None
    inodes_used: Annotated[int, kinds.count("Disk inodes used")] | None = None
    inodes_usage_percent: Annotated[float, kinds.percent("Disk inodes in use")] | None = None
    read_only: Annotated[int, kinds.failures("Disk takes no writes")] | None = None
    """1 if the filesystem itself is read-only, as after an error; not if only one view of it is."""
    io_read_bytes: Annotated[int, kinds.total("Disk bytes read")] | None = None
    io_write_bytes: Annotated[int, kinds.total("Disk bytes written")] | None = None
    read_bytes_per_second: Annotated[float, kinds.rate("Disk read")] | None = None
    write_bytes_per_second: Annotated[float, kinds.rate("Disk write")] | None = None
    utilization_percent: Annotated[float, kinds.percent("Disk utilization")] | None = None
    read_await_ms: Annotated[float, Metric(label="Disk read wait", unit=Unit.MILLISECONDS, peak=True)] | None = None
    write_await_ms: Annotated[float, Metric(label="Disk write wait", unit=Unit.MILLISECONDS, peak=True)] | None = None
    read_time_percent: Annotated[float, kinds.busy("Disk read time")] | None = None
    """Time that requests spent in reading, over the time that passed: above 100 where several are read at once."""
    write_time_percent: Annotated[float, kinds.busy("Disk write time")] | None = None
    queue_depth: Annotated[float, kinds.depth("Disk queue")] | None = None
    """Requests that were under way or waiting, on average."""


class ArrayMetrics(Part, frozen=True, kw_only=True):
    """A software RAID array."""

    severity: Annotated[int, kinds.severity("Array health")] | None = None
    state: str | None = None
    """Why it is of this severity, in words."""
    level: str | None = None
    total_bytes: Annotated[int, kinds.total("Array size")] | None = None
    members: Annotated[int, kinds.count("Array members")] | None = None
    """As many as it is meant to have."""
    members_missing: Annotated[int, kinds.failures("Array members missing")] | None = None
    spares: Annotated[int, kinds.count("Array spares")] | None = None
    sync_percent: Annotated[float, kinds.share("Array sync")] | None = None
    """Of a resync, recovery, reshape or check under way."""
    sync_bytes_per_second: Annotated[float, kinds.capacity("Array sync speed")] | None = None
    mismatches: Annotated[int, kinds.failures("Array mismatches")] | None = None


class PoolMetrics(Part, frozen=True, kw_only=True):
    """A pool of devices with filesystems on it: ZFS, or btrfs with its raw space, all copies counted."""

    severity: Annotated[int, kinds.severity("Pool health")] | None = None
    state: str | None = None
    type: str | None = None
    total_bytes: Annotated[int, kinds.total("Pool size")] | None = None
    used_bytes: Annotated[int, kinds.level_bytes("Pool used")] | None = None
    usage_percent: Annotated[float, kinds.percent("Pool")] | None = None
    devices: Annotated[int, kinds.count("Pool devices")] | None = None
    devices_missing: Annotated[int, kinds.failures("Pool devices missing")] | None = None
    errors: Annotated[int, kinds.failures("Pool device errors")] | None = None
    """Write, read, flush, corruption and generation errors of all devices, since they were last reset."""
    read_bytes_per_second: Annotated[float, kinds.rate("Pool read")] | None = None
    """What programs read and wrote, wherever it came from: caches answer too, and copies are not counted."""
    write_bytes_per_second: Annotated[float, kinds.rate("Pool written")] | None = None


class SmartMetrics(Part, frozen=True, kw_only=True):
    """What a disk says of its own health, the same for every kind of disk; the rest is the action `disk_detail`."""

    severity: Annotated[int, kinds.severity("Disk health")] | None = None
    state: str | None = None
    device: str | None = None
    model: str | None = None
    type: str | None = None
    """`ata`, `nvme`, `scsi` or `emmc`."""
    total_bytes: Annotated[int, kinds.total("Disk capacity")] | None = None
    temperature_celsius: (
        Annotated[float, Metric(label="Disk temperature", unit=Unit.CELSIUS, peak=True, alarm=True)] | None
    ) = None
    power_on_hours: Annotated[int, kinds.count("Disk hours powered on")] | None = None
    power_cycles: Annotated[int, kinds.count("Disk power cycles")] | None = None
    wear_percent: Annotated[float, kinds.wear("Disk wear")] | None = None
    """Of the writes that the disk was made for; the disk may outlive them."""
    spare_percent: Annotated[float, Metric(label="Disk spare blocks", unit=Unit.PERCENT, alarm=True)] | None = None
    reallocated_sectors: Annotated[int, kinds.failures("Disk sectors reallocated")] | None = None
    pending_sectors: Annotated[int, kinds.failures("Disk sectors pending")] | None = None
    uncorrected_errors: Annotated[int, kinds.failures("Disk errors not corrected")] | None = None
    bytes_read: Annotated[int, kinds.total("Disk lifetime bytes read")] | None = None
    bytes_written: Annotated[int, kinds.total("Disk lifetime bytes written")] | None = None
