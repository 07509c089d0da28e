"""When a reading really happened, told from an agent whose wall clock may be wrong.

`boot_ms` of a record (CLOCK_BOOTTIME) never jumps. Together with the hub's clock it dates every record of the boot that
the agent is in; the agent's own time stamp is believed as long as it agrees. Skew never refuses a record.
"""

from typing import Final, NamedTuple

import msgspec

SKEW_LIMIT_MS: Final = 60_000
"""A wall clock that is further off than this is not believed."""
_DRIFT_DIVISOR: Final = 1000
"""How fast the estimate may follow a drifting clock: one millisecond a second."""


class BootAnchor(NamedTuple):
    """Ties an agent's boot clock to the hub's clock."""

    offset_ms: int
    """The hub's instant at which the agent's boot clock showed 0."""
    observed_ms: int
    """The hub's clock when the offset was last estimated."""

    def instant_of(self, boot_ms: int) -> int:
        return self.offset_ms + boot_ms


class Dating(msgspec.Struct, frozen=True):
    """The instant a record is stored under, and why it is not the agent's own."""

    instant_ms: int
    skew_ms: int | None = None
    """How far the agent's wall clock was ahead, if that moved the record."""
    earlier_boot: bool = False
    """The record comes from before the host's last start, so nothing but its own time stamp dates it."""


def drop_anchor(boot_ms: int, hub_now_ms: int) -> BootAnchor:
    """The first estimate of a connection, from the boot clock in `enrol`."""
    return BootAnchor(hub_now_ms - boot_ms, hub_now_ms)


def adjust_anchor(anchor: BootAnchor, boot_ms: int, hub_now_ms: int) -> BootAnchor:
    """Take a live record into account.

    A record that was held up on its way makes the offset look larger than it is, so the smallest counts; the estimate
    rises by no more than what a drifting clock explains.
    """
    elapsed_ms = max(0, hub_now_ms - anchor.observed_ms)
    allowed_ms = anchor.offset_ms + elapsed_ms // _DRIFT_DIVISOR
    return BootAnchor(min(hub_now_ms - boot_ms, allowed_ms), hub_now_ms)


def date_record(timestamp_ms: int, boot_ms: int, anchor: BootAnchor, *, hub_now_ms: int) -> Dating:
    """Choose between the agent's time stamp and its boot clock.

    Nothing is dated later than the hub's now by more than the limit.
    """
    expected_ms = anchor.instant_of(boot_ms)
    latest_ms = hub_now_ms + SKEW_LIMIT_MS
    if abs(timestamp_ms - expected_ms) <= SKEW_LIMIT_MS:
        return Dating(min(timestamp_ms, latest_ms))
    return Dating(max(0, min(expected_ms, latest_ms)), skew_ms=timestamp_ms - expected_ms)


def date_earlier_boot(timestamp_ms: int, anchor: BootAnchor, *, hub_now_ms: int) -> Dating:
    """A record of an earlier boot has only its own time stamp, and cannot be younger than this boot."""
    latest_ms = max(0, min(anchor.offset_ms, hub_now_ms) + SKEW_LIMIT_MS)
    if timestamp_ms <= latest_ms:
        return Dating(timestamp_ms, earlier_boot=True)
    return Dating(latest_ms, skew_ms=timestamp_ms - latest_ms, earlier_boot=True)
