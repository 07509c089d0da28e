"""The action `disk_detail`: everything that a host knows of its disks, on request."""

import msgspec

from beszel_protocol.storage import SmartMetrics


class DiskAttribute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class DiskReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a disk says of itself."""

    summary: SmartMetrics
    serial: str | None = None
    firmware: str | None = None
    self_test: str | None = None
    """How the last one ended."""
    attributes: list[DiskAttribute] = []
    messages: list[str] = []
    """Complaints of smartctl."""


class DiskDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    key: str
    """Under which the samples have it."""
    device: str = ""
    asleep: bool = False
    """It was left asleep; what follows is what it said before."""
    age_seconds: float | None = None
    """Of the reading."""
    problem: str | None = None
    """Why the last attempt told nothing."""
    reading: DiskReading | None = None


class DiskDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    disks: list[DiskDetail]
    reason: str | None = None
    """Why there are none."""
