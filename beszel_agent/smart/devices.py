"""Which disks to ask: those that the owner listed, or those that smartctl finds."""

from collections.abc import Iterable
from typing import Final

from beszel_agent.settings import SmartDevice
from beszel_agent.smart.document import Document, find_rows, find_text

MAX_DEVICES: Final = 128

_GUESSED_TYPES: Final = frozenset({"ata", "scsi"})
"""A scan calls SATA disks so that hang on a SCSI controller; asked without a type, smartctl finds out."""
_PATHS: Final = ("/dev/", "IOService:")
"""How the devices of every system are written, and how macOS also writes its own."""


def parse_scan(document: Document) -> list[SmartDevice]:
    found = []
    for row in find_rows(document, "devices"):
        name, kind = find_text(row, "name"), find_text(row, "type")
        if name is not None and name.startswith(_PATHS):
            found.append(SmartDevice(name, None if kind in _GUESSED_TYPES else kind))
    return found


def wanted_devices(devices: Iterable[SmartDevice], excluded: Iterable[str]) -> list[SmartDevice]:
    """Each once: several disks may stand behind one path and differ in their type."""
    refused = {name if name.startswith("/") else f"/dev/{name}" for name in excluded}
    return [device for device in dict.fromkeys(devices) if device.path not in refused][:MAX_DEVICES]


def namespace_of(device: SmartDevice) -> SmartDevice | None:
    """`/dev/nvme0n1` of `/dev/nvme0`: a container may have been given only the former."""
    name = device.path.removeprefix("/dev/nvme")
    return device._replace(path=f"{device.path}n1") if name != device.path and name.isdigit() else None
