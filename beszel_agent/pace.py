"""When something that costs more than every sample should is read, so that on average it stays within its budget."""

from typing import Final

_BUDGET_SHARE: Final = 0.0001
"""Of one core: 0.1 ms a second."""
_SLACK_SECONDS: Final = 0.05
"""Samples come at whole seconds, give or take what the loop was busy with."""


class Pace:
    """The pace of one collector, which tells it what each reading cost."""

    def __init__(self, seconds: float, *, budget_share: float = _BUDGET_SHARE) -> None:
        """`seconds` is the shortest time between two readings."""
        self._seconds, self._budget_share = seconds, budget_share
        self._has_baseline = False

    def due_after(self, now: float, cost_seconds: float) -> float:
        """When to read again, after a reading at `now` that took that much processor time: the dearer, the later.

        The very first is the baseline of rates, so the second is due at once.
        """
        if not self._has_baseline:
            self._has_baseline = True
            return now
        return now + max(self._seconds, cost_seconds / self._budget_share) - _SLACK_SECONDS
