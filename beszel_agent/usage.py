"""How full a filesystem is, asked of the kernel."""

import os

import msgspec

from beszel_agent.deltas import share
from beszel_agent.grants import READ_SEARCH, describe_need
from beszel_agent.mounts import ROOT, Filesystem
from beszel_agent.paths import HostPaths
from beszel_protocol.storage import DiskMetrics


class UsageReader:
    """Keeps the answers for as long as the owner of the host said; that of the root is always fresh."""

    def __init__(self, paths: HostPaths, keep_seconds: float) -> None:
        self._paths, self._keep_seconds = paths, keep_seconds
        self._kept: dict[str, tuple[float, DiskMetrics]] = {}
        self._refused: set[str] = set()

    def shortfall(self) -> str | None:
        """Which filesystems this user may not ask, and what would let it."""
        refused = sorted(self._refused)
        if not refused:
            return None
        return describe_need(f"the usage of {', '.join(refused)}", [f"{READ_SEARCH}, or x on every directory above"])

    def read(self, filesystem: Filesystem, now: float) -> DiskMetrics | None:
        """None if it cannot be asked. `now` is monotonic."""
        if self._keep_seconds and filesystem.name != ROOT:
            read_at, usage = self._kept.get(filesystem.name, (0.0, None))
            if usage is None or now - read_at >= self._keep_seconds:
                usage = self._ask(filesystem)
                if usage is None:
                    self._kept.pop(filesystem.name, None)
                else:
                    self._kept[filesystem.name] = now, usage
        else:
            usage = self._ask(filesystem)
        return usage

    def _ask(self, filesystem: Filesystem) -> DiskMetrics | None:
        self._refused.discard(filesystem.point)
        try:
            usage = read_usage(self._paths.root(filesystem.path))
        except PermissionError:
            self._refused.add(filesystem.point)
            return None
        except OSError:
            return None
        return msgspec.structs.replace(usage, read_only=int(filesystem.read_only))


def read_usage(path: str) -> DiskMetrics:
    """Of the filesystem at `path`, with the percentage as `df` has it. Raise OSError if it cannot be asked.

    Filesystems that make inodes as they need them, such as btrfs and FAT, tell of none.
    """
    answer = os.statvfs(path)
    used = (answer.f_blocks - answer.f_bfree) * answer.f_frsize
    available = answer.f_bavail * answer.f_frsize
    inodes_used = answer.f_files - answer.f_ffree
    return DiskMetrics(
        total_bytes=answer.f_blocks * answer.f_frsize,
        used_bytes=used,
        usage_percent=share(used, used + available),
        inodes_total=answer.f_files or None,
        inodes_used=inodes_used if answer.f_files else None,
        inodes_usage_percent=share(inodes_used, answer.f_files),
    )
