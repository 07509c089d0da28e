"""How the traffic of a month grew: what a system had carried since the month began, every ten minutes."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from beszel_hub.metrics.reader import Range, read_parts
from beszel_hub.metrics.summaries import Bucket, gain_between
from beszel_hub.metrics.tiers import DAY_MS, EIGHT_HOURS, TEN_MINUTES
from beszel_hub.metrics.traffic import counter_of, month_borders

_LONGEST_MONTH_MS = 31 * DAY_MS


class CarriedAt(NamedTuple):
    """Bytes since the month began, known at an instant."""

    at_ms: int
    sent: float
    received: float


def read_traffic_course(system_id: str, reset_day: int, from_ms: int, to_ms: int) -> Iterator[CarriedAt]:
    """Between two instants, oldest first; nothing where no counter is known. Runs inside `Database.read`."""
    months = 2 + (to_ms - from_ms) // _LONGEST_MONTH_MS
    borders = set(month_borders(to_ms, months, reset_day))
    begin_ms = max(border for border in borders if border <= from_ms)
    # What the counters showed before the month began is where it began from.
    span = Range(begin_ms - EIGHT_HOURS.bucket_ms, to_ms)
    grid, aggregates = read_parts(system_id, frozenset(("network",)), span, TEN_MINUTES.seconds)
    ways = {"bytes_sent": 0.0, "bytes_recv": 0.0}
    counters = [
        (counter[1], dict(_gains(aggregate.buckets)))
        for text, aggregate in aggregates.items()
        if (counter := counter_of(text)) is not None
    ]
    is_known = False
    for index, at_ms in enumerate(grid.timestamps_ms):
        if at_ms in borders or (index == 0 and at_ms >= begin_ms):
            ways = dict.fromkeys(ways, 0.0)
        for way, gains in counters:
            is_known = is_known or index in gains
            ways[way] += gains.get(index, 0.0)
        end_ms = min(at_ms + grid.step_ms, to_ms)
        if is_known and end_ms > from_ms:
            yield CarriedAt(end_ms, ways["bytes_sent"], ways["bytes_recv"])


def _gains(buckets: list[Bucket]) -> Iterator[tuple[int, float]]:
    """By how much a counter rose in each of its buckets, from the last reading before it on."""
    present = [(index, bucket) for index, bucket in enumerate(buckets) if bucket.readings]
    if present:
        yield present[0][0], present[0][1].gain
    for (_, before), (index, bucket) in pairwise(present):
        yield index, bucket.gain + gain_between(before.last, bucket.first)
