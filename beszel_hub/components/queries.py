"""Writes of disks and services; all run on the writer thread."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import peewee

from beszel_hub.components.tables import SmartDevice, SystemdService
from beszel_hub.systems.tables import SystemRow

FORGET_DISK_MS: Final = 7 * 86_400_000
"""A disk that was not told for so long, while others of its system were, is not there any more."""


def is_there(system_id: str) -> bool:
    """Samples may outlive their system for a moment."""
    return bool(SystemRow.select().where(SystemRow.id == system_id).exists())


def save_disks(system_id: str, disks: Iterable[dict[str, Any]], now_ms: int) -> None:
    """Some of a system's disks: what tells of them does not tell of all at once.

    A firmware that is not told stays what it was.
    """
    for columns in disks:
        kept = {"id"} if columns["firmware"] else {"id", "firmware"}
        changes = {name: value for name, value in columns.items() if name not in kept}
        SmartDevice.insert(columns).on_conflict(conflict_target=[SmartDevice.id], update=changes).execute()
    forgotten = SmartDevice.updated < now_ms - FORGET_DISK_MS
    SmartDevice.delete().where((SmartDevice.system_id == system_id) & forgotten).execute()


class ServiceChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is different about a system's services, apart from what they use."""

    made: list[str]
    """Ids."""
    changed: list[str]
    gone: list[dict[str, Any]]
    """As they were, by column."""


def save_services(system_id: str, services: Iterable[dict[str, Any]]) -> ServiceChanges:
    """All services of a system, in place of those before; a peak stays the highest since the service is known."""
    of_system = SystemdService.system_id == system_id
    stored: Iterable[Any] = SystemdService.select().where(of_system).dicts()
    known: dict[str, dict[str, Any]] = {service["id"]: service for service in stored}
    SystemdService.delete().where(of_system).execute()
    rows = [{**columns, "cpu_peak": _highest(columns, known.get(columns["id"]))} for columns in services]
    for batch in peewee.chunked(rows, 100):
        SystemdService.insert_many(batch).execute()
    return _difference(known, rows)


def _highest(columns: dict[str, Any], before: dict[str, Any] | None) -> float:
    peak: float = columns["cpu_peak"]
    return peak if before is None else max(peak, before["cpu_peak"])


def _difference(known: dict[str, dict[str, Any]], rows: list[dict[str, Any]]) -> ServiceChanges:
    present = {row["id"] for row in rows}
    return ServiceChanges(
        made=[row["id"] for row in rows if row["id"] not in known],
        changed=[
            row["id"] for row in rows
            if (before := known.get(row["id"])) and (before["state"], before["sub"]) != (row["state"], row["sub"])
        ],
        gone=[service for service_id, service in known.items() if service_id not in present],
    )  # fmt: skip


def has_service(system_id: str, name: str) -> bool:
    same = (SystemdService.system_id == system_id) & (SystemdService.name == name)
    return bool(SystemdService.select().where(same).exists())


def delete_disk(record_id: str) -> None:
    SmartDevice.delete().where(SmartDevice.id == record_id).execute()
