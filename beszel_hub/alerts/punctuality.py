"""Whether a live sample is of now, told without believing any wall clock."""

from typing import Final

LATE_MS: Final = 90_000
"""A sample that was on its way for longer is of the past, and no alert is made of it."""
ADOPTED_AFTER_MS: Final = 60_000
"""Samples that stay late at their usual pace are not late: a clock was set."""


class Punctuality:
    """Compares the pace of a system's instants with that of the monotonic clock."""

    __slots__ = ("_late_since_ms", "_offset_ms")

    def __init__(self) -> None:
        self._offset_ms: int | None = None
        self._late_since_ms: int | None = None

    def is_late(self, instant_ms: int, monotonic_ms: int) -> bool:
        """Of a sample made at `instant_ms` by whatever clock, that has just arrived."""
        offset_ms = monotonic_ms - instant_ms
        if self._offset_ms is None or offset_ms < self._offset_ms:
            self._adopt(offset_ms)
        elif offset_ms - self._offset_ms <= LATE_MS:
            self._late_since_ms = None
        elif self._late_since_ms is None:
            self._late_since_ms = monotonic_ms
        elif monotonic_ms - self._late_since_ms > ADOPTED_AFTER_MS:
            self._adopt(offset_ms)
        return self._late_since_ms is not None

    def _adopt(self, offset_ms: int) -> None:
        self._offset_ms = offset_ms
        self._late_since_ms = None
