"""Commands on what the database holds."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from beszel_hub.cli.opening import open_database
from beszel_hub.config import HubConfig
from beszel_hub.metrics.series_space import Usage, measure_usage
from beszel_hub.systems.retention import TIER_NAMES
from beszel_hub.systems.tables import SystemRow
from beszel_protocol.hygiene import clean_text
from beszel_protocol.timestamps import format_timestamp
from beszel_protocol.units import ABSENT, format_bytes

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
    bytes: int
    values: int
    bytes_per_value: float | None
    """Of sealed history, all tiers together."""
    tiers: dict[str, TierUsage]
    systems: list[SystemUsage]


def read_info(config: HubConfig) -> StoreInfo:
    """Measure the database; beside a running hub too."""
    with open_database(config) as database:
        size = asyncio.run(database.measure())
        usage = database.read_now(measure_usage)
        names: dict[str, str] = database.read_now(
            lambda: {row.id: row.name for row in SystemRow.select(SystemRow.id, SystemRow.name)}
        )
    sealed = _sum(part for (_, tier), part in usage.items() if tier != "hot")
    ids = {system_id for system_id, _ in usage} | names.keys()
    systems = [_system_usage(system_id, names.get(system_id, ""), usage) for system_id in ids]
    return StoreInfo(
        file_bytes=size.whole,
        free_bytes=size.free,
        max_bytes=config.max_database_bytes,
        bytes=_sum(usage.values()).bytes,
        values=sealed.numbers,
        bytes_per_value=_rounded(sealed.bytes_per_value),
        tiers={name: _tier_usage(_sum(part for (_, tier), part in usage.items() if tier == name)) for name in TIERS},
        systems=sorted(systems, key=lambda system: (-system.bytes, system.name)),
    )


def print_info(info: StoreInfo) -> None:
    """Two tables: tiers, and systems, those that take most first."""
    console = Console()
    limit = f", of at most {format_bytes(info.max_bytes)}" if info.max_bytes is not None else ""
    console.print(f"database {format_bytes(info.file_bytes)}{limit}, {format_bytes(info.free_bytes)} of it free")
    tiers = _table("tier", "bytes", "values", "bytes a value", "chunks", "since")
    for name, part in info.tiers.items():
        since = ABSENT if part.oldest is None else part.oldest
        tiers.add_row(name, format_bytes(part.bytes), f"{part.values:,}", _shown(part), f"{part.rows:,}", since)
    console.print(tiers)
    systems = _table("system", "bytes", *TIERS, "bytes a value")
    for system in info.systems:
        parts = [system.tiers.get(name) for name in TIERS]
        shown = [ABSENT if part is None else format_bytes(part.bytes) for part in parts]
        sealed = [part for name, part in system.tiers.items() if name != "hot"]
        values = sum(part.values for part in sealed)
        average = f"{sum(part.bytes for part in sealed) / values:.2f}" if values else ABSENT
        systems.add_row(Text(clean_text(system.name) or f"({system.id})"), format_bytes(system.bytes), *shown, average)
    console.print(systems)


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False, header_style="bold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _shown(part: TierUsage) -> str:
    return ABSENT if part.bytes_per_value is None else f"{part.bytes_per_value:.2f}"


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
