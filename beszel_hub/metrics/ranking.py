"""Which systems had the most of something over a time: the ten busiest hosts of yesterday."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from beszel_hub.metrics.buckets import choose_resolution
from beszel_hub.metrics.parameters import Parameters
from beszel_hub.metrics.reader import Range, finest_kept, read_at, rollup_of
from beszel_hub.metrics.summaries import Bucket, main_value, merge
from beszel_hub.metrics.tiers import DAY_MS, TIERS
from beszel_protocol.addresses import Address
from beszel_protocol.metrics import Rollup

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 1000
ORDERS: Final = ("mean", "max", "min", "gain")
_POINTS: Final = 200
"""How finely a range is read whose ends are no borders of buckets."""


class RankingQuery(msgspec.Struct, frozen=True, kw_only=True):
    address: Address
    from_ms: int
    to_ms: int
    by: str
    limit: int


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """One system over the whole range."""

    system: str
    name: str
    mean: float
    """For totals and counters the last reading, for what counts failures the highest: see the metric's declaration."""
    min: float
    max: float
    gain: float
    """How much a counter rose; 0 for what is none."""


class Ranking(msgspec.Struct, frozen=True, kw_only=True, rename={"from_ms": "from", "to_ms": "to"}):
    """Highest first. `from` and `to` are those asked for, moved outwards to borders of `resolution_seconds`."""

    metric: str
    by: str
    from_ms: int
    to_ms: int
    resolution_seconds: int
    systems: list[Ranked]


def parse_ranking_query(texts: Mapping[str, str], now_ms: int) -> RankingQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    parameters = Parameters(texts)
    addresses = parameters.addresses(1)
    from_ms, to_ms = parameters.span(now_ms, DAY_MS)
    by = parameters.choice("by", ORDERS)
    limit = parameters.integer("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    if by == "gain" and addresses and rollup_of(addresses[0]) is not Rollup.LAST:
        parameters.refuse("by", "invalid", "Only totals and counters gain.")
    parameters.check("The systems cannot be ranked.")
    return RankingQuery(address=addresses[0], from_ms=from_ms, to_ms=to_ms, by=by, limit=limit)


def resolution_for(system_ids: Iterable[str], from_ms: int, to_ms: int) -> int:
    """The longest buckets of a tier that have borders at both ends, else short ones; all systems still have them.

    Runs inside `Database.read`.
    """
    finest = max((finest_kept(system_id, from_ms) for system_id in system_ids), default=1)
    exact = [
        tier.seconds
        for tier in TIERS
        if tier.seconds >= finest and from_ms % tier.bucket_ms == to_ms % tier.bucket_ms == 0
    ]
    return exact[-1] if exact else choose_resolution(to_ms - from_ms, _POINTS, finest_seconds=finest)


def read_bucket(system_id: str, query: RankingQuery, seconds: int) -> Bucket:
    """A series over the whole range; runs inside `Database.read`."""
    span = Range(query.from_ms, query.to_ms)
    _, (aggregate,) = read_at(system_id, (query.address,), span, seconds)
    return merge(aggregate.buckets, is_counter=rollup_of(query.address) is Rollup.LAST)


def make_ranked(system_id: str, name: str, bucket: Bucket, query: RankingQuery) -> Ranked | None:
    """None where nothing was read."""
    main = main_value(bucket, rollup_of(query.address), 0)
    if main is None:
        return None
    return Ranked(system=system_id, name=name, mean=main, min=bucket.low, max=bucket.high, gain=bucket.gain)


def ranked_first(systems: list[Ranked], query: RankingQuery) -> list[Ranked]:
    """Those that come first, and names decide between equals."""
    ordered = sorted(systems, key=lambda ranked: (-getattr(ranked, query.by), ranked.name, ranked.system))
    return ordered[: query.limit]
