"""Readings of one system over one bounded span, as they were sampled or gathered into buckets."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from beszel_hub.export.queries import next_instant
from beszel_hub.export.selection import Selection
from beszel_hub.metrics.series import WINDOW_MS, read_entries
from beszel_protocol.addresses import Address, flatten
from beszel_protocol.metrics import Rollup
from beszel_protocol.sample import Metrics

_MAX_KNOWN: Final = 100_000
"""Addresses whose text is remembered."""


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
        self._selection = selection
        self._step_ms = None if resolution_seconds is None else resolution_seconds * 1000
        self._names: dict[Address, str | None] = {}

    def align(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """The span in whole buckets."""
        if self._step_ms is None:
            return from_ms, to_ms
        return from_ms - from_ms % self._step_ms, -(-to_ms // self._step_ms) * self._step_ms

    def read_page(self, system_id: str, from_ms: int, to_ms: int) -> Page | None:
        """The next readings with `from_ms <= instant < to_ms`, None if there are no more; runs in `Database.read`."""
        found_ms = next_instant(system_id, from_ms, to_ms)
        if found_ms is None:
            return None
        span_ms = self._span_ms
        start_ms = found_ms - found_ms % span_ms
        end_ms = min(start_ms + span_ms, to_ms)
        samples = self._samples(system_id, max(from_ms, start_ms), end_ms)
        moments = _as_sampled(samples) if self._step_ms is None else _in_buckets(samples, self._step_ms)
        return Page(moments, end_ms)

    @property
    def _span_ms(self) -> int:
        """Whole buckets, and not less than a chunk of history, which is read as a whole in any case."""
        if self._step_ms is None:
            return WINDOW_MS
        return self._step_ms * max(1, WINDOW_MS // self._step_ms)

    def _samples(self, system_id: str, from_ms: int, to_ms: int) -> Iterator[tuple[int, list["_Value"]]]:
        for entry in read_entries(system_id, from_ms, to_ms, self._selection.parts):
            try:
                metrics = msgspec.convert(entry.document, Metrics)
            except msgspec.ValidationError:
                continue
            yield (
                entry.instant_ms,
                [
                    _Value(address, name, value)
                    for address, value in flatten(metrics)
                    if (name := self._name(address)) is not None
                ],
            )

    def _name(self, address: Address) -> str | None:
        """The text of an address that is asked for."""
        try:
            return self._names[address]
        except KeyError:
            if len(self._names) >= _MAX_KNOWN:
                self._names.clear()
            name = self._names[address] = str(address) if self._selection.takes(address) else None
            return name


class _Value(NamedTuple):
    address: Address
    name: str
    value: float


class _Bucket:
    """What one series did during one bucket."""

    __slots__ = ("address", "greatest", "last", "last_ms", "least", "samples", "total")

    def __init__(self, address: Address, value: float, instant_ms: int) -> None:
        self.address = address
        self.total = 0.0
        self.least = self.greatest = self.last = value
        self.samples = 0
        self.last_ms = instant_ms

    def add(self, value: float, instant_ms: int) -> None:
        self.total += value
        self.samples += 1
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)
        if instant_ms >= self.last_ms:
            self.last, self.last_ms = value, instant_ms

    def reading(self, name: str) -> Reading:
        return Reading(self.address, name, self._main(), self.least, self.greatest, self.samples)

    def _main(self) -> float:
        metric = self.address.metric
        rollup = Rollup.MEAN if metric is None else metric.rollup
        if rollup is Rollup.MEAN:
            # Rounding may carry the mean of equal readings past them.
            return min(max(self.total / self.samples, self.least), self.greatest)
        return {Rollup.MAX: self.greatest, Rollup.LAST: self.last, Rollup.SUM: self.total}[rollup]


def _as_sampled(samples: Iterator[tuple[int, list[_Value]]]) -> list[Moment]:
    """One reading for each series and instant: if two samples of a system claim the same instant, the first."""
    by_instant: dict[int, dict[str, _Value]] = {}
    for instant_ms, values in samples:
        readings = by_instant.setdefault(instant_ms, {})
        for value in values:
            readings.setdefault(value.name, value)
    return [
        Moment(
            instant_ms,
            [Reading(address, name, value, value, value, 1) for name, (address, _, value) in sorted(readings.items())],
        )
        for instant_ms, readings in sorted(by_instant.items())
        if readings
    ]


def _in_buckets(samples: Iterator[tuple[int, list[_Value]]], step_ms: int) -> list[Moment]:
    buckets: dict[int, dict[str, _Bucket]] = {}
    for instant_ms, values in samples:
        readings = buckets.setdefault(instant_ms - instant_ms % step_ms, {})
        for address, name, value in values:
            bucket = readings.get(name)
            if bucket is None:
                bucket = readings[name] = _Bucket(address, value, instant_ms)
            bucket.add(value, instant_ms)
    return [
        Moment(start_ms, [bucket.reading(name) for name, bucket in sorted(readings.items())])
        for start_ms, readings in sorted(buckets.items())
        if readings
    ]
