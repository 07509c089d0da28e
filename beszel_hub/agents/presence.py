"""What is seen of each system: its row in the fleet, its newest sample, its `info`. Brings together who knows what."""

from functools import partial
from typing import Any

import msgspec

from beszel_hub.agents.connections import Connections
from beszel_hub.live.broker import Broker
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.metrics.latest import Latest
from beszel_hub.metrics.series import read_newest
from beszel_hub.metrics.short_keys import make_container_stats, make_stats
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Entry
from beszel_hub.systems.fleet import make_row
from beszel_hub.systems.headline import make_info
from beszel_hub.systems.service import Systems
from beszel_protocol.feed import FleetRow, SystemSample
from beszel_protocol.sample import Metrics
from beszel_protocol.timestamps import format_timestamp


class Presence:
    def __init__(self, systems: Systems, latest: Latest, connections: Connections) -> None:
        self._systems = systems
        self._latest = latest
        self._connections = connections
        self._touched: set[str] = set()
        self._unsaved: set[str] = set()

    async def restore(self, database: Database) -> None:
        """After a start: the newest sample that history has of each system, until a newer one arrives."""
        for entry in list(self._systems.directory):
            newest = await database.read(partial(read_newest, entry.id))
            if newest is not None:
                metrics = msgspec.convert(newest.document, Metrics)
                self._latest.restore(LiveSample(entry.id, newest.instant_ms, newest.instant_ms, metrics))
            self.touch(entry.id)

    def sample_arrived(self, sample: LiveSample) -> None:
        self._latest.put(sample)
        self._unsaved.add(sample.system_id)
        self.touch(sample.system_id)

    def touch(self, system_id: str) -> None:
        """Something about the system's row has changed."""
        self._touched.add(system_id)

    def flush(self, broker: Broker) -> None:
        """Hand every row that changed to the broker."""
        touched, self._touched = self._touched, set()
        for system_id in touched:
            entry = self._systems.directory.get(system_id)
            if entry is not None:
                broker.put_row(self._make_row(entry))

    def newest_sample(self, system_id: str) -> SystemSample | None:
        """As the feed sends it first, its sequence still 0: whole, as what is told seldom would be missed for long."""
        sample = self._latest.get_whole(system_id)
        return None if sample is None else to_frame(sample)

    def short_form(self, sample: LiveSample) -> dict[str, Any]:
        """As Beszel's clients read it every second."""
        return {
            "stats": make_stats(sample.metrics),
            "info": self._make_info(sample),
            "container": make_container_stats(sample.metrics.containers or ()),
        }

    async def save_infos(self) -> None:
        """Bring the `info` of systems that sent something up to date in the database."""
        unsaved, self._unsaved = self._unsaved, set()
        infos = []
        for system_id in unsaved:
            sample = self._latest.get(system_id)
            if sample is not None and self._systems.directory.get(system_id) is not None:
                infos.append((system_id, self._make_info(sample)))
        if infos:
            await self._systems.save_info(infos)

    def _make_info(self, sample: LiveSample) -> dict[str, Any]:
        entry = self._systems.directory.get(sample.system_id)
        version, threads = ("", None) if entry is None else (entry.agent_version, entry.threads)
        return make_info(sample.metrics, agent_version=version, threads=threads)

    def _make_row(self, entry: Entry) -> FleetRow:
        sample = self._latest.get(entry.id)
        link = self._connections.get(entry.id)
        return make_row(
            entry,
            metrics=None if sample is None else sample.metrics,
            updated_ms=None if sample is None else sample.received_ms,
            encrypted=None if link is None else link.wire.is_encrypted,
        )


def to_frame(sample: LiveSample) -> SystemSample:
    return SystemSample(
        sequence=0, system=sample.system_id, timestamp=format_timestamp(sample.instant_ms), metrics=sample.metrics
    )
