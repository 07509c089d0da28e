"""Readings and roll-ups gathered into buckets of equal length, aligned to the clock, for a chart or a list.

Pure. A bucket is named by its start; buckets without a reading hold None.
"""

import cmath
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, repeat
from statistics import median
from typing import Final

from beszel_hub.metrics.strands import Strand
from beszel_hub.metrics.summaries import (
    NOTHING,
    Bucket,
    Number,
    gain_between,
    main_value,
    merge,
    scaled_down,
    summarise,
)
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
        while position < stop:
            index = numbers[position] // factor
            run = _whole_buckets(numbers, position, stop, factor)
            if run:
                end = position + run * factor
                self._put_run(index - first, list(_fold_run(columns, position, end, factor)))
            else:
                end = bisect_left(numbers, (index + 1) * factor, position, stop)
                for bucket in _fold_run(columns, position, end, end - position):
                    self._put(index - first, bucket)
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
        if self._rollup is not Rollup.MEAN:
            return [main_value(bucket, self._rollup, 0) for bucket in self._cells]
        return [  # what `main_value` is for most series, without asking for each bucket which it is
            None if not readings else low if (mean := total / readings) < low else min(mean, high)
            for readings, low, high, _, total, _, _ in self._cells
        ]

    def main_at(self, index: int) -> float | None:
        return main_value(self._cells[index], self._rollup, 0)

    @property
    def least(self) -> list[float | None]:
        return [bucket.low if bucket.readings else None for bucket in self._cells]

    @property
    def greatest(self) -> list[float | None]:
        return [bucket.high if bucket.readings else None for bucket in self._cells]

    def _put_run(self, index: int, buckets: list[Bucket]) -> None:
        end = index + len(buckets)
        if self._cells[index:end].count(NOTHING) == len(buckets):
            self._cells[index:end] = buckets
        else:
            for offset, bucket in enumerate(buckets):
                self._put(index + offset, bucket)

    def _put(self, index: int, bucket: Bucket) -> None:
        before = self._cells[index]
        self._cells[index] = merge((before, bucket), is_counter=self._is_counter) if before.readings else bucket


def _whole_buckets(numbers: Sequence[int], position: int, stop: int, factor: int) -> int:
    """How many buckets of the grid from here on have all of theirs, if there is no gap until the stop; else 0."""
    if numbers[position] % factor or numbers[stop - 1] - numbers[position] != stop - 1 - position:
        return 0
    return (stop - position) // factor


def _fold_run(columns: Columns, begin: int, end: int, factor: int) -> Iterator[Bucket]:
    """Buckets made of `factor` each, in the units of the readings."""
    unit, divisor = columns.unit, 10 ** (columns.places or 0)

    def strides(column: Sequence[Number]) -> list[Sequence[Number]]:
        """The first of each bucket, the second of each, and so on."""
        return [column[begin + offset : end : factor] for offset in range(factor)]

    def scaled(column: Iterable[Number]) -> list[float]:
        return [number * unit / divisor for number in column]

    readings = map(sum, zip(*strides(columns.counts), strict=True)) if factor > 1 else iter(columns.counts[begin:end])
    lows, highs = strides(columns.lows), strides(columns.highs)
    least = scaled(map(min, *lows) if factor > 1 else lows[0])
    greatest = scaled(map(max, *highs) if factor > 1 else highs[0])
    zeros = repeat(0)
    if not columns.is_counter:
        totals = scaled(map(sum, zip(*strides(columns.totals), strict=True)))
        newest = zeros if columns.is_brief else scaled(columns.lasts[begin + factor - 1 : end : factor])
        return map(Bucket, readings, least, greatest, newest, totals, zeros, zeros)
    lasts, newest = strides(columns.lasts), scaled(columns.lasts[begin + factor - 1 : end : factor])
    if columns.is_brief:
        return map(Bucket, readings, least, greatest, newest, zeros, zeros, zeros)
    firsts = strides(columns.firsts)
    steps = [map(gain_between, before, after) for before, after in zip(lasts, firsts[1:], strict=False)]
    gains = scaled(map(sum, zip(*strides(columns.gains), *steps, strict=True)))
    return map(Bucket, readings, least, greatest, newest, zeros, scaled(firsts[0]), gains)


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
