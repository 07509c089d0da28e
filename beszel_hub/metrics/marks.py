"""What may be doubtful about a stored sample's place in time; a bit set, so that history keeps it in a byte."""

import enum

from beszel_hub.metrics.skew import Dating


class Mark(enum.IntFlag):
    SKEWED = 1
    """The agent's wall clock was wrong; its boot clock dated the sample."""
    EARLIER_BOOT = 2
    """Only its own time stamp dates the sample."""


def mark_of(dating: Dating) -> Mark:
    mark = Mark(0)
    if dating.skew_ms is not None:
        mark |= Mark.SKEWED
    if dating.earlier_boot:
        mark |= Mark.EARLIER_BOOT
    return mark
