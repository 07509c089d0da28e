"""Readings and roll-ups gathered into buckets of equal length, aligned to the clock, for a chart or a list.

Pure. A bucket is named by its start; buckets without a reading hold None.
"""

import cmath
import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from beszel_hub.metrics.strands import Strand
from beszel_hub.metrics.summaries import NOTHING, Bucket, gain_between, main_value, merge, scaled_down, summarise
from beszel_hub.metrics.tier_codec import Columns
from beszel_protocol.metrics import Rollup

RESOLUTIONS_SECONDS: Final = (
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 14400, 21600, 28800, 57600, 86400,
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
        self.step_ms = resolution_seconds * 1000
        self.phase_ms = phase_ms
        self.first = from_ms // self.step_ms
        """The number of the first bucket since the epoch."""
        self.count = max(0, -(-to_ms // self.step_ms) - self.first)

    @property
    def from_ms(self) -> int:
        return self.first * self.step_ms

    @property
    def to_ms(self) -> int:
        return (self.first + self.count) * self.step_ms

    @property
    def timestamps_ms(self) -> list[int]:
        """The start of each bucket."""
        return [(self.first + index) * self.step_ms for index in range(self.count)]


class Aggregate:
    """One series over a grid. What is added must come in the order of time for what is last to be last."""

    def __init__(self, grid: Grid, rollup: Rollup) -> None:
        self._grid = grid
        self._rollup = rollup
        self._is_counter = rollup is Rollup.LAST
        self._cells: list[Bucket] = [NOTHING] * grid.count

    def add_columns(self, columns: Columns, bucket_ms: int, from_ms: int = 0) -> None:
        """Buckets that fit into those of the grid; of these, the ones from `from_ms` on."""
        factor = self._grid.step_ms // bucket_ms
        first, numbers = self._grid.first, columns.numbers
        position = bisect_left(numbers, max(first * factor, -(-from_ms // bucket_ms)))
        stop = bisect_left(numbers, (first + self._grid.count) * factor)
        merged = self._counted if self._is_counter else self._gauged
        unit, divisor = columns.unit, 10 ** (columns.places or 0)
        while position < stop:
            index = numbers[position] // factor
            # Without gaps, the next bucket of the grid begins where so many have passed.
            end = min(position + (index + 1) * factor - numbers[position], stop)
            if numbers[end - 1] >= (index + 1) * factor:
                end = bisect_left(numbers, (index + 1) * factor, position, end)
            self._put(index - first, merged(columns, position, end, unit, divisor))
            position = end

    def add_strand(self, strand: Strand) -> None:
        """Single readings."""
        first, step_ms, phase_ms = self._grid.first, self._grid.step_ms, self._grid.phase_ms
        instants, scale = strand.instants_ms, 10 ** (strand.places or 0)
        position = bisect_left(instants, first * step_ms + phase_ms)
        stop = bisect_left(instants, (first + self._grid.count) * step_ms + phase_ms)
        while position < stop:
            index = (instants[position] - phase_ms) // step_ms
            end = bisect_left(instants, (index + 1) * step_ms + phase_ms, position, stop)
            bucket = summarise(strand.values[position:end], is_counter=self._is_counter)
            self._put(index - first, scaled_down(bucket, scale))
            position = end

    @property
    def buckets(self) -> list[Bucket]:
        """In the units of the readings."""
        return self._cells

    @property
    def main(self) -> list[float | None]:
        """What the series' declaration has for an interval: the mean, for totals the last reading, and so on."""
        return [main_value(bucket, self._rollup, 0) for bucket in self._cells]

    def main_at(self, index: int) -> float | None:
        return main_value(self._cells[index], self._rollup, 0)

    @property
    def least(self) -> list[float | None]:
        return [bucket.low if bucket.readings else None for bucket in self._cells]

    @property
    def greatest(self) -> list[float | None]:
        return [bucket.high if bucket.readings else None for bucket in self._cells]

    def _put(self, index: int, bucket: Bucket) -> None:
        before = self._cells[index]
        self._cells[index] = merge((before, bucket), is_counter=self._is_counter) if before.readings else bucket

    @staticmethod
    def _gauged(columns: Columns, begin: int, end: int, unit: int, divisor: int) -> Bucket:
        return Bucket(
            sum(columns.counts[begin:end]),
            min(columns.lows[begin:end]) * unit / divisor,
            max(columns.highs[begin:end]) * unit / divisor,
            columns.lasts[end - 1] * unit / divisor,
            sum(columns.totals[begin:end]) * unit / divisor,
            0,
            0,
        )

    @staticmethod
    def _counted(columns: Columns, begin: int, end: int, unit: int, divisor: int) -> Bucket:
        steps = map(gain_between, columns.lasts[begin : end - 1], columns.firsts[begin + 1 : end])
        return Bucket(
            sum(columns.counts[begin:end]),
            min(columns.lows[begin:end]) * unit / divisor,
            max(columns.highs[begin:end]) * unit / divisor,
            columns.lasts[end - 1] * unit / divisor,
            0,
            columns.firsts[begin] * unit / divisor,
            (sum(columns.gains[begin:end]) + sum(steps)) * unit / divisor,
        )


def choose_resolution(span_ms: int, points: int, spacing_ms: float | None = None, finest_seconds: int = 1) -> int:
    """The finest resolution, in seconds, with at most `points` buckets, and not finer than the samples themselves.

    It is a multiple of `finest_seconds`, a tier's.
    """
    needed_seconds = span_ms / 1000 / max(1, points)
    if spacing_ms is not None:
        needed_seconds = max(needed_seconds, spacing_ms / 1000 / _SPACING_TOLERANCE)
    for seconds in RESOLUTIONS_SECONDS:
        if seconds >= needed_seconds and seconds % finest_seconds == 0:
            return seconds
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
