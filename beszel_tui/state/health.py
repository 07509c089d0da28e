"""How the disks of a host are: each disk by itself, the arrays and pools that they make up."""

from collections.abc import Iterator
from typing import Final

from msgspec import to_builtins

from beszel_protocol.metrics import Unit
from beszel_protocol.sample import Metrics
from beszel_protocol.storage import ArrayMetrics, SmartMetrics
from beszel_protocol.units import format_number
from beszel_tui.state.model import Focus
from beszel_tui.state.selectors import Sort, Thresholds, natural_key
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow, level_of


def health_rows(focus: Focus, _thresholds: Thresholds) -> list[SheetRow]:
    """Pools, arrays, disks: what holds the data comes first."""
    metrics = focus.whole or Metrics()
    return [*_pools(metrics), *_arrays(metrics), *_disks(metrics)]


def _pools(metrics: Metrics) -> Iterator[SheetRow]:
    pools = metrics.pools or {}
    for name in sorted(pools, key=natural_key):
        pool = pools[name]
        yield SheetRow(
            key=f"pool/{name}",
            name=name,
            level=level_of(pool.severity),
            values={
                "kind": f"pool {pool.type or ''}".rstrip(),
                "state": pool.state or _word(pool.severity),
                "size": pool.total_bytes,
                "used": pool.usage_percent,
                "errors": pool.errors,
                "about": _members(pool.devices, pool.devices_missing, "device"),
            },
            told={"kind": "pool", "name": name, **to_builtins(pool)},
        )


def _arrays(metrics: Metrics) -> Iterator[SheetRow]:
    arrays = metrics.arrays or {}
    for name in sorted(arrays, key=natural_key):
        array = arrays[name]
        yield SheetRow(
            key=f"array/{name}",
            name=name,
            level=level_of(array.severity),
            values={
                "kind": f"array {array.level or ''}".rstrip(),
                "state": array.state or _word(array.severity),
                "size": array.total_bytes,
                "errors": array.mismatches,
                "about": _array_facts(array),
            },
            told={"kind": "array", "name": name, **to_builtins(array)},
        )


def _disks(metrics: Metrics) -> Iterator[SheetRow]:
    disks = metrics.smart or {}
    for key in sorted(disks, key=lambda key: (natural_key(disks[key].device or key), key)):
        disk = disks[key]
        yield SheetRow(
            key=f"disk/{key}",
            name=disk.device or key,
            level=level_of(disk.severity),
            values={
                "kind": f"disk {disk.type or ''}".rstrip(),
                "state": disk.state or _word(disk.severity),
                "size": disk.total_bytes,
                "temp": disk.temperature_celsius,
                "wear": disk.wear_percent,
                "hours": None if disk.power_on_hours is None else disk.power_on_hours * 3600.0,
                "errors": _errors(disk),
                "about": " ".join(part for part in (disk.model, key if key != disk.device else None) if part),
            },
            told={"kind": "disk", "key": key, **to_builtins(disk)},
        )


def _errors(disk: SmartMetrics) -> int | None:
    known = [
        count
        for count in (disk.reallocated_sectors, disk.pending_sectors, disk.uncorrected_errors)
        if count is not None
    ]
    return sum(known) if known else None


def _array_facts(array: ArrayMetrics) -> str:
    parts = [_members(array.members, array.members_missing, "member")]
    if array.spares:
        parts.append(f"{array.spares} spare{'' if array.spares == 1 else 's'}")
    if array.sync_percent is not None:
        parts.append(f"sync {format_number(array.sync_percent)}%")
    return ", ".join(part for part in parts if part)


def _members(count: int | None, missing: int | None, word: str) -> str:
    if count is None:
        return f"{missing} missing" if missing else ""
    told = f"{count} {word}{'' if count == 1 else 's'}"
    return f"{told}, {missing} missing" if missing else told


def _word(severity: int | None) -> str:
    return "unknown" if severity is None else ("sound", "of concern", "failed")[min(max(severity, 0), 2)]


HEALTH: Final = Sheet(
    key="health",
    title="Disks' health",
    columns=(
        SheetColumn("name", "NAME"),
        SheetColumn("kind", "KIND"),
        SheetColumn("state", "STATE", by_level=True),
        SheetColumn("size", "SIZE", Unit.BYTES),
        SheetColumn("used", "USED", Unit.PERCENT),
        SheetColumn("temp", "TEMP", Unit.CELSIUS),
        SheetColumn("wear", "WEAR", Unit.PERCENT),
        SheetColumn("hours", "POWERED ON", Unit.SECONDS, "ON"),
        SheetColumn("errors", "ERRORS", Unit.COUNT, "ERR"),
        SheetColumn("about", "MODEL, MEMBERS"),
    ),
    claims=(
        ("name", 12), ("state", 14), ("temp", 5), ("errors", 4), ("kind", 12), ("size", 6), ("wear", 6), ("used", 6),
        ("hours", 5), ("state", 18), ("about", 16), ("name", 14), ("errors", 6), ("about", 30), ("state", 30),
        ("hours", 10), ("about", 46), ("name", 24),
    ),
    rows=health_rows,
    sort=Sort("state", descending=True),
    empty=(
        "no disk tells of its health\n\nSMART needs smartmontools on the host and the right to read the disks;\n"
        "`beszel-agent config check` says what is missing"
    ),
    hint="words  kind:disk  failed  temp>50  wear>80  errors>0  /regex/",
)  # fmt: skip
