"""Which filesystems of the host count, read from its mount table.

Real ones, each once: block-backed or a pool's, whatever is bind-mounted, a snapshot or a container's layer left out.
The root is always among them, also in a container.
"""

import os
import select
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from beszel_agent.deltas import share
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import DiskMetrics

ROOT: Final = "/"
MAX_FILESYSTEMS: Final = 64

_POOLED_TYPES: Final = frozenset({"bcachefs", "btrfs", "zfs"})
"""Real although their source need not be a device."""
_IMAGE_TYPES: Final = frozenset({"cramfs", "erofs", "iso9660", "overlay", "romfs", "squashfs", "udf"})
"""On a device, yet always full: packages, layers and discs."""
_MEMORY_TYPES: Final = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "reiserfs", "xfs"})
"""Their `statvfs` answers from memory. Others may count clusters, wait for a pool or ask a process."""
_PSEUDO_TYPES: Final = frozenset({"devtmpfs", "overlay", "proc", "ramfs", "rootfs", "squashfs", "sysfs", "tmpfs"})
_OWNED_BY_ENGINES: Final = (
    "/dev/", "/proc/", "/sys/", "/run/credentials/", "/run/docker/", "/snap/", "/var/lib/containers/storage/",
    "/var/lib/docker/", "/var/lib/kubelet/", "/var/snap/",
)  # fmt: skip
_BOUND_FROM_HOST: Final = ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname")
"""A container engine binds these files from the host's disk, which tells the disk below the container's root."""
_IMAGE_SYSTEM_DISK: Final = "/sysroot"
"""Where systems that boot a read-only image (ostree, bootc) mount the disk that it lies on."""


class Mount(NamedTuple):
    """One line of the mount table."""

    device: str
    """`major:minor` of the filesystem; the same for all mounts of it."""
    root: str
    """The part of the filesystem that is mounted; `/` for the whole of it."""
    point: str
    type: str
    source: str


class Filesystem(NamedTuple):
    """One that counts."""

    point: str
    device: str
    """`major:minor`, of the block device below if there is one."""
    source: str
    """`/dev/sda1`, `tank/media`."""
    path: str
    """Where to ask for its usage: the mount point, but for a root that is an image."""
    may_wait: bool
    """Asking for its usage may take for ever."""


class MountTable:
    """The filesystems that count, now. The kernel says when its table changed, so it is rarely read."""

    def __init__(self, paths: HostPaths) -> None:
        self._file = paths.proc_file("self/mountinfo")
        self._poll: select.poll | None = None
        descriptor = self._file.fileno()
        if descriptor is not None:
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLPRI)
        self._filesystems: tuple[Filesystem, ...] | None = None

    def filesystems(self) -> tuple[Filesystem, ...]:
        """The same object as long as nothing changed. Raise OSError or `ReadingFailed`."""
        if self._filesystems is None or self._poll is None or self._poll.poll(0):
            self._filesystems = choose_filesystems(parse_mounts(self._file.read()))
        return self._filesystems


def parse_mounts(table: bytes) -> list[Mount]:
    """The format is that of `/proc/self/mountinfo` in proc(5); lines that do not fit it are skipped."""
    mounts = []
    for line in table.decode("utf-8", "replace").splitlines():
        fields, separator, rest = line.partition(" - ")
        words, tail = fields.split(" "), rest.split(" ")
        if separator and len(words) >= 6 and len(tail) >= 2:
            mounts.append(Mount(words[2], _unescape(words[3]), _unescape(words[4]), tail[0], _unescape(tail[1])))
    return mounts


def choose_filesystems(mounts: Iterable[Mount]) -> tuple[Filesystem, ...]:
    """The filesystems that count, the root first, then by mount point."""
    visible = {mount.point: mount for mount in mounts}  # a later mount hides an earlier one on the same point
    chosen: dict[str, Mount] = {}
    root = visible.get(ROOT)
    if root is not None:
        root = _disk_below(root, visible)
        chosen[root.device] = root
    for mount in sorted(filter(_counts, visible.values()), key=_preference):
        chosen.setdefault(mount.device, mount)
    rest = sorted(mount for mount in chosen.values() if mount is not root)
    found = [*([root] if root else []), *sorted(rest, key=lambda mount: mount.point)]
    return tuple(
        Filesystem(mount.point, mount.device, mount.source, _path(mount, visible), _may_wait(mount, visible))
        for mount in found[:MAX_FILESYSTEMS]
    )


def read_usage(path: str) -> DiskMetrics | None:
    """Of the filesystem at `path`, with the percentage as `df` has it; None if it cannot be asked."""
    try:
        answer = os.statvfs(path)
    except OSError:
        return None
    used = (answer.f_blocks - answer.f_bfree) * answer.f_frsize
    available = answer.f_bavail * answer.f_frsize
    return DiskMetrics(
        total_bytes=answer.f_blocks * answer.f_frsize,
        used_bytes=used,
        usage_percent=share(used, used + available),
    )


def _counts(mount: Mount) -> bool:
    if mount.type in _IMAGE_TYPES or mount.point in _BOUND_FROM_HOST:
        return False
    if mount.source.startswith("/dev/loop") or mount.source == "/dev/fuse":
        return False
    if mount.point.startswith(_OWNED_BY_ENGINES):
        return False
    return mount.type in _POOLED_TYPES or mount.source.startswith("/dev/")


def _preference(mount: Mount) -> tuple[bool, int, str]:
    """Of several mounts of one filesystem: the whole of it before a part, then the shortest path."""
    return mount.root != "/", len(mount.point), mount.point


def _disk_below(root: Mount, visible: dict[str, Mount]) -> Mount:
    """The root mount, in a container with the device of the disk that holds its layers."""
    if root.type not in _IMAGE_TYPES and (root.source.startswith("/dev/") or root.type in _POOLED_TYPES):
        return root
    for point in (_IMAGE_SYSTEM_DISK, *_BOUND_FROM_HOST):
        bound = visible.get(point)
        if bound is not None and bound.source.startswith("/dev/"):
            return root._replace(device=bound.device, source=bound.source)
    return root


def _path(mount: Mount, visible: dict[str, Mount]) -> str:
    disk = visible.get(_IMAGE_SYSTEM_DISK)
    is_image = mount.point == ROOT and mount.type in _IMAGE_TYPES
    return _IMAGE_SYSTEM_DISK if is_image and disk is not None and disk.source.startswith("/dev/") else mount.point


def _may_wait(mount: Mount, visible: dict[str, Mount]) -> bool:
    """Also if any mount on the way to it may: the path is walked through that one."""
    return any(above.type not in _MEMORY_TYPES | _PSEUDO_TYPES for above in (mount, *_above(mount.point, visible)))


def _above(point: str, visible: dict[str, Mount]) -> Iterator[Mount]:
    while point != ROOT:
        point = point.rpartition("/")[0] or ROOT
        if point in visible:
            yield visible[point]


def _unescape(field: str) -> str:
    r"""Undo the octal escapes of space, tab, newline and backslash."""
    if "\\" not in field:
        return field
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\043", "#"), ("\\134", "\\")):
        field = field.replace(escape, character)
    return field
