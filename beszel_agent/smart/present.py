"""Which disks of this host may have SMART, told without asking them."""

from typing import Final

from beszel_agent.paths import HostPaths, list_names, read_text_or_none

_DISKS: Final = ("sd", "nvme", "hd")
_VIRTUAL: Final = ("iet", "msft", "qemu", "vbox", "virtual", "vmware")
"""How the disks of hypervisors and of iSCSI targets call themselves or their maker."""


def physical_disks(paths: HostPaths) -> list[str]:
    """By kernel name; none on a system that does not tell."""
    if not paths.is_linux:
        return []
    names = [name for name in list_names(paths.sys("block")) if name.startswith(_DISKS)]
    return [name for name in names if not _is_virtual_disk(paths, name)]


def is_virtual(*names: str | None) -> bool:
    """By the model or the maker of a disk."""
    return any((name or "").lower().startswith(_VIRTUAL) for name in names)


def device_of(name: str) -> str:
    """The file that SMART is read through: of NVMe, that of the controller."""
    return f"/dev/{name.partition('n1')[0] if name.startswith('nvme') else name}"


def _is_virtual_disk(paths: HostPaths, name: str) -> bool:
    return is_virtual(*(read_text_or_none(paths.sys(f"block/{name}/device/{field}")) for field in ("vendor", "model")))
