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
        self._next_at = float("-inf")
        self._has_baseline = False

    def is_due(self, now: float) -> bool:
        return now >= self._next_at - _SLACK_SECONDS

    def spent(self, now: float, cost_seconds: float) -> None:
        """A reading at `now` took that much processor time; the dearer it was, the longer until the next.

        The very first is the baseline of rates, so the second is due at once.
        """
        if self._has_baseline:
            self._next_at = now + max(self._seconds, cost_seconds / self._budget_share)
        self._has_baseline = True
