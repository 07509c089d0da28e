"""What the parser of a kind of disk finds."""

from typing import NamedTuple

from beszel_agent.severity import Finding
from beszel_protocol.disks import DiskAttribute
from beszel_protocol.storage import SmartMetrics


class Health(NamedTuple):
    findings: list[Finding]
    attributes: list[DiskAttribute]
    numbers: SmartMetrics
