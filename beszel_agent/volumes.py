"""Which filesystems count on systems other than Linux, as psutil lists them: real ones, each once."""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from beszel_agent.disk_rules import DiskRules, Wish
from beszel_agent.mounts import MAX_FILESYSTEMS, ROOT

_DEV: Final = "/dev/"
_APFS_CONTAINER: Final = re.compile(r"/dev/disk[0-9]+", re.ASCII)
"""What the volumes of one APFS container share, their free space above all."""
_DATA_VOLUME: Final = "/System/Volumes/Data"
"""Where macOS writes; its root is a sealed image that nothing writes to."""
_SYSTEMS_OWN: Final = ("/Library/Developer/CoreSimulator/", "/System/Volumes/", "/private/var/")
_PSEUDO_TYPES: Final = frozenset({
    "autofs", "cd9660", "devfs", "fdescfs", "linprocfs", "linsysfs", "mqueuefs", "nfs", "nullfs", "procfs", "smbfs",
    "tarfs", "tmpfs", "udf", "unionfs",
})  # fmt: skip


class Volume(NamedTuple):
    """One that counts."""

    name: str
    """What the sample calls it: where it is mounted, unless the owner gave it a name. That of the system is `/`."""
    point: str
    device: str
    read_only: bool


def choose_volumes(partitions: Iterable[Any], rules: DiskRules, system: str) -> tuple[Volume, ...]:
    """Of psutil's `disk_partitions`, the system's own first, then by mount point."""
    mounted = {partition.mountpoint: partition for partition in partitions}
    root_point = _root_point(mounted, rules, system)
    chosen: dict[str, Volume] = {}
    for partition, name in _wanted(mounted, rules, root_point, system):
        shown = name or partition.mountpoint.rstrip("\\")
        volume = Volume(shown, partition.mountpoint, partition.device, _is_read_only(partition))
        key = _shared_space(partition)
        if volume.name == ROOT and _DATA_VOLUME in mounted:
            volume = volume._replace(read_only=_is_read_only(mounted[_DATA_VOLUME]))
        chosen.setdefault(key, volume)
    return tuple(sorted(chosen.values(), key=lambda volume: (volume.name != ROOT, volume.point)))[:MAX_FILESYSTEMS]


def _wanted(
    mounted: dict[str, Any], rules: DiskRules, root_point: str | None, system: str
) -> Iterator[tuple[Any, str | None]]:
    """The first of those that share their space is the one that is shown."""
    if root_point is not None:
        yield mounted[root_point], ROOT
    for wish in rules.extras:
        partition = _find(wish, mounted)
        if partition is not None:
            yield partition, wish.name
    for point in sorted(mounted):
        if _counts(mounted[point], system):
            yield mounted[point], None


def _root_point(mounted: dict[str, Any], rules: DiskRules, system: str) -> str | None:
    wished = None if rules.root is None else _find(rules.root, mounted)
    if wished is not None:
        return str(wished.mountpoint)
    own = os.environ.get("SYSTEMDRIVE", "C:") if system == "windows" else ROOT
    return next((point for point in mounted if _same_path(point, own)), None)


def _counts(partition: Any, system: str) -> bool:
    if system == "windows":
        kinds = partition.opts.split(",")
        return bool(partition.fstype) and ("fixed" in kinds or "removable" in kinds)
    if partition.fstype in _PSEUDO_TYPES or partition.mountpoint.startswith(_SYSTEMS_OWN):
        return False
    device: str = partition.device
    return partition.fstype == "zfs" or device.startswith(_DEV)


def _find(wish: Wish, mounted: dict[str, Any]) -> Any:
    """By mount point, else by device; None if it is not mounted."""
    by_point = (item for point, item in mounted.items() if _same_path(point, wish.text))
    by_device = (item for item in mounted.values() if item.device in {wish.text, wish.device})
    return next(by_point, None) or next(by_device, None)


def _shared_space(partition: Any) -> str:
    container = _APFS_CONTAINER.match(partition.device) if partition.fstype == "apfs" else None
    return str(partition.device) if container is None else container[0]


def _is_read_only(partition: Any) -> bool:
    return "ro" in partition.opts.split(",")


def _same_path(first: str, second: str) -> bool:
    """A drive of Windows is one with and without a backslash, and in either case."""
    return _plain(first) == _plain(second)


def _plain(path: str) -> str:
    plain = path.rstrip("\\/")
    return plain.upper() if plain.endswith(":") else plain
