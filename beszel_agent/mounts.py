"""Which filesystems of the host count, read from its mount table.

Real ones, each once: block-backed or a pool's, whatever is bind-mounted, a snapshot or a container's layer left out.
The root is always among them, also in a container. Beside these count what the owner of the host asked for, by setting
or by binding it into a container below `/extra-filesystems`.
"""

import select
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from beszel_agent.config import Config
from beszel_agent.disk_rules import NO_RULES, DiskRules, Wish, read_rules
from beszel_agent.paths import HostPaths

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
_NO_DEVICE: Final = "0:0"
"""A number that no filesystem has."""
_IMAGE_SYSTEM_DISK: Final = "/sysroot"
"""Where systems that boot a read-only image (ostree, bootc) mount the disk that it lies on."""


_EXTRA: Final = "/extra-filesystems/"
"""Where people bind the disks of a host into the agent's container, each as `<what>` or `<what>__<name>`."""
_NAME_MARK: Final = "__"
_REREAD_SECONDS: Final = 60.0
"""The kernel does not tell that a filesystem turned read-only after an error."""


class Mount(NamedTuple):
    """One line of the mount table."""

    device: str
    """`major:minor` of the filesystem; the same for all mounts of it."""
    root: str
    """The part of the filesystem that is mounted; `/` for the whole of it."""
    point: str
    type: str
    source: str
    read_only: bool
    """The filesystem itself, not this view of it."""


class Filesystem(NamedTuple):
    """One that counts."""

    name: str
    """What the sample calls it: where it is mounted, unless the owner of the host gave it a name."""
    point: str
    device: str
    """`major:minor`, of the block device below if there is one."""
    source: str
    """`/dev/sda1`, `tank/media`."""
    path: str
    """Where to ask for its usage: the mount point, but for a root that is an image."""
    may_wait: bool
    """Asking for its usage may take for ever."""
    read_only: bool


class MountTable:
    """The filesystems that count, now. The kernel says when its table changed, so it is rarely read."""

    def __init__(self, paths: HostPaths, rules: DiskRules = NO_RULES) -> None:
        self._file, self._rules = paths.proc_file("self/mountinfo", long_lines=True), rules
        self._poll: select.poll | None = None
        descriptor = self._file.fileno()
        if descriptor is not None:
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLPRI)
        self._table = b""
        self._read_at = float("-inf")
        self._filesystems: tuple[Filesystem, ...] = ()

    def filesystems(self, now: float) -> tuple[Filesystem, ...]:
        """The same object as long as nothing changed; `now` is monotonic. Raise OSError or `ReadingFailed`."""
        if self._poll is None or self._poll.poll(0) or now - self._read_at >= _REREAD_SECONDS:
            table = self._file.read()
            if table != self._table:
                self._filesystems = choose_filesystems(parse_mounts(table), self._rules)
            self._table, self._read_at = table, now
        return self._filesystems


def shared_table(paths: HostPaths, config: Config) -> MountTable:
    """One for all that look with every sample, in one thread: on a host of containers it is long and changes often.

    Raise OSError.
    """
    return paths.shared("mounts", lambda: MountTable(paths, read_rules(paths, config)))


def parse_mounts(table: bytes) -> list[Mount]:
    """The format is that of `/proc/self/mountinfo` in proc(5); lines that do not fit it are skipped."""
    mounts = []
    for line in table.decode("utf-8", "replace").splitlines():
        fields, separator, rest = line.partition(" - ")
        words, tail = fields.split(" "), rest.split(" ")
        if separator and len(words) >= 6 and len(tail) >= 2:
            read_only = "ro" in (tail[2].split(",") if len(tail) > 2 else ())
            root, point, source = _unescape(words[3]), _unescape(words[4]), _unescape(tail[1])
            mounts.append(Mount(words[2], root, point, tail[0], source, read_only))
    return mounts


def choose_filesystems(mounts: Iterable[Mount], rules: DiskRules = NO_RULES) -> tuple[Filesystem, ...]:
    """The filesystems that count, the root first, then by mount point."""
    visible = {mount.point: mount for mount in mounts}  # a later mount hides an earlier one on the same point
    chosen: dict[str, Mount] = {}
    names: dict[str, str] = {}
    root = mounted = _mounted_root(visible)
    hidden: str | None = None
    if rules.root is not None:
        # What is really mounted there has lost its name, and is shown only if it was asked for under another.
        hidden = None if mounted is None else mounted.device
        root = _wanted_root(rules.root, mounted, visible)
    if root is not None:
        chosen[root.device], names[root.device] = root, ROOT
    for mount, name in _asked_for(visible, rules):
        kept = chosen.setdefault(mount.device, mount)
        if kept is not root and name is not None and name not in names.values():
            names.setdefault(mount.device, name)
    for mount in sorted(filter(_counts, visible.values()), key=_preference):
        if mount.device != hidden:
            chosen.setdefault(mount.device, mount)
    rest = sorted((mount for mount in chosen.values() if mount is not root), key=lambda mount: mount.point)
    return tuple(
        Filesystem(
            name=names.get(mount.device, mount.point),
            point=mount.point,
            device=mount.device,
            source=mount.source,
            path=_path(mount, visible),
            may_wait=_may_wait(mount, visible),
            read_only=mount.read_only,
        )
        for mount in [*([root] if root else []), *rest][:MAX_FILESYSTEMS]
    )


def _mounted_root(visible: dict[str, Mount]) -> Mount | None:
    root = visible.get(ROOT)
    return None if root is None else _disk_below(root, visible)


def _wanted_root(wish: Wish, mounted: Mount | None, visible: dict[str, Mount]) -> Mount | None:
    """The filesystem that the owner means.

    If none of it is mounted, the root lies on a pool or a layer, and it is the device whose I/O is meant.
    """
    found = _find(wish, visible)
    if found is not None or mounted is None:
        return found
    return mounted._replace(device=_NO_DEVICE, source=wish.device)


def _asked_for(visible: dict[str, Mount], rules: DiskRules) -> Iterator[tuple[Mount, str | None]]:
    for wish in rules.extras:
        mount = _find(wish, visible)
        if mount is not None:
            yield mount, wish.name
    for point in sorted(visible):
        child = point.removeprefix(_EXTRA)
        if child != point and "/" not in child:
            mount = visible[point]
            device, _, name = child.partition(_NAME_MARK)
            if not mount.source.startswith("/dev/"):
                mount = mount._replace(source=f"/dev/{device}")
            yield mount, name or child


def _find(wish: Wish, visible: dict[str, Mount]) -> Mount | None:
    """The mount point of that name, else the best mount of that device, else of a partition of it."""
    if wish.text in visible:
        return visible[wish.text]
    mounts = sorted(visible.values(), key=_preference)
    exact = (mount for mount in mounts if mount.source in wish.devices)
    parts = (mount for mount in mounts if wish.has_partition(mount.source))
    return next(exact, None) or next(parts, None)


def _counts(mount: Mount) -> bool:
    """What lies deeper in a disk that was bound into the container came along with it and was not asked for."""
    if mount.type in _IMAGE_TYPES or mount.point in _BOUND_FROM_HOST or mount.point.startswith(_EXTRA):
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
            return root._replace(device=bound.device, source=bound.source, read_only=bound.read_only)
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
