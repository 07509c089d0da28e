"""Which filesystems the owner of the host singled out, from `FILESYSTEM` and `EXTRA_FILESYSTEMS`."""

import os
import re
from typing import Final, NamedTuple

from beszel_agent.config import Config
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_agent.settings import NamedDisk

_DEV: Final = "/dev/"
_PARTITION: Final = re.compile(r"p?[0-9]+", re.ASCII)
"""What follows the name of a disk in that of its partition: `sda1`, `nvme0n1p2`, `ada0p2`."""


class Wish(NamedTuple):
    """One that was asked for."""

    text: str
    devices: frozenset[str]
    """Every name of the device, if it is one."""
    name: str | None

    @property
    def device(self) -> str:
        return self.text if self.text.startswith("/") else _DEV + self.text

    def has_partition(self, source: str) -> bool:
        return any(
            source.startswith(device) and _PARTITION.fullmatch(source, len(device)) is not None
            for device in self.devices
        )


class DiskRules(NamedTuple):
    root: Wish | None
    """What stands for the root disk instead of what is mounted there."""
    extras: tuple[Wish, ...]


NO_RULES: Final = DiskRules(None, ())


def read_rules(paths: HostPaths, config: Config) -> DiskRules:
    return DiskRules(
        None if config.filesystem is None else _wish(paths, config.filesystem),
        tuple(_wish(paths, disk) for disk in config.extra_filesystems),
    )


def _wish(paths: HostPaths, disk: NamedDisk) -> Wish:
    """The mount table knows a device by one name; `/dev` has links to it under others."""
    text = disk.disk.rstrip("/") or "/"
    device = text if text.startswith("/") else _DEV + text
    if not device.startswith(_DEV) or not paths.is_linux:
        return Wish(text, frozenset({device}), disk.name)
    real = os.path.realpath(device)
    names = {device, real}
    mapped = read_text_or_none(paths.sys(f"class/block/{real.removeprefix(_DEV)}/dm/name"))
    if mapped:
        names.add(f"{_DEV}mapper/{mapped}")
    return Wish(text, frozenset(names), disk.name)
