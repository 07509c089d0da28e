"""Notes what samples tell of disks and services, and writes it down a moment later, many hosts at a time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.components import queries
from beszel_hub.components.rows import component_id, detailed_disk_columns, disk_columns, service_columns
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.store.database import Database
from beszel_protocol.disks import DiskReading
from beszel_protocol.sample import ServiceUnitMetrics
from beszel_protocol.storage import SmartMetrics

SAVE_SECONDS: Final = 2.0


class Components:
    """`on_disk` hears the ids of disks that were written, `on_services` what is different about services."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.on_disk: list[Callable[[str], None]] = []
        self.on_services: list[Callable[[queries.ServiceChanges], None]] = []
        self._database = database
        self._clock = clock
        self._disks: dict[str, dict[str, SmartMetrics]] = {}
        self._services: dict[str, Mapping[str, ServiceUnitMetrics]] = {}

    def sample_arrived(self, sample: LiveSample) -> None:
        metrics = sample.metrics
        if metrics.smart:
            self._disks.setdefault(sample.system_id, {}).update(metrics.smart)
        if metrics.services is not None and metrics.services.units is not None:
            self._services[sample.system_id] = metrics.services.units

    async def save_readings(self, system_id: str, readings: Mapping[str, DiskReading]) -> None:
        """What an agent has just read of disks, in full."""
        now_ms = self._clock()
        rows = [detailed_disk_columns(system_id, key, reading, now_ms) for key, reading in readings.items()]
        await self._database.write(lambda: queries.save_disks(system_id, rows, now_ms))
        self._tell(system_id, readings)

    async def save(self) -> None:
        """Called every `SAVE_SECONDS`."""
        disks, self._disks = self._disks, {}
        services, self._services = self._services, {}
        if not disks and not services:
            return
        now_ms = self._clock()

        def write() -> list[queries.ServiceChanges]:
            for system_id in filter(queries.is_there, disks):
                found = disks[system_id].items()
                queries.save_disks(
                    system_id, [disk_columns(system_id, key, disk, now_ms) for key, disk in found], now_ms
                )
            return [
                queries.save_services(system_id, service_columns(system_id, services[system_id], now_ms))
                for system_id in filter(queries.is_there, services)
            ]

        all_changes = await self._database.write(write)
        for system_id, told_disks in disks.items():
            self._tell(system_id, told_disks)
        for changes in all_changes:
            for tell in self.on_services:
                tell(changes)

    def _tell(self, system_id: str, keys: Iterable[str]) -> None:
        for key in keys:
            for tell in self.on_disk:
                tell(component_id(system_id, "disk", key))
