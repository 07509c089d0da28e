"""How much one agent may send: a bucket that fills at a steady rate, so a flood slows down nobody but its sender."""

from typing import Final

SUSTAINED_BYTES_PER_SECOND: Final = 1 << 20
BURST_BYTES: Final = 8 << 20
FRAME_COST_BYTES: Final = 2 << 10
"""Counted for every frame on top of its size, so that a flood of tiny frames is a flood too."""


class Pace:
    __slots__ = ("_at_seconds", "_burst", "_level", "_rate")

    def __init__(self, now_seconds: float, *, rate: int = SUSTAINED_BYTES_PER_SECOND, burst: int = BURST_BYTES) -> None:
        self._rate = rate
        self._burst = burst
        self._level = float(burst)
        self._at_seconds = now_seconds

    def delay_seconds(self, frame_bytes: int, now_seconds: float) -> float:
        """Account for a frame; how long to wait before reading the next one."""
        earned = (now_seconds - self._at_seconds) * self._rate
        self._level = min(self._burst, self._level + max(0.0, earned)) - frame_bytes - FRAME_COST_BYTES
        self._at_seconds = now_seconds
        return max(0.0, -self._level / self._rate)
