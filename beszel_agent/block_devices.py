"""Which block devices lie below a filesystem, as the numbers under which the kernel counts their I/O."""

from typing import Final

from beszel_agent.mounts import Filesystem
from beszel_agent.paths import HostPaths, list_names, read_text_or_none

_MAPPER: Final = "/dev/mapper/"
_UNNAMED_MAJOR: Final = "0:"
"""Of filesystems that span devices or have none: btrfs, ZFS, overlay."""


class BlockDevices:
    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths

    def numbers_of(self, filesystem: Filesystem) -> tuple[str, ...]:
        """`major:minor` of each device; the filesystem's own number, which no device has, if there is none."""
        if not filesystem.device.startswith(_UNNAMED_MAJOR) or not filesystem.source.startswith("/dev/"):
            return (filesystem.device,)
        name = self._kernel_name(filesystem.source)
        numbers = [self._number(member) for member in self._members(name)]
        return tuple(number for number in numbers if number is not None) or (filesystem.device,)

    def _number(self, name: str) -> str | None:
        return read_text_or_none(self._paths.sys(f"class/block/{name}/dev"))

    def _members(self, name: str) -> list[str]:
        """All devices of the btrfs that `name` belongs to; the mount table tells but one of them."""
        for pool in list_names(self._paths.sys("fs/btrfs")):
            members = list_names(self._paths.sys(f"fs/btrfs/{pool}/devices"))
            if name in members:
                return members
        return [name]

    def _kernel_name(self, source: str) -> str:
        """`sda2` of `/dev/sda2`, `dm-0` of `/dev/mapper/vg-root`."""
        if not source.startswith(_MAPPER):
            return source.rpartition("/")[2]
        wanted = source.removeprefix(_MAPPER)
        for name in list_names(self._paths.sys("class/block")):
            if name.startswith("dm-") and read_text_or_none(self._paths.sys(f"class/block/{name}/dm/name")) == wanted:
                return name
        return wanted
