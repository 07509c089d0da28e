"""History as OpenMetrics text: all points of a series together, all series of a family together (OpenMetrics 1.0).

That order is not the one history is kept in. A first pass counts what there is of each series; then as many series as
fit the budget are read together, so memory stays bounded and short spans still take one pass.
"""

import asyncio
from array import array
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Final, NamedTuple

from beszel_hub.export.naming import Family, families, key_labels, label_text, number_text
from beszel_hub.export.pages import Moment, PageReader
from beszel_hub.export.plan import Plan, Source
from beszel_hub.export.selection import select
from beszel_hub.export.walk import IsAllowed, walk, walk_source
from beszel_hub.store.database import Database
from beszel_protocol.addresses import Address

MEDIA_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
END: Final = b"# EOF\n"
BUDGET_READINGS: Final = 2_000_000
"""Read together; 16 bytes each."""
_BLOCK_LINES: Final = 5_000


class _Series(NamedTuple):
    """One line of points to be; sorts as they must stand in the text."""

    family_name: str
    labels: str
    source: Source
    address: Address
    readings: int


class _Points:
    """The readings of one series, in order."""

    __slots__ = ("instants_ms", "values")

    def __init__(self) -> None:
        self.instants_ms = array("q")
        self.values = array("d")


async def write_openmetrics(
    database: Database, plan: Plan, is_allowed: IsAllowed = lambda _: True, budget_readings: int = BUDGET_READINGS
) -> AsyncIterator[bytes]:
    """The text in blocks. A series has its main value only; the time of a bucket is its start."""
    series = await _count(database, plan, is_allowed)
    previous: str | None = None
    for group in _groups(series, budget_readings):
        points = await _read_group(database, plan, group, is_allowed)
        for one in group:
            found = points.pop((one.source.system_id, one.address), None)
            if found is None:
                continue
            family = families()[one.address.pattern]
            if family.name != previous:
                yield heading(family)
                previous = family.name
            for block in _blocks(family, one.labels, found):
                yield block
    yield END


def heading(family: Family) -> bytes:
    """The metadata that stands before the samples of a family."""
    kind = "counter" if family.is_counter else "gauge"
    unit = f"# UNIT {family.name} {family.unit}\n" if family.unit else ""
    return f"# TYPE {family.name} {kind}\n{unit}# HELP {family.name} {family.help}\n".encode()


def system_labels(source: Source) -> dict[str, str]:
    """Names are for people and need not be unique, so the id is there too."""
    return {"system": source.name, "system_id": source.system_id}


async def _count(database: Database, plan: Plan, is_allowed: IsAllowed) -> list[_Series]:
    counts: defaultdict[tuple[Source, Address], int] = defaultdict(int)
    reader = PageReader(plan.selection, plan.resolution_seconds)
    async for source, moments in walk(database, plan, reader, is_allowed):
        for address, readings in (await asyncio.to_thread(_count_page, moments)).items():
            counts[source, address] += readings
    return sorted(
        _Series(
            families()[address.pattern].name,
            label_text(system_labels(source) | dict(key_labels(address))),
            source, address, readings,
        )
        for (source, address), readings in counts.items()
    )  # fmt: skip


def _groups(series: list[_Series], budget_readings: int) -> Iterator[list[_Series]]:
    group: list[_Series] = []
    readings = 0
    for one in series:
        if group and readings + one.readings > budget_readings:
            yield group
            group, readings = [], 0
        group.append(one)
        readings += one.readings
    if group:
        yield group


async def _read_group(
    database: Database, plan: Plan, group: list[_Series], is_allowed: IsAllowed
) -> dict[tuple[str, Address], _Points]:
    points: defaultdict[tuple[str, Address], _Points] = defaultdict(_Points)
    by_source: defaultdict[Source, list[Address]] = defaultdict(list)
    for one in group:
        by_source[one.source].append(one.address)
    for source, addresses in by_source.items():
        reader = PageReader(select(addresses), plan.resolution_seconds)
        async for _, moments in walk_source(database, plan, reader, source, is_allowed):
            await asyncio.to_thread(_add_page, points, source.system_id, moments)
    return points


def _count_page(moments: list[Moment]) -> Counter[Address]:
    return Counter(reading.address for moment in moments for reading in moment.readings)


def _add_page(points: defaultdict[tuple[str, Address], _Points], system_id: str, moments: list[Moment]) -> None:
    for moment in moments:
        for reading in moment.readings:
            found = points[system_id, reading.address]
            found.instants_ms.append(moment.instant_ms)
            found.values.append(reading.value)


def _blocks(family: Family, labels: str, points: _Points) -> Iterator[bytes]:
    start = f"{family.sample_name}{labels} "
    for first in range(0, len(points.values), _BLOCK_LINES):
        pairs = zip(
            points.instants_ms[first : first + _BLOCK_LINES], points.values[first : first + _BLOCK_LINES], strict=True
        )
        yield "".join(
            f"{start}{number_text(value * family.factor)} {instant_ms // 1000}.{instant_ms % 1000:03d}\n"
            for instant_ms, value in pairs
        ).encode()
