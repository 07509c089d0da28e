"""What longer intervals keep of a series: how many readings, their sum, least, greatest, last; what a counter gained.

Pure. Readings are whole numbers, `10 ** places` times what was read, so that sums are exact and merging buckets gives
just what the readings themselves would have given. Series that are no decimals of a few places are kept as doubles
(`places` is None); their sums are as exact as doubles are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress, pairwise
from operator import lt
from typing import Final, NamedTuple, TypeAlias

from beszel_protocol.metrics import Rollup

Number: TypeAlias = int | float


class Bucket(NamedTuple):
    """One series over one interval. With 0 `readings`, nothing else means anything.

    What rolls up as its last reading is a counter: it has `first` and `gain`, which are 0 for others, and no `total`.
    """

    readings: int
    low: Number
    high: Number
    last: Number
    total: Number
    first: Number
    gain: Number
    """How much a counter rose from the first reading to the last; where it fell, it had started again at zero."""


NOTHING: Final = Bucket(0, 0, 0, 0, 0, 0, 0)


def summarise(readings: Sequence[Number], *, is_counter: bool) -> Bucket:
    """`readings` in the order of time, without gaps."""
    if not readings:
        return NOTHING
    count, low, high, last = len(readings), min(readings), max(readings), readings[-1]
    if is_counter:
        return Bucket(count, low, high, last, 0, readings[0], gain_over(readings))
    return Bucket(count, low, high, last, sum(readings), 0, 0)


def gain_over(readings: Sequence[Number]) -> Number:
    """What a counter gained over these readings."""
    gained = readings[-1] - readings[0]
    # At every fall it started again at zero, so what it had shown before counts too.
    if any(map(lt, readings[1:], readings)):
        gained += sum(before for before, after in pairwise(readings) if after < before)
    return gained


def gain_between(before: Number, after: Number) -> Number:
    """What a counter gained from one reading to the next."""
    return after - before if after >= before else after


def merge(buckets: Iterable[Bucket], *, is_counter: bool) -> Bucket:
    """Buckets of one series, in the order of time, as one."""
    present = [bucket for bucket in buckets if bucket.readings]
    if not present:
        return NOTHING
    counts, lows, highs, lasts, totals, firsts, gains = zip(*present, strict=True)
    count, low, high, last = sum(counts), min(lows), max(highs), lasts[-1]
    if is_counter:
        return Bucket(count, low, high, last, 0, firsts[0], sum(gains) + sum(map(gain_between, lasts, firsts[1:])))
    return Bucket(count, low, high, last, sum(totals), 0, 0)


@dataclass(slots=True)
class Summary:
    """One series over consecutive buckets of one resolution: `buckets[0]` is number `start` since the epoch."""

    start: int
    buckets: list[Bucket]
    places: int | None
    is_counter: bool

    @property
    def end(self) -> int:
        """The number after the last bucket's."""
        return self.start + len(self.buckets)

    def append(self, number: int, bucket: Bucket, places: int | None) -> None:
        """Add a bucket later than all before it, whose numbers have `places`."""
        if places != self.places:
            common = common_places(self.places, places)
            self.buckets = rescale(self.buckets, self.places, common)
            (bucket,) = rescale([bucket], places, common)
            self.places = common
        missing = number - self.end
        if missing > 0:
            self.buckets.extend([NOTHING] * missing)
        self.buckets.append(bucket)

    def cut(self, start: int, end: int) -> "Summary | None":
        """The buckets from `start` until before `end`; None if none of them has a reading."""
        first, last = max(start, self.start), min(end, self.end)
        if first >= last:
            return None
        return trimmed(replace(self, start=first, buckets=self.buckets[first - self.start : last - self.start]))

    def coarsened(self, factor: int) -> "Summary":
        """The same in buckets that are `factor` times as long."""
        first = self.start // factor
        buckets = []
        for number in range(first, -(-self.end // factor)):
            begin = max(0, number * factor - self.start)
            buckets.append(merge(self.buckets[begin : (number + 1) * factor - self.start], is_counter=self.is_counter))
        return replace(self, start=first, buckets=buckets)


def join(parts: Iterable[Summary]) -> Summary | None:
    """Summaries of one series that lie apart in time, as one."""
    ordered = sorted(parts, key=lambda part: part.start)
    if not ordered:
        return None
    places = ordered[0].places
    for part in ordered[1:]:
        places = common_places(places, part.places)
    joined = Summary(ordered[0].start, [], places, ordered[0].is_counter)
    for part in ordered:
        joined.buckets.extend([NOTHING] * (part.start - joined.end))
        joined.buckets.extend(rescale(part.buckets, part.places, places))
    return joined


def add_late(before: Summary, late: Summary) -> Summary:
    """`before` and readings that were not among its own, where no one can tell any more in which order they came.

    Exact but for the last reading, the first, and what a counter gained, in buckets that both have.
    """
    start, end = min(before.start, late.start), max(before.end, late.end)
    places = common_places(before.places, late.places)
    one, other = (_stretched(part, start, end, places) for part in (before, late))
    buckets = [_add(mine, theirs) for mine, theirs in zip(one, other, strict=True)]
    return Summary(start, buckets, places, before.is_counter)


def trimmed(summary: Summary) -> Summary | None:
    """Without empty buckets at the ends; None if there is nothing else."""
    counts = [bucket.readings for bucket in summary.buckets]
    filled = list(compress(range(len(counts)), counts))
    if not filled:
        return None
    if len(filled) == len(counts):
        return summary
    first, last = filled[0], filled[-1] + 1
    return replace(summary, start=summary.start + first, buckets=summary.buckets[first:last])


def common_places(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def rescale(buckets: list[Bucket], places: int | None, wanted: int | None) -> list[Bucket]:
    """The same numbers, written with `wanted` places."""
    if places == wanted or places is None:
        return buckets
    if wanted is None:
        divisor = 10**places
        return [Bucket(bucket.readings, *(number / divisor for number in bucket[1:])) for bucket in buckets]
    factor = 10 ** (wanted - places)
    return [Bucket(bucket.readings, *(number * factor for number in bucket[1:])) for bucket in buckets]


def scaled_down(bucket: Bucket, scale: int) -> Bucket:
    """The bucket in the units of the readings, whose numbers are `scale` times as large."""
    return bucket if scale == 1 else Bucket(bucket.readings, *(number / scale for number in bucket[1:]))


def main_value(bucket: Bucket, rollup: Rollup, places: int | None) -> float | None:
    """What the series' declaration says is to be shown for an interval; None where nothing was read."""
    if not bucket.readings:
        return None
    divisor = 10.0 ** (places or 0)
    if rollup is Rollup.LAST:
        return bucket.last / divisor
    if rollup is Rollup.MAX:
        return bucket.high / divisor
    if rollup is Rollup.SUM:
        return bucket.total / divisor
    return min(max(bucket.total / bucket.readings, bucket.low), bucket.high) / divisor


def _stretched(part: Summary, start: int, end: int, places: int | None) -> list[Bucket]:
    buckets = rescale(part.buckets, part.places, places)
    return [NOTHING] * (part.start - start) + buckets + [NOTHING] * (end - part.end)


def _add(before: Bucket, late: Bucket) -> Bucket:
    if not before.readings or not late.readings:
        return before if before.readings else late
    low, high = min(before.low, late.low), max(before.high, late.high)
    return before._replace(
        readings=before.readings + late.readings, total=before.total + late.total, low=low, high=high
    )
