"""Which block device lies below a filesystem, as the number under which the kernel counts its I/O."""

from pathlib import Path
from typing import Final

from beszel_agent.mounts import Filesystem
from beszel_agent.paths import HostPaths, read_text_or_none

_MAPPER: Final = "/dev/mapper/"
_UNNAMED_MAJOR: Final = "0:"
"""Of filesystems that span devices or have none: btrfs, ZFS, overlay."""


class BlockDevices:
    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths

    def number_of(self, filesystem: Filesystem) -> str:
        """`major:minor` of the device; the filesystem's own number, which no device has, if there is none."""
        if not filesystem.device.startswith(_UNNAMED_MAJOR) or not filesystem.source.startswith("/dev/"):
            return filesystem.device
        name = self._kernel_name(filesystem.source)
        return read_text_or_none(self._paths.sys(f"class/block/{name}/dev")) or filesystem.device

    def _kernel_name(self, source: str) -> str:
        """`sda2` of `/dev/sda2`, `dm-0` of `/dev/mapper/vg-root`."""
        if not source.startswith(_MAPPER):
            return source.rpartition("/")[2]
        wanted = source.removeprefix(_MAPPER)
        for name in self._mapped_names():
            if read_text_or_none(self._paths.sys(f"class/block/{name}/dm/name")) == wanted:
                return name
        return wanted

    def _mapped_names(self) -> list[str]:
        try:
            return sorted(
                path.name for path in Path(self._paths.sys("class/block")).iterdir() if path.name.startswith("dm-")
            )
        except OSError:
            return []
