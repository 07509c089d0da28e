"""Readings of one system over one bounded span, as they were sampled or gathered into buckets."""

from typing import Final, NamedTuple

from beszel_hub.export.queries import next_instant
from beszel_hub.export.samples import SampleReader, Value
from beszel_hub.export.selection import Names, Selection
from beszel_hub.metrics.series import WINDOW_MS
from beszel_hub.metrics.series_tiers import read_covered
from beszel_hub.metrics.summaries import Bucket, scaled_down
from beszel_hub.metrics.tiers import HOUR_MS, TIERS, Tier, tier_of
from beszel_protocol.addresses import Address
from beszel_protocol.metrics import Rollup

BUCKETS_AT_ONCE: Final = 360
"""Of a tier, whose chunks hold a day of minutes or more."""


class Reading(NamedTuple):
    """One series at one moment; of a single sample, all its values are the same."""

    address: Address
    metric: str
    value: float
    least: float
    greatest: float
    samples: int


class Moment(NamedTuple):
    """An instant, or the start of a bucket, with its readings by the name of their metric."""

    instant_ms: int
    readings: list[Reading]


class Page(NamedTuple):
    """What `read_page` found, and where the next page starts."""

    moments: list[Moment]
    next_ms: int


class PageReader:
    """Reads pages of any system. `resolution_seconds` None is every sample as it is."""

    def __init__(self, selection: Selection, resolution_seconds: int | None = None) -> None:
        self._names = Names(selection)
        self._samples = SampleReader(self._names)
        self._step_ms = None if resolution_seconds is None else resolution_seconds * 1000
        tier = None if resolution_seconds is None else tier_of(resolution_seconds)
        self._tiers = [] if tier is None else [each for each in reversed(TIERS) if each.seconds <= tier.seconds]
        self._span_ms = _span_of(self._step_ms, tier)

    def align(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """The span in whole buckets."""
        if self._step_ms is None:
            return from_ms, to_ms
        return from_ms - from_ms % self._step_ms, -(-to_ms // self._step_ms) * self._step_ms

    def read_page(self, system_id: str, from_ms: int, to_ms: int) -> Page | None:
        """The next readings with `from_ms <= instant < to_ms`, None if there are no more; runs in `Database.read`."""
        found_ms = next_instant(system_id, from_ms, to_ms, self._tiers)
        if found_ms is None:
            return None
        page_ms = found_ms - found_ms % self._span_ms
        start_ms, end_ms = max(from_ms, page_ms), min(page_ms + self._span_ms, to_ms)
        if self._step_ms is None:
            return Page(self._as_sampled(system_id, start_ms, end_ms), end_ms)
        return Page(self._in_buckets(system_id, start_ms, end_ms, self._step_ms), end_ms)

    def _as_sampled(self, system_id: str, from_ms: int, to_ms: int) -> list[Moment]:
        """One reading for each series and instant: if two samples of a system claim the same instant, the first."""
        by_instant: dict[int, dict[str, Reading]] = {}
        for name, values in self._samples.read(system_id, from_ms, to_ms):
            address = self._names.address(name)
            if address is not None:
                for instant_ms, value in values:
                    readings = by_instant.setdefault(instant_ms, {})
                    readings.setdefault(name, Reading(address, name, value, value, value, 1))
        return [
            Moment(instant_ms, [readings[name] for name in sorted(readings)])
            for instant_ms, readings in sorted(by_instant.items())
        ]

    def _in_buckets(self, system_id: str, from_ms: int, to_ms: int, step_ms: int) -> list[Moment]:
        """From the coarsest tier that fits; what is not rolled up yet from finer ones, and from single samples."""
        buckets = _Buckets(step_ms)
        covered_ms = from_ms
        for tier in self._tiers:
            covered_ms = self._add_tier(buckets, system_id, tier, (covered_ms, to_ms))
        while (found_ms := next_instant(system_id, covered_ms, to_ms)) is not None:
            covered_ms = min(found_ms - found_ms % HOUR_MS + HOUR_MS, to_ms)
            for name, values in self._samples.read(system_id, found_ms, covered_ms):
                address = self._names.address(name)
                if address is not None:
                    buckets.add_values(name, address, values)
        return buckets.moments()

    def _add_tier(self, buckets: "_Buckets", system_id: str, tier: Tier, span: tuple[int, int]) -> int:
        """Returns until when that is everything."""
        summaries, covered_ms = read_covered(system_id, tier, *span)
        for name, summary in summaries.items():
            address = self._names.address(name)
            if address is None:
                continue
            scale = 10 ** (summary.places or 0)
            for number, bucket in enumerate(summary.buckets, summary.start):
                if bucket.readings:
                    buckets.add_bucket(name, address, number * tier.bucket_ms, scaled_down(bucket, scale))
        return covered_ms


class _Series:
    """What one series did during one bucket."""

    __slots__ = ("address", "greatest", "last", "last_ms", "least", "samples", "total")

    def __init__(self, address: Address) -> None:
        self.address = address
        self.total = 0.0
        self.least, self.greatest = float("inf"), float("-inf")
        self.last, self.last_ms = 0.0, -1
        self.samples = 0

    def add(self, bucket: Bucket, instant_ms: int) -> None:
        self.total += bucket.total
        self.samples += bucket.readings
        self.least = min(self.least, bucket.low)
        self.greatest = max(self.greatest, bucket.high)
        if instant_ms >= self.last_ms:
            self.last, self.last_ms = bucket.last, instant_ms

    def reading(self, name: str) -> Reading:
        return Reading(self.address, name, self._main(), self.least, self.greatest, self.samples)

    def _main(self) -> float:
        metric = self.address.metric
        rollup = Rollup.MEAN if metric is None else metric.rollup
        if rollup is Rollup.MEAN:
            # Rounding may carry the mean of equal readings past them.
            return min(max(self.total / self.samples, self.least), self.greatest)
        return {Rollup.MAX: self.greatest, Rollup.LAST: self.last, Rollup.SUM: self.total}[rollup]


class _Buckets:
    """Buckets of one length, filled from readings or from shorter buckets, both in the order of time."""

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._buckets: dict[int, dict[str, _Series]] = {}

    def add_bucket(self, name: str, address: Address, instant_ms: int, bucket: Bucket) -> None:
        self._series(name, address, instant_ms).add(bucket, instant_ms)

    def add_values(self, name: str, address: Address, values: list[Value]) -> None:
        for instant_ms, value in values:
            one = Bucket(1, value, value, value, value, value, 0)
            self._series(name, address, instant_ms).add(one, instant_ms)

    def moments(self) -> list[Moment]:
        return [
            Moment(start_ms, [series[name].reading(name) for name in sorted(series)])
            for start_ms, series in sorted(self._buckets.items())
        ]

    def _series(self, name: str, address: Address, instant_ms: int) -> _Series:
        readings = self._buckets.setdefault(instant_ms - instant_ms % self._step_ms, {})
        series = readings.get(name)
        if series is None:
            series = readings[name] = _Series(address)
        return series


def _span_of(step_ms: int | None, tier: Tier | None) -> int:
    """How much time a page has: whole buckets, and not so many that the page is large."""
    if step_ms is None:
        return WINDOW_MS
    wanted_ms = WINDOW_MS if tier is None else BUCKETS_AT_ONCE * tier.bucket_ms
    return step_ms * max(1, wanted_ms // step_ms)
