"""An instant on two clocks: one for how long things last, one for when they were."""

from typing import NamedTuple


class Moment(NamedTuple):
    """Durations are measured on the monotonic clock, so that setting the hub's clock fires and ends no alert."""

    monotonic_ms: int
    wall_ms: int
    """Since the epoch."""

    def wall_of(self, monotonic_ms: int) -> int:
        """When something was on the wall clock, by the wall clock of now."""
        return self.wall_ms - (self.monotonic_ms - monotonic_ms)

    def monotonic_of(self, wall_ms: int) -> int:
        """The other way round; what lies in the future is now."""
        return self.monotonic_ms - max(0, self.wall_ms - wall_ms)
