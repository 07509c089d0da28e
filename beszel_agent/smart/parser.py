"""One answer of smartctl about one disk, whichever kind it is, made into what the agent tells of it."""

from typing import Final, Literal, TypeAlias

import msgspec

from beszel_agent.severity import CONCERN, FAILED, Finding, in_words, worst
from beszel_agent.smart import nvme, scsi
from beszel_agent.smart.ata import parse_ata
from beszel_agent.smart.document import (
    DISK_FAILING,
    SELF_TEST_FAILED,
    Document,
    find,
    find_count,
    find_text,
    messages,
)
from beszel_agent.smart.nvme import nvme_capacity, parse_nvme
from beszel_agent.smart.present import is_virtual
from beszel_agent.smart.scsi import parse_scsi
from beszel_protocol.disks import DiskReading
from beszel_protocol.hygiene import clean_text

Kind: TypeAlias = Literal["ata", "nvme", "scsi"]

_PARSERS: Final = {"ata": parse_ata, "nvme": parse_nvme, "scsi": parse_scsi}
_MAX_ATTRIBUTES: Final = 256
_MAX_MESSAGES: Final = 16


def parse_smart(document: Document, status: int) -> DiskReading | None:
    """None if the answer has nothing about the health of a disk."""
    kind = _kind_of(document)
    if kind is None:
        return None
    health = _PARSERS[kind](document)
    findings = [*_verdict(document, status), *health.findings]
    passed = find(document, "smart_status", "passed")
    self_test = find_text(document, "ata_smart_data", "self_test", "status", "string")
    return DiskReading(
        summary=msgspec.structs.replace(
            health.numbers,
            severity=worst(findings) if findings or passed is True else None,
            state=in_words(findings, "passed" if passed is True else "unknown"),
            device=find_text(document, "device", "name"),
            model=_clean(model_of(document)),
            type=kind,
            total_bytes=_capacity(document),
        ),
        serial=_clean(find_text(document, "serial_number")),
        firmware=_clean(find_text(document, "firmware_version") or find_text(document, "scsi_revision")),
        self_test=self_test,
        attributes=health.attributes[:_MAX_ATTRIBUTES],
        messages=[clean_text(text) for text in messages(document)][:_MAX_MESSAGES],
    )


def model_of(document: Document) -> str | None:
    return find_text(document, "model_name") or find_text(document, "scsi_model_name")


def is_virtual_document(document: Document) -> bool:
    return is_virtual(model_of(document), find_text(document, "scsi_vendor"), find_text(document, "scsi_product"))


def _kind_of(document: Document) -> Kind | None:
    """By the sections that are there: behind some controllers the name of the protocol is the controller's."""
    if isinstance(find(document, nvme.LOG), dict):
        return "nvme"
    if isinstance(find(document, "ata_smart_attributes"), dict) or isinstance(find(document, "ata_smart_data"), dict):
        return "ata"
    if find(document, scsi.ERRORS) is not None or find(document, scsi.DEFECTS) is not None:
        return "scsi"
    if not isinstance(find(document, "smart_status", "passed"), bool):
        return None
    protocol = (find_text(document, "device", "protocol") or "").lower()
    return "nvme" if protocol == "nvme" else "ata" if protocol == "ata" else "scsi"


def _verdict(document: Document, status: int) -> list[Finding]:
    findings = []
    if find(document, "smart_status", "passed") is False or status & DISK_FAILING:
        findings.append(Finding(FAILED, "failing by its own account"))
    if find(document, "ata_smart_data", "self_test", "status", "passed") is False or status & SELF_TEST_FAILED:
        findings.append(Finding(CONCERN, "a self-test failed"))
    return findings


def _capacity(document: Document) -> int | None:
    return find_count(document, "user_capacity", "bytes") or nvme_capacity(document)


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_text(text)
