"""SCSI and SAS disks: defects, error counters and log pages."""

from collections.abc import Iterator
from typing import Final

from beszel_agent.severity import CONCERN, Finding
from beszel_agent.smart.document import Document, find, find_count, find_number, find_text
from beszel_agent.smart.reading import Health
from beszel_protocol.disks import DiskAttribute
from beszel_protocol.storage import SmartMetrics

ERRORS: Final = "scsi_error_counter_log"
DEFECTS: Final = "scsi_grown_defect_list"

_OPERATIONS: Final = ("read", "write", "verify")
_GIGABYTE: Final = 1_000_000_000


def parse_scsi(document: Document) -> Health:
    counts = [find_count(document, ERRORS, operation, "total_uncorrected_errors") for operation in _OPERATIONS]
    known = [count for count in counts if count is not None]
    temperature, trip = (find_number(document, "temperature", field) for field in ("current", "drive_trip"))
    findings = []
    if sum(known):
        findings.append(Finding(CONCERN, f"{sum(known)} errors not corrected"))
    if temperature is not None and trip and temperature >= trip:
        findings.append(Finding(CONCERN, "as hot as it may get"))
    wear = find_number(document, "endurance_used", "current_percent")
    numbers = SmartMetrics(
        temperature_celsius=temperature,
        power_on_hours=find_count(document, "power_on_time", "hours"),
        power_cycles=find_count(document, "scsi_start_stop_cycle_counter", "accumulated_start_stop_cycles"),
        wear_percent=find_number(document, "scsi_percentage_used_endurance_indicator") if wear is None else wear,
        reallocated_sectors=find_count(document, DEFECTS),
        uncorrected_errors=sum(known) if known else None,
        bytes_read=_processed(document, "read"),
        bytes_written=_processed(document, "write"),
    )
    return Health(findings=findings, attributes=list(_attributes(document)), numbers=numbers)


def _processed(document: Document, operation: str) -> int | None:
    """The counter is a text, `12345.678`, in units of 10^9 bytes."""
    text = find_text(document, ERRORS, operation, "gigabytes_processed")
    try:
        return None if text is None else round(float(text) * _GIGABYTE)
    except (ValueError, OverflowError):
        return None


def _attributes(document: Document) -> Iterator[DiskAttribute]:
    defects = find_count(document, DEFECTS)
    if defects is not None:
        yield DiskAttribute(name=DEFECTS, raw=str(defects))
    for operation in _OPERATIONS:
        counters = find(document, ERRORS, operation)
        for name, value in counters.items() if isinstance(counters, dict) else ():
            if isinstance(value, int | str):
                yield DiskAttribute(name=f"{operation}_{name}", raw=str(value))
