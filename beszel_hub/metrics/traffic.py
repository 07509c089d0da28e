"""What a system sent and received, month by month, counted from its interfaces' own counters.

A month begins on the day on which a provider's allowance does, at midnight UTC. A counter that fell has started again
at zero, so reboots lose nothing but what passed while nobody looked.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import msgspec

from beszel_hub.metrics.buckets import Aggregate
from beszel_hub.metrics.parameters import Parameters
from beszel_hub.metrics.reader import Range, read_parts
from beszel_hub.metrics.summaries import Bucket, merge
from beszel_hub.metrics.tiers import EIGHT_HOURS
from beszel_protocol.addresses import Step, parse_address

DEFAULT_MONTHS: Final = 12
MAX_MONTHS: Final = 120
_LAST_DAY: Final = 31


class TrafficQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The last `months`, each from `reset_day` on, or from the last day of a month that is shorter."""

    system_id: str
    now_ms: int
    months: int = DEFAULT_MONTHS
    reset_day: int = 1


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    sent_bytes: int
    recv_bytes: int


class TrafficMonth(msgspec.Struct, frozen=True, kw_only=True, rename={"from_ms": "from", "to_ms": "to"}):
    """`from <= instant < to`, in milliseconds since the epoch."""

    from_ms: int
    to_ms: int
    sent_bytes: int
    recv_bytes: int
    interfaces: dict[str, Carried]


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first; the last month is the present one. Months of which nothing is known are left out."""

    reset_day: int
    months: list[TrafficMonth]


def parse_traffic_query(texts: Mapping[str, str], now_ms: int) -> TrafficQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    parameters = Parameters(texts)
    system_id = parameters.system()
    months = parameters.integer("months", DEFAULT_MONTHS, 1, MAX_MONTHS)
    reset_day = parameters.integer("reset_day", 1, 1, _LAST_DAY)
    parameters.check("The traffic cannot be read.")
    return TrafficQuery(system_id=system_id, now_ms=now_ms, months=months, reset_day=reset_day)


def read_traffic(query: TrafficQuery) -> Traffic:
    """Runs inside `Database.read`."""
    borders = month_borders(query.now_ms, query.months + 1, query.reset_day)
    # One month more, for what the counters showed before the first.
    span = Range(borders[0], min(borders[-1], query.now_ms + 1))
    grid, aggregates = read_parts(query.system_id, frozenset(("network",)), span, EIGHT_HOURS.seconds)
    counters = {key: aggregate for text, aggregate in aggregates.items() if (key := counter_of(text)) is not None}
    stamps = grid.timestamps_ms
    months = []
    for from_ms, to_ms in pairwise(borders[1:]):
        begin, end = (sum(stamp < border for stamp in stamps) for border in (from_ms, to_ms))
        month = _month(Range(from_ms, to_ms), counters, begin, end)
        if month is not None:
            months.append(month)
    return Traffic(reset_day=query.reset_day, months=months)


def month_borders(now_ms: int, months: int, reset_day: int) -> list[int]:
    """The beginnings of so many months up to the present one, and its end."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC)
    number = 12 * today.year + today.month - 1
    if now_ms >= _reset_ms(number, reset_day):
        number += 1
    return [_reset_ms(each, reset_day) for each in range(number - months, number + 1)]


def gained(buckets: Sequence[Bucket], begin: int, end: int) -> float:
    """What a counter rose by in some of its buckets, from the last reading before them on."""
    before = next((bucket for bucket in reversed(buckets[:begin]) if bucket.readings), None)
    if before is None:
        return merge(buckets[begin:end], is_counter=True).gain
    return merge((before._replace(gain=0), *buckets[begin:end]), is_counter=True).gain


def _reset_ms(number: int, reset_day: int) -> int:
    year, month = divmod(number, 12)
    day = min(reset_day, monthrange(year, month + 1)[1])
    return int(datetime(year, month + 1, day, tzinfo=UTC).timestamp() * 1000)


def counter_of(text: str) -> tuple[str, str] | None:
    """Interface and direction of a series that counts bytes."""
    match parse_address(text):
        case (Step("network", None), Step("interfaces", str() as name), Step("bytes_sent" | "bytes_recv" as way, None)):
            return name, way
    return None


def _month(span: Range, counters: Mapping[tuple[str, str], Aggregate], begin: int, end: int) -> TrafficMonth | None:
    known = {name for (name, _), aggregate in counters.items() if any(b.readings for b in aggregate.buckets[begin:end])}
    if not known:
        return None
    interfaces = {
        name: Carried(
            sent_bytes=_carried(counters.get((name, "bytes_sent")), begin, end),
            recv_bytes=_carried(counters.get((name, "bytes_recv")), begin, end),
        )
        for name in sorted(known)
    }
    return TrafficMonth(
        from_ms=span.from_ms,
        to_ms=span.to_ms,
        sent_bytes=_total(carried.sent_bytes for carried in interfaces.values()),
        recv_bytes=_total(carried.recv_bytes for carried in interfaces.values()),
        interfaces=interfaces,
    )


def _carried(aggregate: Aggregate | None, begin: int, end: int) -> int:
    return 0 if aggregate is None else round(gained(aggregate.buckets, begin, end))


def _total(counts: Iterable[int]) -> int:
    return sum(counts)
