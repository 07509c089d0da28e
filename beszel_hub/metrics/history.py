"""Questions about history, asked by actors about systems they see."""

from functools import partial
from typing import Final

import msgspec

from beszel_hub.actions import Action
from beszel_hub.errors import NotFound
from beszel_hub.metrics.buckets import Grid
from beszel_hub.metrics.forecast import Forecast, ForecastQuery, read_forecast
from beszel_hub.metrics.open_series import is_open, read_open
from beszel_hub.metrics.ranking import (
    Ranked,
    Ranking,
    RankingQuery,
    make_ranked,
    ranked_first,
    read_bucket,
    resolution_for,
)
from beszel_hub.metrics.reader import Range, read_aggregates
from beszel_hub.metrics.traffic import Traffic, TrafficQuery, read_traffic
from beszel_hub.permissions import Actor, Decision, decide
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory
from beszel_protocol.addresses import Address

DEFAULT_POINTS: Final = 300


class SeriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`from_ms <= instant < to_ms`, in at most `points` buckets, and one more if the ends are not aligned."""

    system_id: str
    addresses: tuple[Address, ...]
    from_ms: int
    to_ms: int
    points: int = DEFAULT_POINTS


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One series, a value per bucket; None where nothing was read.

    `mean` is what the series' declaration has for an interval: the mean, but for totals and counters the last reading,
    and for what counts failures the highest.
    """

    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]


class SeriesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`timestamps` are the starts of the buckets, in milliseconds since the epoch."""

    resolution_seconds: int
    timestamps: list[int]
    series: dict[str, Envelope]


class History:
    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory

    async def series(self, actor: Actor, query: SeriesQuery) -> SeriesAnswer:
        """Raise `NotFound` for a system that the actor does not see; so do the others."""
        self._check(actor, Action.SERIES, query.system_id)
        return await self._database.read(lambda: _gather(query))

    async def traffic(self, actor: Actor, query: TrafficQuery) -> Traffic:
        self._check(actor, Action.TRAFFIC, query.system_id)
        return await self._database.read(lambda: read_traffic(query))

    async def forecast(self, actor: Actor, query: ForecastQuery) -> Forecast:
        self._check(actor, Action.FORECAST, query.system_id)
        return await self._database.read(lambda: read_forecast(query))

    async def top(self, actor: Actor, query: RankingQuery) -> Ranking:
        """Among the systems that the actor sees."""
        system_ids = sorted(self._directory.visible_ids(actor))
        seconds = await self._database.read(lambda: resolution_for(system_ids, query.from_ms, query.to_ms))
        found: list[Ranked] = []
        for system_id in system_ids:
            entry = self._directory.get(system_id)
            # One system a turn, so that other readers come in between.
            bucket = await self._database.read(partial(read_bucket, system_id, query, seconds))
            ranked = make_ranked(system_id, "" if entry is None else entry.name, bucket, query)
            if ranked is not None:
                found.append(ranked)
        grid = Grid(query.from_ms, query.to_ms, seconds)
        return Ranking(
            metric=str(query.address),
            by=query.by,
            from_ms=grid.from_ms,
            to_ms=grid.to_ms,
            resolution_seconds=seconds,
            systems=ranked_first(found, query),
        )

    def _check(self, actor: Actor, action: Action, system_id: str) -> None:
        is_member = self._directory.is_visible(actor, system_id)
        if decide(actor, action, member=is_member) is not Decision.ALLOW:
            raise NotFound


def _gather(query: SeriesQuery) -> SeriesAnswer:
    span = Range(query.from_ms, query.to_ms)
    named = [address for address in query.addresses if not is_open(address)]
    grid, aggregates = read_aggregates(query.system_id, named, span, query.points)
    series = dict(zip(named, aggregates, strict=True))
    if len(named) < len(query.addresses):
        wanted = [address for address in query.addresses if is_open(address)]
        series |= read_open(query.system_id, wanted, span, grid.resolution_seconds)
    return SeriesAnswer(
        resolution_seconds=grid.resolution_seconds,
        timestamps=grid.timestamps_ms,
        series={
            str(address): Envelope(mean=aggregate.main, min=aggregate.least, max=aggregate.greatest)
            for address, aggregate in series.items()
        },
    )
