"""Columns of disks and services, made from a sample. Pure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from beszel_hub.store.ids import ID_LENGTH
from beszel_protocol.disks import DiskAttribute, DiskReading
from beszel_protocol.hygiene import clean, clean_text
from beszel_protocol.sample import ServiceUnitMetrics
from beszel_protocol.storage import SmartMetrics

SERVICE_STATES: Final = ("active", "inactive", "failed", "activating", "deactivating", "reloading")
SUB_STATES: Final = ("dead", "running", "exited", "failed")
"""Both in the order in which Beszel numbers them."""
_UNKNOWN_STATE: Final = SERVICE_STATES.index("inactive")
_UNKNOWN_SUB_STATE: Final = len(SUB_STATES)
_VERDICTS: Final = {0: "PASSED", 1: "WARNING", 2: "FAILED"}
MAX_ATTRIBUTES: Final = 100
_MAX_NAME: Final = 100
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

_ATTRIBUTES: Final = (
    ("wear_percent", "Wear"),
    ("spare_percent", "Spare blocks"),
    ("reallocated_sectors", "Reallocated sectors"),
    ("pending_sectors", "Pending sectors"),
    ("uncorrected_errors", "Uncorrected errors"),
    ("bytes_read", "Bytes read"),
    ("bytes_written", "Bytes written"),
)


def component_id(system_id: str, kind: str, name: str) -> str:
    """15 characters of `[0-9a-z]`, always the same for the same component."""
    digest = hashlib.blake2b(f"{system_id}\0{kind}\0{name}".encode(), digest_size=10).digest()
    number = int.from_bytes(digest, "big")
    characters = []
    for _ in range(ID_LENGTH):
        number, remainder = divmod(number, len(_DIGITS))
        characters.append(_DIGITS[remainder])
    return "".join(characters)


def disk_columns(system_id: str, key: str, disk: SmartMetrics, now_ms: int) -> dict[str, Any]:
    """`key` is the serial number, or the kernel's name of a disk that tells none."""
    numbers = [(label, getattr(disk, name)) for name, label in _ATTRIBUTES]
    return {
        "id": component_id(system_id, "disk", key), "system_id": system_id, "name": disk.device or key,
        "model": disk.model or "", "state": _VERDICTS.get(-1 if disk.severity is None else disk.severity, "UNKNOWN"),
        "capacity": disk.total_bytes, "temp": disk.temperature_celsius, "firmware": "", "serial": key,
        "type": disk.type or "", "hours": disk.power_on_hours, "cycles": disk.power_cycles,
        "attributes": [{"n": label, "rv": number} for label, number in numbers if number is not None],
        "updated": now_ms,
    }  # fmt: skip


def detailed_disk_columns(system_id: str, key: str, reading: DiskReading, now_ms: int) -> dict[str, Any]:
    """With the disk's whole table in Beszel's short keys, in place of the few numbers that a sample has."""
    columns = disk_columns(system_id, key, clean(reading.summary), now_ms)
    attributes = [_attribute(attribute) for attribute in reading.attributes[:MAX_ATTRIBUTES]]
    firmware = clean_text(reading.firmware or "", _MAX_NAME)
    return {**columns, "firmware": firmware, "attributes": attributes or columns["attributes"]}


def _attribute(attribute: DiskAttribute) -> dict[str, Any]:
    raw = clean_text(attribute.raw, _MAX_NAME)
    number = re.match(r"[0-9]{1,15}", raw, re.ASCII)
    line = {
        "id": _small(attribute.id), "n": clean_text(attribute.name, _MAX_NAME), "v": _small(attribute.value),
        "w": _small(attribute.worst), "t": _small(attribute.threshold), "rv": int(number[0]) if number else 0,
        "rs": raw,
        "wf": clean_text(attribute.failed or "", _MAX_NAME) or None,
    }  # fmt: skip
    return {key: value for key, value in line.items() if value is not None}


def _small(number: int | None) -> int | None:
    """Of two bytes, as these are in every disk."""
    return number if number is not None and 0 <= number < 1 << 16 else None


def service_columns(system_id: str, units: Mapping[str, ServiceUnitMetrics], now_ms: int) -> list[dict[str, Any]]:
    return [
        {
            "id": component_id(system_id, "service", name), "system_id": system_id, "name": name,
            "state": _number(SERVICE_STATES, unit.state, _UNKNOWN_STATE),
            "sub": _number(SUB_STATES, unit.sub_state, _UNKNOWN_SUB_STATE),
            "cpu": round(unit.cpu_percent or 0.0, 2), "cpu_peak": round(unit.cpu_percent or 0.0, 2),
            "memory": unit.memory_bytes or 0, "mem_peak": unit.memory_peak_bytes or 0, "updated": now_ms,
        }
        for name, unit in units.items()
    ]  # fmt: skip


def _number(names: tuple[str, ...], name: str | None, otherwise: int) -> int:
    return names.index(name) if name in names else otherwise
