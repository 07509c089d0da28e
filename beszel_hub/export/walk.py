"""Goes through history page by page: never more than one in memory, never more than one job for the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final, NamedTuple

from beszel_hub.export.pages import Moment, PageReader
from beszel_hub.export.plan import Plan, Position, Source
from beszel_hub.store.database import Database

PAUSE_SECONDS: Final = 0.0
"""Between pages; the event loop gets its turn in any case."""

IsAllowed = Callable[[str], bool]
"""Whether the one who asked still sees a system."""


class SourcePage(NamedTuple):
    source: Source
    moments: list[Moment]


async def walk(
    database: Database, plan: Plan, reader: PageReader, is_allowed: IsAllowed = lambda _: True
) -> AsyncIterator[SourcePage]:
    """Pages of every source, in order; a system that may no longer be seen ends there."""
    for source in plan.sources:
        if plan.after is not None and source.system_id < plan.after.system_id:
            continue
        async for page in walk_source(database, plan, reader, source, is_allowed):
            yield page


async def walk_source(
    database: Database, plan: Plan, reader: PageReader, source: Source, is_allowed: IsAllowed = lambda _: True
) -> AsyncIterator[SourcePage]:
    """Pages of one source."""
    after = plan.after if plan.after is not None and plan.after.system_id == source.system_id else None
    position_ms, end_ms = reader.align(plan.from_ms, plan.to_ms)
    if after is not None:
        position_ms = max(position_ms, after.instant_ms)
    while position_ms < end_ms and is_allowed(source.system_id):
        page = await database.read(partial(reader.read_page, source.system_id, position_ms, end_ms))
        if page is None:
            return
        position_ms = page.next_ms
        moments = page.moments if after is None else _after(page.moments, after)
        if moments:
            yield SourcePage(source, moments)
        await asyncio.sleep(PAUSE_SECONDS)


def _after(moments: list[Moment], position: Position) -> list[Moment]:
    remaining = []
    for moment in moments:
        if moment.instant_ms < position.instant_ms:
            continue
        if moment.instant_ms == position.instant_ms:
            readings = [reading for reading in moment.readings if reading.metric > position.metric]
            moment = Moment(moment.instant_ms, readings)  # noqa: PLW2901
        if moment.readings:
            remaining.append(moment)
    return remaining
