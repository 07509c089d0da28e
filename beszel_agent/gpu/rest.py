"""Lets a GPU with nothing to do fall asleep: reading it every few seconds would keep it awake for ever."""

from typing import Final

from beszel_protocol.sample import GpuMetrics

IDLE: Final = "idle"
SUSPENDED: Final = "suspended"

_REST_SECONDS: Final = 60.0
"""Longer than the delay after which drivers let an idle device sleep."""
_VAIN_RESTS: Final = 3
"""After so many from which it did not fall asleep it is read again and again: something else keeps it awake."""


class Rests:
    """Of the GPUs of one reader, by any key."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._in_vain: dict[str, int] = {}

    def instead_of_reading(self, key: str, name: str | None, now: float, *, is_suspended: bool) -> GpuMetrics | None:
        """All that can be said of a GPU that is not to be touched now; None of one that is to be read."""
        if is_suspended:
            self._until.pop(key, None)
            self._in_vain.pop(key, None)
            return GpuMetrics(name=name, state=SUSPENDED, usage_percent=0.0)
        if now < self._until.get(key, now):
            return GpuMetrics(name=name, state=IDLE)
        return None

    def let_rest(self, key: str, now: float) -> None:
        """It has nothing to do and may sleep."""
        self._in_vain[key] = self._in_vain.get(key, 0) + 1
        if self._in_vain[key] <= _VAIN_RESTS:
            self._until[key] = now + _REST_SECONDS
