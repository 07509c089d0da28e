"""Many readings, or short buckets, folded into few long ones: a column at once, since a chart has thousands. Pure."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, repeat
from operator import add, truediv
from typing import Final, NamedTuple, TypeVar

from beszel_hub.metrics.summaries import Number, gain_between, gain_over
from beszel_hub.metrics.tier_columns import Columns

T = TypeVar("T", int, Number)

_FEW: Final = 16
"""Up to so many in a bucket, it is quicker to choose from as many columns than to put those of a bucket together."""


class Cells(NamedTuple):
    """Buckets side by side, in the units of the readings: a column for each field of `Bucket`, empty for zeros."""

    readings: list[int]
    lows: list[Number]
    highs: list[Number]
    lasts: list[Number]
    totals: list[Number]
    firsts: list[Number]
    gains: list[Number]


def fold_columns(columns: Columns, begin: int, end: int, factor: int) -> Cells:
    """Buckets of which each is made of `factor`, from those between two positions."""
    unit, divisor = columns.unit, 10 ** (columns.places or 0)

    def scaled(numbers: Iterable[Number]) -> list[Number]:
        if unit == 1:
            return list(map(truediv, numbers, repeat(divisor)))
        return [number * unit / divisor for number in numbers]

    cells = Cells(
        readings=_readings(columns.counts[begin:end], factor),
        lows=scaled(_extremes(columns.lows[begin:end], factor, min)),
        highs=scaled(_extremes(columns.highs[begin:end], factor, max)),
        lasts=scaled(columns.lasts[begin + factor - 1 : end : factor]),
        totals=scaled(_totals(columns, begin, end, factor)),
        firsts=scaled(columns.firsts[begin:end:factor]),
        gains=[],
    )
    return cells._replace(gains=scaled(_gains(columns, begin, end, factor))) if columns.gains else cells


def fold_readings(values: Sequence[Number], borders: Sequence[int], places: int | None, *, is_counter: bool) -> Cells:
    """Buckets of the readings between each two borders, which are positions; none of them is empty."""
    scale = 10 ** (places or 0)

    def scaled(numbers: Iterable[Number]) -> list[Number]:
        return list(numbers) if scale == 1 else list(map(truediv, numbers, repeat(scale)))

    parts = [values[begin:end] for begin, end in pairwise(borders)]
    return Cells(
        readings=list(map(len, parts)),
        lows=scaled(map(min, parts)),
        highs=scaled(map(max, parts)),
        lasts=scaled([part[-1] for part in parts]),
        totals=[] if is_counter else scaled(map(sum, parts)),
        firsts=scaled([part[0] for part in parts]) if is_counter else [],
        gains=scaled(map(gain_over, parts)) if is_counter else [],
    )


def _sums(column: Sequence[T], factor: int) -> Iterable[T]:
    return map(sum, _batches(column, factor)) if factor > 1 else column


def _extremes(column: Sequence[Number], factor: int, choose: Callable[..., Number]) -> Iterable[Number]:
    if 1 < factor <= _FEW:
        return map(choose, *(column[offset::factor] for offset in range(factor)))
    return map(choose, _batches(column, factor)) if factor > 1 else column


def _batches(column: Sequence[T], size: int) -> Iterable[tuple[T, ...]]:
    return zip(*[iter(column)] * size, strict=True)


def _readings(counts: Sequence[int], factor: int) -> list[int]:
    if _are_alike(counts):
        return [counts[0] * factor] * (len(counts) // factor)
    return list(_sums(counts, factor))


def _totals(columns: Columns, begin: int, end: int, factor: int) -> Iterable[Number]:
    counts = columns.counts[begin:end]
    if not columns.means or not _are_alike(counts):
        return _sums(columns.totals(begin, end), factor)
    sums = zip(_sums(columns.means[begin:end], factor), _sums(columns.rests[begin:end], factor), strict=True)
    return [means * counts[0] + rests for means, rests in sums]


def _are_alike(counts: Sequence[int]) -> bool:
    """As those of most buckets are."""
    return counts.count(counts[0]) == len(counts)


def _gains(columns: Columns, begin: int, end: int, factor: int) -> Iterable[Number]:
    """What the buckets gained, and what was gained from each to the next, but not from one long bucket to the next."""
    steps: list[Number] = [0, *map(gain_between, columns.lasts[begin : end - 1], columns.firsts[begin + 1 : end])]
    steps[::factor] = [0] * len(steps[::factor])
    return _sums(list(map(add, columns.gains[begin:end], steps)), factor)
