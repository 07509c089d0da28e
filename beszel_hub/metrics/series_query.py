"""The parameters of `/api/beszel/series`, checked."""

from collections.abc import Mapping
from typing import Final

from beszel_hub.metrics.history import DEFAULT_POINTS, SeriesQuery
from beszel_hub.metrics.parameters import Parameters

MAX_ADDRESSES: Final = 64
MAX_POINTS: Final = 5000
DEFAULT_SPAN_MS: Final = 3_600_000


def parse_series_query(texts: Mapping[str, str], now_ms: int) -> SeriesQuery:
    """Raise `BadRequest` with what is wrong by parameter."""
    parameters = Parameters(texts)
    system_id = parameters.system()
    addresses = parameters.addresses(MAX_ADDRESSES)
    from_ms, to_ms = parameters.span(now_ms, DEFAULT_SPAN_MS)
    points = parameters.integer("points", DEFAULT_POINTS, 1, MAX_POINTS)
    parameters.check("The series cannot be read.")
    return SeriesQuery(system_id=system_id, addresses=addresses, from_ms=from_ms, to_ms=to_ms, points=points)
