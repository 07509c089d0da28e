"""The readings of one target over the last seconds, in constant memory, and what they come to.

A window is a ring of at most 60 buckets, each as long as its share of the window, at least a second; of a bucket the
sum, least, greatest or newest reading is kept. The window at an instant is the bucket of that instant and those before.
Short gaps are bridged; after a long one the window begins anew, so that it never speaks about a time of which it knows
too little.
"""

from array import array
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple, Self

from beszel_hub.alerts.rule import Aggregate

BUCKETS: Final = 60
COVERED: Final = 5 / 6
"""The part of a window that must lie between its first reading and the newest before it says anything."""
MIN_GAP_MS: Final = 10_000
MAX_SPACING_MS: Final = 6 * 3_600_000
VANISHED_MS: Final = 300_000
_GAP_INTERVALS: Final = 3
_GAP_DIVISOR: Final = 5
_FULL: Final = 100.0
_NEVER: Final = 10 * 365 * 86_400.0
"""Seconds; what is not going to fill up does so this late."""


class Past(NamedTuple):
    """What a stretch of time came to, `from_ms <= instant < to_ms`, of so many readings."""

    from_ms: int
    to_ms: int
    readings: int
    value: float


class Window:
    """`add` readings in the order of time; `value` is what they come to, None while too little is known."""

    __slots__ = (
        "_aggregate", "_bucket_ms", "_buckets", "_count", "_counts", "_from_ms", "_head", "_last_ms", "_newest",
        "_spacing_ms", "_total", "_values", "window_ms",
    )  # fmt: skip

    def __init__(self, window_seconds: int, aggregate: Aggregate) -> None:
        self.window_ms = window_seconds * 1000
        self._aggregate = aggregate
        self._buckets = max(1, min(BUCKETS, window_seconds))
        self._bucket_ms = max(1000, -(-self.window_ms // self._buckets))
        self._spacing_ms = 0
        self._last_ms = 0
        self._newest = 0.0
        self._values = array("d")
        self._counts = array("I")
        self._from_ms: int | None = None
        self._clear(0)

    @property
    def last_ms(self) -> int:
        """When the newest reading was."""
        return self._last_ms

    @property
    def has_readings(self) -> bool:
        return self._from_ms is not None

    @property
    def gap_ms(self) -> int:
        """How long a target may say nothing before the window begins anew: agents and series have their own pace."""
        return max(MIN_GAP_MS, _GAP_INTERVALS * self._spacing_ms, self.window_ms // _GAP_DIVISOR)

    @property
    def vanished_ms(self) -> int:
        """How long a target may say nothing before it counts as gone; one that spoke once may be a slow one."""
        if not self._spacing_ms:
            return MAX_SPACING_MS + 3_600_000
        return max(VANISHED_MS, self.gap_ms)

    def add(self, instant_ms: int, reading: float, weight: int = 1) -> None:
        """An instant before the newest is left out. `weight` says of how many readings it is the mean."""
        elapsed_ms = instant_ms - self._last_ms
        if self._from_ms is None:
            self._from_ms = instant_ms
            self._clear(instant_ms)
        elif elapsed_ms < 0:
            return
        elif elapsed_ms > self.gap_ms:
            self._from_ms = instant_ms
            self._clear(instant_ms)
            self._note_spacing(elapsed_ms)
        else:
            self._note_spacing(elapsed_ms)
        self._last_ms = instant_ms
        self._newest = reading
        if self.window_ms:
            self._put(instant_ms // self._bucket_ms, reading, weight)

    def recall(self, past: Iterable[Past]) -> None:
        """Add what was before the first reading there is, in the order of time; what is too long ago stays out."""
        earlier = Window(self.window_ms // 1000, self._aggregate)
        for one in past:
            if self._from_ms is None or one.to_ms <= self._from_ms:
                earlier.add((one.from_ms + one.to_ms) // 2, one.value, one.readings)
        if earlier._from_ms is None:
            return
        if self._from_ms is not None:
            if self._from_ms - earlier._last_ms > max(self.gap_ms, earlier.gap_ms):
                return
            earlier._follow(self)
        self._become(earlier)

    def value(self) -> float | None:
        """As of the newest reading."""
        if self._from_ms is None:
            return None
        if not self.window_ms:
            return self._newest
        if self._last_ms - self._from_ms < self.window_ms * COVERED:
            return None
        return self._value_of[self._aggregate](self)

    def _follow(self, later: Self) -> None:
        """Add what another window has, which begins where this one ends."""
        means = self._aggregate == "mean"
        for bucket, value in later._filled():
            count = later._counts[bucket % self._buckets]
            self._put(bucket, value / count if means else value, count)
        self._last_ms, self._newest = later._last_ms, later._newest
        self._spacing_ms = later._spacing_ms or self._spacing_ms

    def _become(self, other: Self) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))

    def _clear(self, instant_ms: int) -> None:
        self._head = instant_ms // self._bucket_ms
        self._total = 0.0
        self._count = 0
        size = self._buckets if self.window_ms else 0
        self._values = array("d", bytes(8 * size))
        self._counts = array("I", bytes(array("I").itemsize * size))

    def _note_spacing(self, elapsed_ms: int) -> None:
        self._spacing_ms = min(max(elapsed_ms, self._spacing_ms // 2), MAX_SPACING_MS)

    def _put(self, bucket: int, reading: float, weight: int) -> None:
        if bucket != self._head:
            self._advance(bucket)
        index = bucket % self._buckets
        values, counts = self._values, self._counts
        count = counts[index]
        aggregate = self._aggregate
        if aggregate == "mean":
            values[index] += reading * weight
            self._total += reading * weight
            self._count += weight
        elif not count or aggregate in {"last", "increase", "forecast"}:
            values[index] = reading
        elif aggregate == "max":
            values[index] = max(values[index], reading)
        else:
            values[index] = min(values[index], reading)
        counts[index] = count + weight

    def _advance(self, bucket: int) -> None:
        """Drop what falls out of the window."""
        values, counts, size = self._values, self._counts, self._buckets
        for passed in range(max(self._head + 1, bucket - size + 1), bucket + 1):
            index = passed % size
            if counts[index]:
                if self._aggregate == "mean":
                    self._total -= values[index]
                    self._count -= counts[index]
                values[index] = 0.0
                counts[index] = 0
            if not index and self._aggregate == "mean":
                self._total = sum(values)  # so that rounding never adds up
        self._head = bucket

    def _filled(self) -> list[tuple[int, float]]:
        """Number and value of every bucket with a reading, oldest first."""
        size = self._buckets
        buckets = range(self._head - size + 1, self._head + 1)
        return [(bucket, self._values[bucket % size]) for bucket in buckets if self._counts[bucket % size]]

    def _mean(self) -> float:
        return self._total / self._count

    def _least(self) -> float:
        return min(value for _, value in self._filled())

    def _greatest(self) -> float:
        return max(value for _, value in self._filled())

    def _last(self) -> float:
        return self._newest

    def _increase(self) -> float:
        """What a counter went up by; where it fell it began anew, and its new value was added since."""
        filled = [value for _, value in self._filled()]
        return sum(after - before if after >= before else max(0.0, after) for before, after in pairwise(filled))

    def _forecast(self) -> float:
        """Seconds until the least-squares line through the buckets reaches 100."""
        filled = self._filled()
        mean_at = sum(bucket for bucket, _ in filled) / len(filled)
        mean_value = sum(value for _, value in filled) / len(filled)
        spread = sum((bucket - mean_at) ** 2 for bucket, _ in filled)
        slope = sum((bucket - mean_at) * (value - mean_value) for bucket, value in filled) / spread if spread else 0.0
        if slope <= 0:
            return 0.0 if self._newest >= _FULL else _NEVER
        now_at_line = mean_value + slope * (self._head - mean_at)
        return min(_NEVER, max(0.0, (_FULL - now_at_line) / slope * self._bucket_ms / 1000))

    _value_of: Final = {
        "mean": _mean, "min": _least, "max": _greatest, "last": _last, "increase": _increase, "forecast": _forecast,
    }  # fmt: skip
