"""What the hub keeps, as rows: its backups, and what the database takes by tier and by system."""

from collections.abc import Mapping, Sequence
from typing import Final

from beszel_protocol.units import ByteFamily, format_bytes
from beszel_tui.state.account import Backup, Store, Usage
from beszel_tui.state.selectors import Level, age
from beszel_tui.state.sheet import SheetRow, Value

AUTOMATIC_PREFIX: Final = "@auto_"
"""Names of backups that the hub makes by itself begin so."""
_FULL: Final = 0.95
_NEARLY_FULL: Final = 0.85
_LITTLE_BYTES: Final = 256 << 20
_TIERS: Final = {
    "hot": "Newest samples", "raw": "Every sample", "1m": "By the minute", "10m": "By ten minutes",
    "8h": "By eight hours",
}  # fmt: skip


def backup_rows(backups: Sequence[Backup], now_ms: int) -> list[SheetRow]:
    return [_backup_row(backup, now_ms) for backup in backups]


def _backup_row(backup: Backup, now_ms: int) -> SheetRow:
    made = "" if backup.modified_ms is None else f"{age(now_ms - backup.modified_ms)} ago"
    note = "made by the hub itself" if backup.key.startswith(AUTOMATIC_PREFIX) else ""
    if backup.restoring:
        note = "put back at the hub's next start"
    values: Mapping[str, Value] = {"size": float(backup.size), "made": made, "note": note}
    return SheetRow(backup.key, backup.key, values, "warning" if backup.restoring else "good")


def store_rows(store: Store) -> list[SheetRow]:
    """The database, its disk, the tiers, then the systems, those first that take most."""
    rows = [_database_row(store)]
    if store.disk_free_bytes is not None:
        rows.append(_disk_row(store.disk_free_bytes, store))
    rows += [_usage_row(f"tier:{name}", _TIERS.get(name, name), tier, store) for name, tier in store.tiers.items()]
    rows += [
        _usage_row(f"system:{system.id}", system.name or f"({system.id}), deleted", Usage(bytes=system.bytes), store)
        for system in store.systems
    ]
    return rows


def _database_row(store: Store) -> SheetRow:
    notes = [f"{format_bytes(store.free_bytes)} of it free"]
    level: Level = "good"
    if store.max_bytes:
        notes.append(f"at most {format_bytes(store.max_bytes)}")
        fill = (store.file_bytes - store.free_bytes) / store.max_bytes
        level = "critical" if fill > _FULL else "warning" if fill > _NEARLY_FULL else "good"
    values: Mapping[str, Value] = {
        "size": float(store.file_bytes),
        "values": float(store.values),
        "note": ", ".join(notes),
    }
    return SheetRow("database", "Database", values, level)


def _disk_row(free_bytes: int, store: Store) -> SheetRow:
    note = ""
    level: Level = "good"
    if free_bytes < _LITTLE_BYTES:
        note, level = "nearly full", "critical"
    elif free_bytes < 2 * store.file_bytes:
        note, level = "too little for a backup", "warning"
    return SheetRow("disk", "Free on its disk", {"size": float(free_bytes), "note": note}, level)


def _usage_row(key: str, name: str, usage: Usage, store: Store) -> SheetRow:
    share = 100 * usage.bytes / store.bytes if store.bytes else None
    notes = [f"since {usage.oldest[:10]}"] if usage.oldest else []
    if usage.bytes_per_value is not None:
        count = format_bytes(usage.values, ByteFamily.DECIMAL).removesuffix("B")
        notes.append(f"{count} values of {usage.bytes_per_value:.2f} bytes")
    values: Mapping[str, Value] = {"size": float(usage.bytes), "share": share, "note": ", ".join(notes)}
    return SheetRow(key, name, values, "good")
