"""What was read of one disk."""

from typing import NamedTuple

import msgspec

from beszel_agent.severity import Finding
from beszel_protocol.sample import SmartMetrics


class Attribute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a disk's own table."""

    name: str
    raw: str
    """As the disk's maker counts it."""
    id: int | None = None
    value: int | None = None
    """Normalized: it counts down to the threshold."""
    worst: int | None = None
    threshold: int | None = None
    failed: str | None = None
    """`now` or `past`, if it reached its threshold."""


class SmartReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that goes to whoever asks for the details of a disk."""

    summary: SmartMetrics
    serial: str | None = None
    firmware: str | None = None
    self_test: str | None = None
    """How the last one ended."""
    attributes: list[Attribute] = []
    messages: list[str] = []
    """Complaints of smartctl."""


class Health(NamedTuple):
    """What the parser of a kind of disk finds."""

    findings: list[Finding]
    attributes: list[Attribute]
    numbers: SmartMetrics
