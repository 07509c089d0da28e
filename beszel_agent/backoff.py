"""How long to wait before the next try: exponential with full jitter, so that a thousand agents come back spread."""

from collections.abc import Callable
from typing import Final

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 300.0
STABLE_SECONDS: Final = 10.0
"""A connection that lasted this long was a good one."""


class Backoff:
    def __init__(self, random: Callable[[], float]) -> None:
        """`random` draws from [0, 1)."""
        self._random = random
        self._failures = 0
        self._short_connections = 0

    def next_delay(self) -> float:
        """Seconds before the next try; up to 1 s at first, up to twice that each time, at most 5 min."""
        ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return ceiling * self._random()

    def connected_for(self, seconds: float) -> None:
        """A welcomed connection ended. The next try comes soon, unless one short connection follows the other."""
        self._short_connections = 0 if seconds >= STABLE_SECONDS else self._short_connections + 1
        self._failures = max(0, self._short_connections - 1)
