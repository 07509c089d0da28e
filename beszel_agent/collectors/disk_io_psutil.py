"""What the disks read and wrote, as psutil tells it, on systems other than Linux.

psutil does not tell which disk is below a filesystem. The device's name does where it is a partition (FreeBSD, and
external disks of a Mac), and the root's is known where no other disk is left; any other disk stands by its own name.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Self

import msgspec
import psutil

from beszel_agent.collectors.disk_io import Counters, disk_metrics
from beszel_agent.config import Config
from beszel_agent.disk_rules import DiskRules, Wish, read_rules
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.mounts import ROOT
from beszel_agent.paths import HostPaths
from beszel_agent.volumes import Volume, choose_volumes
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import DiskMetrics

_SECTOR_BYTES: Final = 512
_NO_DISKS: Final = ("cd", "md", "pass", "sa")
"""Discs, memory, tapes, and the second names of disks, in the devstat(9) of FreeBSD."""
_PLACE_SECONDS: Final = 60.0
"""How long what was found out about which disk is where holds while the disks stay the same."""
_MAX_DISKS: Final = 64
_BOOT_POINTS: Final = frozenset({"/boot/efi", "/efi"})
"""On a partition of a disk whose rest belongs to a pool: what the disk does is hardly ever done there."""


class PsutilDiskIoCollector:
    name: ClassVar[str] = "disk_io"
    fields: ClassVar[tuple[str, ...]] = ("disk",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, rules: DiskRules, system: str) -> None:
        self._rules, self._system = rules, system
        self._previous: dict[str, Counters] = {}
        self._previous_now = 0.0
        self._names: dict[str, str] = {}
        self._placed_at = float("-inf")

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if not _read_disks():
            hint = "; `diskperf -y` makes Windows count" if paths.system == "windows" else ""
            raise Unavailable(f"psutil tells of no disk{hint}")
        return cls(read_rules(paths, config), paths.system)

    def shortfall(self) -> str | None:
        if not self._names or ROOT in self._names.values():
            return None
        unknown = ", ".join(disk for disk, name in self._names.items() if disk == name)
        return f"psutil does not tell what is on {unknown}; FILESYSTEM names the disk of the system"

    def collect(self, now: float) -> Metrics:
        disks = _read_disks()
        if not disks:
            raise ReadingFailed("psutil tells of no disk")
        self._place(disks, now)
        current = {self._names[disk]: counters_of(io) for disk, io in disks.items()}
        previous, elapsed = self._previous, now - self._previous_now
        self._previous, self._previous_now = current, now
        told = {name: disk_metrics(previous.get(name), counters, elapsed) for name, counters in current.items()}
        counted = next(iter(disks.values()))
        return Metrics(disk={name: only_known_times(disk, counted) for name, disk in told.items()})

    def _place(self, disks: Mapping[str, Any], now: float) -> None:
        if disks.keys() != self._names.keys() or now - self._placed_at >= _PLACE_SECONDS:
            # Drives of Windows do not tell their disk, and asking one that sleeps would hold up the sample.
            partitions = [] if self._system == "windows" else psutil.disk_partitions(all=False)
            volumes = choose_volumes(partitions, self._rules, self._system)
            self._names, self._placed_at = name_disks(list(disks), volumes, self._rules.root), now


def counters_of(io: Any) -> Counters:
    """Psutil counts in bytes and milliseconds; what nobody counts is 0 here and left out of what is told."""
    return Counters(
        reads=io.read_count,
        sectors_read=io.read_bytes // _SECTOR_BYTES,
        read_ms=getattr(io, "read_time", 0),
        writes=io.write_count,
        sectors_written=io.write_bytes // _SECTOR_BYTES,
        write_ms=getattr(io, "write_time", 0),
        busy_ms=getattr(io, "busy_time", 0),
        queued_ms=0,
    )


def only_known_times(disk: DiskMetrics, io: Any) -> DiskMetrics:
    """Without what this system does not count: how long a disk was busy, how many requests were waiting."""
    unknown: dict[str, None] = {"queue_depth": None}
    if not hasattr(io, "busy_time"):
        unknown["utilization_percent"] = None
    if not hasattr(io, "read_time"):
        unknown |= dict.fromkeys(("read_await_ms", "write_await_ms", "read_time_percent", "write_time_percent"))
    return msgspec.structs.replace(disk, **unknown)


def name_disks(disks: list[str], volumes: Iterable[Volume], root: Wish | None) -> dict[str, str]:
    """What the sample calls each disk: as the filesystem on it, where that is known, else by the disk's own name."""
    names: dict[str, str] = {}
    if root is not None:
        names |= {disk: ROOT for disk in disks if disk in {root.text, root.device.removeprefix("/dev/")}}
    elif len(disks) == 1:
        names[disks[0]] = ROOT
    for volume in volumes:
        disk = next((disk for disk in disks if _is_on(volume.device, disk)), None)
        if disk is None or disk in names or volume.name in names.values() or volume.point in _BOOT_POINTS:
            continue
        names[disk] = volume.name
    left = [disk for disk in disks if disk not in names]
    if len(left) == 1 and ROOT not in names.values():
        names[left[0]] = ROOT
    return {disk: names.get(disk, disk) for disk in disks}


def _is_on(device: str, disk: str) -> bool:
    """`/dev/ada0p2` is on `ada0`, and `/dev/ada0s1a`; `/dev/ada01` is not."""
    rest = device.removeprefix(f"/dev/{disk}")
    return rest != device and not rest[:1].isdigit()


def _read_disks() -> dict[str, Any]:
    """Those that ever did anything, wraps and resets included."""
    found = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    used = {disk: io for disk, io in found.items() if io.read_count or io.write_count}
    return dict([(disk, io) for disk, io in sorted(used.items()) if not disk.startswith(_NO_DISKS)][:_MAX_DISKS])
