"""Readings gathered into buckets of equal length, aligned to the clock: least, mean and greatest of each, or a gap.

Pure. A bucket is named by its start; buckets without a reading hold None.
"""

import cmath
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from beszel_hub.metrics.series_lookup import Readings

RESOLUTIONS_SECONDS: Final = (
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 14400, 21600, 28800, 43200, 86400,
    172800, 604800,
)  # fmt: skip
_SAMPLED_FOR_SPACING: Final = 200
_SPACING_TOLERANCE: Final = 1.25
"""An agent asked for one sample a second may take a little longer."""


class Grid:
    """Buckets of one resolution between two instants."""

    def __init__(self, from_ms: int, to_ms: int, resolution_seconds: int, phase_ms: int = 0) -> None:
        """`phase_ms` moves readings, not buckets: see `phase_of`."""
        self.resolution_seconds = resolution_seconds
        self._step_ms = resolution_seconds * 1000
        self._phase_ms = phase_ms
        self._first = from_ms // self._step_ms
        self.count = max(0, -(-to_ms // self._step_ms) - self._first)

    @property
    def timestamps_ms(self) -> list[int]:
        """The start of each bucket."""
        return [(self._first + index) * self._step_ms for index in range(self.count)]

    def indices(self, instants_ms: Iterable[int]) -> list[int]:
        """The bucket of each instant; outside of the grid it is below 0 or not below `count`."""
        step_ms, first, phase_ms = self._step_ms, self._first, self._phase_ms
        return [(instant_ms - phase_ms) // step_ms - first for instant_ms in instants_ms]


class Aggregate:
    """Least, mean and greatest of one series over a grid."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._sums = [0.0] * count
        self._numbers = [0] * count
        self._least = [math.inf] * count
        self._greatest = [-math.inf] * count

    def add(self, indices: Sequence[int], readings: Readings) -> None:
        for index, reading in zip(indices, readings, strict=True):
            if reading is None or not 0 <= index < self._count:
                continue
            self._sums[index] += reading
            self._numbers[index] += 1
            self._least[index] = min(self._least[index], reading)
            self._greatest[index] = max(self._greatest[index], reading)

    @property
    def mean(self) -> list[float | None]:
        # Rounding may carry the mean of equal readings past them.
        return [
            min(max(total / number, least), greatest) if number else None
            for total, number, least, greatest in zip(
                self._sums, self._numbers, self._least, self._greatest, strict=True
            )
        ]

    @property
    def least(self) -> list[float | None]:
        return [value if number else None for value, number in zip(self._least, self._numbers, strict=True)]

    @property
    def greatest(self) -> list[float | None]:
        return [value if number else None for value, number in zip(self._greatest, self._numbers, strict=True)]


def choose_resolution(span_ms: int, points: int, spacing_ms: float | None = None) -> int:
    """The finest resolution, in seconds, with at most `points` buckets, and not finer than the samples themselves."""
    needed_seconds = span_ms / 1000 / max(1, points)
    if spacing_ms is not None:
        needed_seconds = max(needed_seconds, spacing_ms / 1000 / _SPACING_TOLERANCE)
    index = bisect_left(RESOLUTIONS_SECONDS, needed_seconds)
    if index < len(RESOLUTIONS_SECONDS):
        return RESOLUTIONS_SECONDS[index]
    return math.ceil(needed_seconds / RESOLUTIONS_SECONDS[-1]) * RESOLUTIONS_SECONDS[-1]


def spacing_of(instants_ms: Sequence[int]) -> float | None:
    """The usual time between two samples, None with fewer than two."""
    newest = sorted(instants_ms[-_SAMPLED_FOR_SPACING:])
    steps = [after - before for before, after in pairwise(newest) if after > before]
    return median(steps) if steps else None


def phase_of(instants_ms: Sequence[int], resolution_seconds: int) -> int:
    """By how much readings are moved so that a steady stream fills every bucket exactly once.

    Samples come once per `resolution_seconds`, give or take some milliseconds. Where they happen to fall on the border
    of two buckets that jitter would leave one empty and put two into the next; moving all of them by the same part of a
    bucket puts them into the middle. Returns milliseconds between plus and minus half a bucket.
    """
    step_ms = resolution_seconds * 1000
    direction = sum(cmath.exp(2j * math.pi * (instant_ms % step_ms) / step_ms) for instant_ms in instants_ms)
    if abs(direction) < 0.5 * len(instants_ms):
        return 0
    mean_ms = cmath.phase(direction) / (2 * math.pi) * step_ms % step_ms
    return round(mean_ms - step_ms / 2)
