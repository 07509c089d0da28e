"""Questions about history, asked by actors about systems they see."""

from typing import Final

import msgspec

from beszel_hub.errors import NotFound
from beszel_hub.metrics.reader import Range, read_aggregates
from beszel_hub.permissions import Action, Actor, Decision, decide
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
        """Raise `NotFound` for a system that the actor does not see."""
        is_member = self._directory.is_visible(actor, query.system_id)
        if decide(actor, Action.SERIES, member=is_member) is not Decision.ALLOW:
            raise NotFound
        return await self._database.read(lambda: _gather(query))


def _gather(query: SeriesQuery) -> SeriesAnswer:
    span = Range(query.from_ms, query.to_ms)
    grid, aggregates = read_aggregates(query.system_id, query.addresses, span, query.points)
    return SeriesAnswer(
        resolution_seconds=grid.resolution_seconds,
        timestamps=grid.timestamps_ms,
        series={
            str(address): Envelope(mean=aggregate.main, min=aggregate.least, max=aggregate.greatest)
            for address, aggregate in zip(query.addresses, aggregates, strict=True)
        },
    )
