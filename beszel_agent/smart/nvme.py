"""NVMe disks: the SMART / health information log of the NVM Express base specification."""

from collections.abc import Iterator
from typing import Final

from beszel_agent.severity import CONCERN, FAILED, Finding
from beszel_agent.smart.document import Document, find, find_count, find_number
from beszel_agent.smart.reading import Health
from beszel_protocol.disks import DiskAttribute
from beszel_protocol.storage import SmartMetrics

LOG: Final = "nvme_smart_health_information_log"

_DATA_UNIT_BYTES: Final = 512_000
_WARNINGS: Final = (
    Finding(FAILED, "spare blocks below their threshold"),
    Finding(CONCERN, "temperature out of range"),
    Finding(FAILED, "no longer reliable"),
    Finding(FAILED, "read-only"),
    Finding(FAILED, "backup of its volatile memory failed"),
    Finding(FAILED, "persistent memory is read-only"),
)
"""Bits of the critical warning, from the lowest."""


def parse_nvme(document: Document) -> Health:
    log = find(document, LOG)
    temperature = find_number(log, "temperature")
    if temperature is None:
        temperature = find_number(document, "temperature", "current")
    numbers = SmartMetrics(
        temperature_celsius=temperature,
        power_on_hours=find_count(log, "power_on_hours"),
        power_cycles=find_count(log, "power_cycles"),
        wear_percent=find_number(log, "percentage_used"),
        spare_percent=find_number(log, "available_spare"),
        uncorrected_errors=find_count(log, "media_errors"),
        bytes_read=_bytes(find_count(log, "data_units_read")),
        bytes_written=_bytes(find_count(log, "data_units_written")),
    )
    return Health(findings=list(_findings(log)), attributes=list(_attributes(log)), numbers=numbers)


def nvme_capacity(document: Document) -> int | None:
    """Of the controller, or of its namespaces: a controller with several tells no capacity of a user."""
    total = find_count(document, "nvme_total_capacity")
    if total:
        return total
    rows = find(document, "nvme_namespaces")
    sizes = [find_count(row, "size", "bytes") for row in rows] if isinstance(rows, list) else []
    return sum(size for size in sizes if size is not None) or None


def _findings(log: object) -> Iterator[Finding]:
    warning = find_count(log, "critical_warning") or 0
    for bit, finding in enumerate(_WARNINGS):
        if warning >> bit & 1:
            yield finding
    if (find_number(log, "percentage_used") or 0) >= 100:
        yield Finding(CONCERN, "past its rated life")
    errors = find_count(log, "media_errors")
    if errors:
        yield Finding(CONCERN, f"{errors} media errors")


def _attributes(log: object) -> Iterator[DiskAttribute]:
    for name, value in log.items() if isinstance(log, dict) else ():
        if isinstance(value, int | list):
            yield DiskAttribute(name=name, raw=str(value))


def _bytes(units: int | None) -> int | None:
    return None if units is None else units * _DATA_UNIT_BYTES
