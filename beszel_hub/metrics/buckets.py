"""Readings and roll-ups gathered into buckets of equal length, aligned to the clock, for a chart or a list.

Pure. A bucket is named by its start; buckets without a reading hold None.
"""

import cmath
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise, repeat
from statistics import median
from typing import Any, Final, NamedTuple

from beszel_hub.metrics.folding import Cells, fold_columns, fold_readings
from beszel_hub.metrics.strands import Strand
from beszel_hub.metrics.summaries import Bucket, Number, main_value, merge
from beszel_hub.metrics.tier_columns import Columns
from beszel_protocol.metrics import Rollup

RESOLUTIONS_SECONDS: Final = (
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 14400, 21600, 28800, 57600, 86400,
    172800, 604800,
)  # fmt: skip
_SAMPLED_FOR_SPACING: Final = 200
_SPACING_TOLERANCE: Final = 1.25
"""An agent asked for one sample a second may take a little longer."""


class Run(NamedTuple):
    """Buckets with readings, without a gap between them."""

    first: int
    """Which of the grid's it begins with."""
    borders: list[int]
    """The positions of their first readings, and one more at the end."""


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
        self._divided: tuple[int, Sequence[int]] | None = None
        self._runs: list[Run] = []

    def runs(self, instants_ms: Sequence[int]) -> list[Run]:
        """The buckets that instants, which rise, lie in."""
        # Most series of a system are read at the same instants.
        key = (self.phase_ms, instants_ms)
        if key != self._divided:
            self._divided, self._runs = key, list(self._divide(instants_ms))
        return self._runs

    def _divide(self, instants_ms: Sequence[int]) -> Iterator[Run]:
        position = bisect_left(instants_ms, self.from_ms + self.phase_ms)
        stop = bisect_left(instants_ms, self.to_ms + self.phase_ms)
        run: Run | None = None
        while position < stop:
            index = (instants_ms[position] - self.phase_ms) // self.step_ms - self.first
            if run is None or index != run.first + len(run.borders) - 1:
                if run is not None:
                    yield run
                run = Run(index, [position])
            end_ms = (self.first + index + 1) * self.step_ms + self.phase_ms
            position = bisect_left(instants_ms, end_ms, position, stop)
            run.borders.append(position)
        if run is not None:
            yield run

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
        self._cells = Cells._make([0] * grid.count for _ in Cells._fields)

    def add_columns(self, columns: Columns, bucket_ms: int) -> None:
        """Buckets that fit into those of the grid."""
        factor = self._grid.step_ms // bucket_ms
        first, numbers = self._grid.first, columns.numbers
        position = bisect_left(numbers, first * factor)
        stop = bisect_left(numbers, (first + self._grid.count) * factor)
        while position < stop:
            index = numbers[position] // factor
            end = position + _whole_buckets(numbers, position, stop, factor) * factor
            if end > position:
                self._put(index - first, fold_columns(columns, position, end, factor))
            else:
                end = bisect_left(numbers, (index + 1) * factor, position, stop)
                self._put(index - first, fold_columns(columns, position, end, end - position))
            position = end

    def add_strand(self, strand: Strand) -> None:
        """Single readings."""
        for run in self._grid.runs(strand.instants_ms):
            cells = fold_readings(strand.values, run.borders, strand.places, is_counter=self._is_counter)
            self._put(run.first, cells)

    @property
    def buckets(self) -> list[Bucket]:
        """In the units of the readings."""
        return list(map(Bucket, *self._cells))

    def bucket_at(self, index: int) -> Bucket:
        return Bucket._make(column[index] for column in self._cells)

    @property
    def main(self) -> list[float | None]:
        """What the series' declaration has for an interval: the mean, for totals the last reading, and so on."""
        if self._rollup is not Rollup.MEAN:
            return [main_value(bucket, self._rollup, 0) for bucket in self.buckets]
        cells = self._cells
        return [  # what `main_value` is for most series, without asking for each bucket which it is
            None if not readings else low if (mean := total / readings) < low else min(mean, high)
            for readings, low, high, total in zip(cells.readings, cells.lows, cells.highs, cells.totals, strict=True)
        ]

    def main_at(self, index: int) -> float | None:
        return main_value(self.bucket_at(index), self._rollup, 0)

    @property
    def least(self) -> list[float | None]:
        return self._where_read(self._cells.lows)

    @property
    def greatest(self) -> list[float | None]:
        return self._where_read(self._cells.highs)

    def _where_read(self, column: list[Number]) -> list[float | None]:
        readings = self._cells.readings
        if all(readings):
            return [*column]
        return [value if count else None for value, count in zip(column, readings, strict=True)]

    def _put(self, index: int, cells: Cells) -> None:
        end = index + len(cells.readings)
        if any(self._cells.readings[index:end]):
            cells = self._merged(index, cells)
        columns: list[list[Any]] = [*self._cells]
        parts: list[list[Any]] = [*cells]
        for column, part in zip(columns, parts, strict=True):
            if part:
                column[index:end] = part

    def _merged(self, index: int, cells: Cells) -> Cells:
        """With what is there already."""
        zeros = repeat(0)
        added = enumerate(map(Bucket, *(column or zeros for column in cells)), index)
        merged = [merge((self.bucket_at(place), bucket), is_counter=self._is_counter) for place, bucket in added]
        return Cells._make(map(list, zip(*merged, strict=True)))


def _whole_buckets(numbers: Sequence[int], position: int, stop: int, factor: int) -> int:
    """How many buckets of the grid from here on have all of theirs until the first gap, if here one begins; else 0."""
    if numbers[position] % factor:
        return 0
    ahead = numbers[position] - position
    if numbers[stop - 1] - (stop - 1) != ahead:
        stop = position + bisect_right(range(position, stop), ahead, key=lambda each: numbers[each] - each)
    return (stop - position) // factor


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
