"""What the database takes, and what for: by tier, by system, and by value."""

import asyncio
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from beszel_hub.config import HubConfig
from beszel_hub.metrics.series_space import Usage, measure_usage
from beszel_hub.store.database import Database
from beszel_hub.systems.queries import read_names
from beszel_hub.systems.retention import TIER_NAMES
from beszel_protocol.timestamps import format_timestamp

TIERS: Final = ("hot", *TIER_NAMES)
"""Samples that are not sealed yet come first."""


class TierUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What one tier takes."""

    bytes: int
    values: int
    """Readings, and for each bucket the mean, least, greatest, last and number of readings; not counted where hot."""
    rows: int
    bytes_per_value: float | None
    oldest: str | None


class SystemUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What one system takes."""

    id: str
    name: str
    """Empty for a system that is deleted and whose history is being removed."""
    bytes: int
    tiers: dict[str, TierUsage]


class StoreInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the database takes, and what for."""

    file_bytes: int
    free_bytes: int
    """Of the file: left by what was deleted."""
    max_bytes: int | None
    disk_free_bytes: int | None
    """Where the database is; unknown for a server's."""
    bytes: int
    values: int
    bytes_per_value: float | None
    """Of sealed history, all tiers together."""
    tiers: dict[str, TierUsage]
    systems: list[SystemUsage]


async def measure_store(database: Database, config: HubConfig) -> StoreInfo:
    """Takes seconds in a database of many gigabytes; raise `Unavailable` if it takes longer than any query may."""
    size = await database.measure()
    usage, names = await database.read(lambda: (measure_usage(), read_names()))
    sealed = _sum(part for (_, tier), part in usage.items() if tier != "hot")
    ids = {system_id for system_id, _ in usage} | names.keys()
    systems = [_system_usage(system_id, names.get(system_id, ""), usage) for system_id in ids]
    return StoreInfo(
        file_bytes=size.whole,
        free_bytes=size.free,
        max_bytes=config.max_database_bytes,
        disk_free_bytes=await asyncio.to_thread(_free_bytes, config),
        bytes=_sum(usage.values()).bytes,
        values=sealed.numbers,
        bytes_per_value=_rounded(sealed.bytes_per_value),
        tiers={name: _tier_usage(_sum(part for (_, tier), part in usage.items() if tier == name)) for name in TIERS},
        systems=sorted(systems, key=lambda system: (-system.bytes, system.name)),
    )


def _free_bytes(config: HubConfig) -> int | None:
    place = config.database
    return shutil.disk_usage(place.parent).free if isinstance(place, Path) else None


def _system_usage(system_id: str, name: str, usage: Mapping[tuple[str, str], Usage]) -> SystemUsage:
    mine = {tier: usage[system_id, tier] for tier in TIERS if (system_id, tier) in usage}
    return SystemUsage(
        id=system_id,
        name=name,
        bytes=_sum(mine.values()).bytes,
        tiers={tier: _tier_usage(part) for tier, part in mine.items()},
    )


def _tier_usage(part: Usage) -> TierUsage:
    return TierUsage(
        bytes=part.bytes,
        values=part.numbers,
        rows=part.rows,
        bytes_per_value=_rounded(part.bytes_per_value),
        oldest=None if part.oldest_ms is None else format_timestamp(part.oldest_ms),
    )


def _sum(parts: Iterable[Usage]) -> Usage:
    return sum(parts, Usage())


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 4)
