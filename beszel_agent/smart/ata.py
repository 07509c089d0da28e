"""ATA disks: the table of attributes, whose meanings are the makers', and the standardized device statistics."""

from collections.abc import Iterable
from typing import Final

from beszel_agent.severity import CONCERN, FAILED, Finding
from beszel_agent.smart.document import (
    Document,
    find,
    find_count,
    find_number,
    find_rows,
    find_text,
    leading_number,
)
from beszel_agent.smart.reading import Health
from beszel_protocol.disks import DiskAttribute
from beszel_protocol.storage import SmartMetrics

_REALLOCATED: Final = 5
_REPORTED_UNCORRECTABLE: Final = 187
_PENDING: Final = 197
_OFFLINE_UNCORRECTABLE: Final = 198
_LIFE_LEFT: Final = frozenset({
    "Media_Wearout_Indicator", "Percent_Lifetime_Remain", "Remaining_Lifetime_Perc", "SSD_Life_Left",
    "Wear_Leveling_Count",
})  # fmt: skip
"""Attributes whose normalized value counts down from 100 with the wear."""
_ENDURANCE: Final = "Percentage Used Endurance Indicator"
_SECTORS_READ: Final = "Logical Sectors Read"
_SECTORS_WRITTEN: Final = "Logical Sectors Written"


def parse_ata(document: Document) -> Health:
    rows = find_rows(document, "ata_smart_attributes", "table")
    attributes = [_attribute(row) for row in rows]
    raw = {item.id: number for item in attributes if (number := leading_number(item.raw)) is not None and number >= 0}
    pending = raw.get(_PENDING)
    uncorrected = raw.get(_OFFLINE_UNCORRECTABLE, raw.get(_REPORTED_UNCORRECTABLE))
    statistics = _statistics(document)
    sector_bytes = find_count(document, "logical_block_size") or 512
    findings = list(_worn_out(rows))
    if pending:
        findings.append(Finding(CONCERN, f"{pending} sectors pending"))
    if raw.get(_OFFLINE_UNCORRECTABLE):
        findings.append(Finding(CONCERN, f"{raw[_OFFLINE_UNCORRECTABLE]} sectors cannot be read"))
    numbers = SmartMetrics(
        temperature_celsius=find_number(document, "temperature", "current"),
        power_on_hours=find_count(document, "power_on_time", "hours"),
        power_cycles=find_count(document, "power_cycle_count"),
        wear_percent=_wear_percent(document, statistics, attributes),
        reallocated_sectors=raw.get(_REALLOCATED),
        pending_sectors=pending,
        uncorrected_errors=uncorrected,
        bytes_read=_times(statistics.get(_SECTORS_READ), sector_bytes),
        bytes_written=_times(statistics.get(_SECTORS_WRITTEN), sector_bytes),
    )
    return Health(findings=findings, attributes=attributes, numbers=numbers)


def _attribute(row: Document) -> DiskAttribute:
    return DiskAttribute(
        id=find_count(row, "id"),
        name=find_text(row, "name") or "unknown",
        value=find_count(row, "value"),
        worst=find_count(row, "worst"),
        threshold=find_count(row, "thresh"),
        raw=find_text(row, "raw", "string") or "",
        failed=find_text(row, "when_failed"),
    )


def _worn_out(rows: Iterable[Document]) -> Iterable[Finding]:
    """At the threshold now: of an attribute that foretells failure, or of one that tells age."""
    for row in rows:
        if find_text(row, "when_failed") == "now":
            severity = FAILED if find(row, "flags", "prefailure") is True else CONCERN
            yield Finding(severity, f"{find_text(row, 'name') or 'an attribute'} is at its threshold")


def _statistics(document: Document) -> dict[str, int]:
    """By name; those that are not valid, or negative as from some firmware, are left out."""
    found: dict[str, int] = {}
    for page in find_rows(document, "ata_device_statistics", "pages"):
        for row in find_rows(page, "table"):
            name, value = find_text(row, "name"), find_count(row, "value")
            if name is not None and value is not None and find(row, "flags", "valid") is not False:
                found.setdefault(name, value)
    return found


def _wear_percent(document: Document, statistics: dict[str, int], attributes: Iterable[DiskAttribute]) -> float | None:
    told = find_number(document, "endurance_used", "current_percent")
    if told is None:
        told = statistics.get(_ENDURANCE)
    if told is not None:
        return told
    left = [item.value for item in attributes if item.name in _LIFE_LEFT and item.value is not None]
    return float(100 - left[0]) if left and 0 <= left[0] <= 100 else None


def _times(count: int | None, unit: int) -> int | None:
    return None if count is None else count * unit
