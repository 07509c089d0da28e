"""Readings over time, as immutable values: a short trail for each system of the fleet, and columns for charts.

Time is milliseconds since the epoch by the hub's clock. A reading that did not happen is None.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

Readings: TypeAlias = tuple[float | None, ...]

BUCKET_MS: Final = 5_000
"""One column of a sparkline; a redraw each second would cost an SSH link more than it tells."""
TRAIL_BUCKETS: Final = 60
LIVE_POINTS: Final = 900
"""Of the columns that live samples are appended to; they are cut back to two thirds of it when it is exceeded."""


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """Means of whole clock-aligned buckets, oldest first, and the bucket that is still filling."""

    bucket: int
    """Number of the filling bucket: its start in ms // `BUCKET_MS`."""
    total: float = 0.0
    count: int = 0
    means: Readings = ()

    @property
    def running_mean(self) -> float | None:
        return self.total / self.count if self.count else None


def extend_trail(trail: Trail | None, at_ms: int, value: float) -> Trail:
    """Add a reading. One that is older than the filling bucket is ignored: its column has been drawn."""
    bucket = at_ms // BUCKET_MS
    if trail is None:
        return Trail(bucket=bucket, total=value, count=1)
    if bucket < trail.bucket:
        return trail
    if bucket == trail.bucket:
        return Trail(bucket=bucket, total=trail.total + value, count=trail.count + 1, means=trail.means)
    return Trail(bucket=bucket, total=value, count=1, means=_roll(trail, bucket))


def trail_from(bucket: int, means: Iterable[float | None]) -> Trail:
    """A trail of history, whose filling bucket is `bucket`."""
    return Trail(bucket=bucket, means=tuple(means)[-TRAIL_BUCKETS:])


def join_trails(older: Trail, newer: Trail | None) -> Trail:
    """History from the hub in front of what was seen live meanwhile; live readings win."""
    if newer is None:
        return older
    means = list(_roll(older, newer.bucket))
    offset = len(means) - len(newer.means)
    if offset < 0:
        means[:0] = [None] * -offset
        offset = 0
    for index, mean in enumerate(newer.means):
        if mean is not None:
            means[offset + index] = mean
    return Trail(bucket=newer.bucket, total=newer.total, count=newer.count, means=tuple(means)[-TRAIL_BUCKETS:])


def trail_cells(trail: Trail | None, now_ms: int, width: int) -> Readings:
    """The last `width` whole buckets before `now_ms`, None where nothing was read.

    A trail that has no whole bucket yet shows the filling one, so that a new system is not blank for five seconds.
    """
    if trail is None or width <= 0:
        return (None,) * max(0, width)
    current = max(now_ms // BUCKET_MS, trail.bucket)
    means = _roll(trail, current) if current > trail.bucket else trail.means
    if not any(mean is not None for mean in means):
        means = (*means[:-1], trail.running_mean)
    return (None,) * (width - len(means)) + means[-width:]


def _roll(trail: Trail, bucket: int) -> Readings:
    """The whole buckets of `trail` once `bucket` is the filling one."""
    passed = bucket - trail.bucket
    if passed <= 0:
        return trail.means
    gap = (None,) * min(passed - 1, TRAIL_BUCKETS)
    return (*trail.means, trail.running_mean, *gap)[-TRAIL_BUCKETS:]


class Lane(msgspec.Struct, frozen=True):
    """One series in columns; where nothing was rolled up, all three are the same readings."""

    mean: Readings
    low: Readings
    high: Readings

    @classmethod
    def exact(cls, readings: Readings) -> "Lane":
        return cls(readings, readings, readings)

    @property
    def is_exact(self) -> bool:
        return self.low is self.mean


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Series by their address over common time stamps (starts of buckets), ascending."""

    resolution_ms: int
    timestamps_ms: tuple[int, ...] = ()
    lanes: Mapping[str, Lane] = msgspec.field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.timestamps_ms

    def lane(self, address: str) -> Lane | None:
        return self.lanes.get(address)


def append_readings(columns: Columns, at_ms: int, readings: Mapping[str, float]) -> Columns:
    """Add one column of live readings; one that is not newer than the last is ignored."""
    times = columns.timestamps_ms
    if times and at_ms <= times[-1]:
        return columns
    first = len(times) - LIVE_POINTS * 2 // 3 if len(times) >= LIVE_POINTS else 0
    blank: Readings = (None,) * (len(times) - first)
    lanes: dict[str, Lane] = {}
    for address in {**columns.lanes, **readings}:
        known = columns.lanes.get(address)
        value = readings.get(address)
        if known is None:
            lanes[address] = Lane.exact((*blank, value))
        elif known.is_exact:
            lanes[address] = Lane.exact((*known.mean[first:], value))
        else:
            lanes[address] = Lane(
                (*known.mean[first:], value), (*known.low[first:], value), (*known.high[first:], value)
            )
    return Columns(resolution_ms=columns.resolution_ms, timestamps_ms=(*times[first:], at_ms), lanes=lanes)


def join_columns(history: Columns, live: Columns) -> Columns:
    """History as far as it goes, then the live columns that are newer."""
    count = _filled_length(history)
    if count == 0:
        return live
    cutoff_ms = history.timestamps_ms[count - 1] + history.resolution_ms
    first = next((i for i, at_ms in enumerate(live.timestamps_ms) if at_ms >= cutoff_ms), len(live.timestamps_ms))
    blank_history: Readings = (None,) * count
    blank_live: Readings = (None,) * (len(live.timestamps_ms) - first)
    lanes: dict[str, Lane] = {}
    for address in {**history.lanes, **live.lanes}:
        before, after = history.lanes.get(address), live.lanes.get(address)
        mean = (before.mean[:count] if before else blank_history) + (after.mean[first:] if after else blank_live)
        if (before is None or before.is_exact) and (after is None or after.is_exact):
            lanes[address] = Lane.exact(mean)
            continue
        low = (before.low[:count] if before else blank_history) + (after.low[first:] if after else blank_live)
        high = (before.high[:count] if before else blank_history) + (after.high[first:] if after else blank_live)
        lanes[address] = Lane(mean, low, high)
    return Columns(
        resolution_ms=max(history.resolution_ms, live.resolution_ms),
        timestamps_ms=history.timestamps_ms[:count] + live.timestamps_ms[first:],
        lanes=lanes,
    )


def typical_step_ms(columns: Columns, address: str) -> int:
    """The usual distance between two readings of a series: what is much longer is a gap."""
    lane = columns.lanes.get(address)
    if lane is None:
        return columns.resolution_ms
    happened = [at for at, mean in zip(columns.timestamps_ms, lane.mean, strict=True) if mean is not None]
    steps = sorted(later - earlier for earlier, later in itertools.pairwise(happened))
    return max(columns.resolution_ms, steps[len(steps) // 2]) if steps else columns.resolution_ms


def _filled_length(columns: Columns) -> int:
    """How many columns there are up to the last one in which anything was read."""
    for index in range(len(columns.timestamps_ms) - 1, -1, -1):
        if any(lane.mean[index] is not None for lane in columns.lanes.values()):
            return index + 1
    return 0


def bucket_means(timestamps_ms: Sequence[int], readings: Readings, end_bucket: int) -> Readings:
    """Readings gathered into the `TRAIL_BUCKETS` buckets before `end_bucket`, None where none fell."""
    sums = [0.0] * TRAIL_BUCKETS
    counts = [0] * TRAIL_BUCKETS
    first = end_bucket - TRAIL_BUCKETS
    for at_ms, reading in zip(timestamps_ms, readings, strict=True):
        index = at_ms // BUCKET_MS - first
        if reading is not None and 0 <= index < TRAIL_BUCKETS:
            sums[index] += reading
            counts[index] += 1
    return tuple(total / count if count else None for total, count in zip(sums, counts, strict=True))
