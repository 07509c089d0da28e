"""Commands on what the database holds."""

import asyncio

from rich.console import Console
from rich.table import Table
from rich.text import Text

from beszel_hub.cli.opening import open_database
from beszel_hub.config import HubConfig
from beszel_hub.metrics.storage import TIERS, StoreInfo, TierUsage, measure_store
from beszel_protocol.hygiene import clean_text
from beszel_protocol.units import ABSENT, format_bytes


def read_info(config: HubConfig) -> StoreInfo:
    """Measure the database; beside a running hub too."""
    with open_database(config) as database:
        return asyncio.run(measure_store(database, config))


def print_info(info: StoreInfo) -> None:
    """Two tables: tiers, and systems, those that take most first."""
    console = Console()
    limit = f", of at most {format_bytes(info.max_bytes)}" if info.max_bytes is not None else ""
    console.print(f"database {format_bytes(info.file_bytes)}{limit}, {format_bytes(info.free_bytes)} of it free")
    if info.disk_free_bytes is not None:
        console.print(f"{format_bytes(info.disk_free_bytes)} of the disk free")
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
