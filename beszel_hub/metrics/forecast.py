"""When a series will reach a limit, if it goes on as it did: a robust slope with its band. Pure but for reading.

The slope is the median of those between all pairs of readings (Theil 1950, Sen 1968), which neither a spike nor a
clean-up bends. Its band is Sen's, from the variance of Kendall's score: it holds 95 of 100 times if readings are
independent of each other.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import Final, NamedTuple

import msgspec

from beszel_hub.metrics.parameters import Parameters
from beszel_hub.metrics.reader import Range, read_aggregates
from beszel_hub.metrics.tiers import DAY_MS
from beszel_protocol.addresses import Address
from beszel_protocol.metrics import Unit

DEFAULT_DAYS: Final = 30
POINTS: Final = 180
FEWEST_POINTS: Final = 8
_Z: Final = 1.96
"""Of the normal distribution, for 95 %."""
_FURTHEST_MS: Final = 3650 * DAY_MS
_FULL_PERCENT: Final = 100.0


class ForecastQuery(msgspec.Struct, frozen=True, kw_only=True):
    system_id: str
    address: Address
    from_ms: int
    to_ms: int
    limit: float


class Trend(NamedTuple):
    """In units a millisecond; `level` is where the line stands at the last instant."""

    slope: float
    low: float
    high: float
    level: float


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Instants are milliseconds since the epoch, None if the limit is not reached within ten years."""

    metric: str
    limit: float
    points: int
    """How many readings the slope is made of; None of it below eight."""
    level: float | None = None
    """Where the line stands now; a spike does not move it."""
    slope_per_day: float | None = None
    slope_per_day_low: float | None = None
    slope_per_day_high: float | None = None
    reached: int | None = None
    earliest: int | None = None
    latest: int | None = None


def parse_forecast_query(texts: Mapping[str, str], now_ms: int) -> ForecastQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    parameters = Parameters(texts)
    system_id = parameters.system()
    addresses = parameters.addresses(1)
    from_ms, to_ms = parameters.span(now_ms, DEFAULT_DAYS * DAY_MS)
    metric = addresses[0].metric if addresses else None
    limit = parameters.number("limit", _FULL_PERCENT if metric is not None and metric.unit is Unit.PERCENT else None)
    if limit is None and parameters.are_right:
        parameters.refuse("limit", "required", "What is to be reached; only for percentages it is 100.")
    parameters.check("There can be no forecast.")
    return ForecastQuery(system_id=system_id, address=addresses[0], from_ms=from_ms, to_ms=to_ms, limit=limit or 0.0)


def read_forecast(query: ForecastQuery) -> Forecast:
    """Runs inside `Database.read`."""
    grid, (aggregate,) = read_aggregates(query.system_id, (query.address,), Range(query.from_ms, query.to_ms), POINTS)
    points = [
        (float(stamp), value)
        for stamp, value in zip(grid.timestamps_ms, aggregate.main, strict=True)
        if value is not None
    ]
    return make_forecast(query, points)


def make_forecast(query: ForecastQuery, points: Sequence[tuple[float, float]]) -> Forecast:
    trend = find_trend(points)
    if trend is None:
        return Forecast(metric=str(query.address), limit=query.limit, points=len(points))
    now_ms = points[-1][0]
    # The faster it moves towards the limit, the earlier it is there.
    towards, away = (trend.high, trend.low) if query.limit >= trend.level else (trend.low, trend.high)
    return Forecast(
        metric=str(query.address),
        limit=query.limit,
        points=len(points),
        level=round(trend.level, 4),
        slope_per_day=trend.slope * DAY_MS,
        slope_per_day_low=trend.low * DAY_MS,
        slope_per_day_high=trend.high * DAY_MS,
        reached=_reached(now_ms, trend.level, trend.slope, query.limit),
        earliest=_reached(now_ms, trend.level, towards, query.limit),
        latest=_reached(now_ms, trend.level, away, query.limit),
    )


def find_trend(points: Sequence[tuple[float, float]]) -> Trend | None:
    """None with too few points to tell."""
    count = len(points)
    if count < FEWEST_POINTS:
        return None
    slopes = sorted((after[1] - before[1]) / (after[0] - before[0]) for before, after in combinations(points, 2))
    slope = median(slopes)
    spread = _Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, round((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, round((len(slopes) + spread) / 2))
    last_ms = points[-1][0]
    level = median(value + slope * (last_ms - instant) for instant, value in points)
    return Trend(slope, slopes[low], slopes[high], level)


def _reached(now_ms: float, level: float, slope: float, limit: float) -> int | None:
    missing = limit - level
    if missing == 0:
        return round(now_ms)
    if slope == 0 or missing / slope < 0 or missing / slope > _FURTHEST_MS:
        return None
    return round(now_ms + missing / slope)
