"""The composition root: makes the parts of a hub, connects them, and runs what runs by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from beszel_hub.accounts.collection import api_tokens_collection, users_collection
from beszel_hub.accounts.queries import list_accounts
from beszel_hub.accounts.service import Accounts
from beszel_hub.agents.connections import Connections
from beszel_hub.agents.endpoint import Endpoint
from beszel_hub.agents.keys import load_hub_key
from beszel_hub.agents.presence import Presence, to_frame
from beszel_hub.checks.collection import make_checks_collection
from beszel_hub.checks.service import Checks
from beszel_hub.clock import Clock, system_clock
from beszel_hub.config import HubConfig
from beszel_hub.export.recent import Recent
from beszel_hub.export.service import Exports
from beszel_hub.live.broker import Broker
from beszel_hub.live.feed import FeedEndpoint
from beszel_hub.metrics.collection import make_collection as make_metrics_collection
from beszel_hub.metrics.history import History
from beszel_hub.metrics.ingest import Ingest
from beszel_hub.metrics.latest import Latest
from beszel_hub.metrics.series_upkeep import request_removal
from beszel_hub.metrics.tier_rows import make_system_stats_collection
from beszel_hub.metrics.tiers import Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.push.service import Push
from beszel_hub.push.target import make_targets
from beszel_hub.records.registry import Change, Registry
from beszel_hub.records.service import Records
from beszel_hub.scheduler import Job, run_jobs
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import load_secret
from beszel_hub.systems.collection import make_details_collection, make_systems_collection
from beszel_hub.systems.monitor import Monitor
from beszel_hub.systems.queries import read_retentions
from beszel_hub.systems.service import Systems
from beszel_protocol.messages import CLOSE_RESTARTING

TICK_SECONDS: Final = 1.0
"""How often statuses are decided, and what changed in the fleet is sent."""
STOP_TIMEOUT_SECONDS: Final = 1.0
"""How long agents' last records may take to be stored when the hub stops."""


class Hub:
    """Everything that serves one data directory."""

    def __init__(self, config: HubConfig, clock: Clock = system_clock) -> None:
        """Open the database and the keys; raise `StartError` if one of them cannot be used."""
        self.config = config
        self.clock = clock
        self.tick_seconds = TICK_SECONDS
        self.database = Database(config.database_path)
        self.database.open()
        self.secret = secret = load_secret(config.secret_path)
        self.key = load_hub_key(config.key_path, config.key_source)
        self.accounts = Accounts(self.database, secret, clock)
        self.systems = Systems(
            self.database, secret, clock, first_admin=_first_admin, universal_token=config.token or ""
        )
        self.checks = Checks(self.database)
        self.ingest = Ingest(self.database, clock)
        self.latest = Latest()
        self.history = History(self.database, self.systems.directory)
        self.exports = Exports(self.database, self.systems.directory)
        self.recent = Recent(self.latest, self.systems.directory, clock)
        self.push = Push(make_targets(config), self.systems.directory, interval_seconds=config.push_interval_seconds)
        self.connections = Connections(self.systems.directory, clock)
        self.agents = Endpoint(
            self.key, self.systems, self.connections, self.ingest, clock,
            configuration_of=self.checks.configuration_of, require_tls=config.require_tls,
        )  # fmt: skip
        self._monitor = Monitor(self.systems.directory, self.systems.apply_statuses, _monotonic_ms)
        self._upkeep = Upkeep(
            self.database, clock, _retention_of(config),
            read_overrides=read_retentions, max_bytes=config.max_database_bytes,
        )  # fmt: skip
        self._presence = Presence(self.systems, self.latest, self.connections)
        self.broker = Broker(
            clock,
            visible=self.systems.directory.visible_ids,
            is_visible=self.systems.directory.is_visible,
            newest=self._presence.newest_sample,
        )
        self.feed = FeedEndpoint(self.broker, self.accounts.authenticate)
        self.records = Records(self.database, self._make_registry(), clock)
        self._connect()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve: load what is known, run the jobs, and at the end close every connection and the database."""
        await self.systems.refresh()
        await self.checks.refresh()
        await self.accounts.revalidate()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self.ingest.run()),
                    group.create_task(self._presence.restore(self.database)),
                    group.create_task(run_jobs(self._jobs())),
                    group.create_task(self.push.run()),
                ]
                yield
                await self._await_agents()
                for task in tasks:
                    task.cancel()
        finally:
            self.close()

    def close(self) -> None:
        self.accounts.close()
        self.database.close()

    def _make_registry(self) -> Registry:
        async def on_system_change(_: Change) -> None:
            await self.systems.refresh()

        async def on_check_change(_: Change) -> None:
            await self.checks.refresh()

        return Registry(
            (
                users_collection(self.accounts, self.clock),
                api_tokens_collection(self.accounts),
                make_systems_collection(
                    self.clock,
                    on_delete=lambda system_id: request_removal(system_id, self.clock()),
                    on_change=on_system_change,
                ),
                make_details_collection(),
                make_checks_collection(self.clock, on_change=on_check_change),
                make_metrics_collection(self.database, self.systems.directory, self.clock),
                make_system_stats_collection(self.database, self.systems.directory, self.clock),
            )
        )

    def _connect(self) -> None:
        """Who hears of what."""
        self.ingest.on_record.append(self._monitor.sampled)
        self.ingest.on_sample += [
            self._presence.sample_arrived,
            self.recent.sample_arrived,
            self.push.sample_arrived,
            lambda sample: self.broker.publish_sample(sample.system_id, lambda: to_frame(sample)),
        ]
        self.connections.on_linked += [self._monitor.connected, self._presence.touch]
        self.connections.on_unlinked += [self._monitor.disconnected, self._presence.touch]
        self.systems.on_changed += [
            self._monitor.changed,
            self.connections.system_changed,
            lambda entry: self._presence.touch(entry.id),
        ]
        self.systems.on_removed += [
            self.connections.system_removed,
            lambda entry: self._monitor.forget(entry.id),
            lambda entry: self.latest.forget(entry.id),
            lambda entry: self.recent.forget(entry.id),
            lambda entry: self.push.forget(entry.id),
            lambda entry: self.broker.remove_system(entry.id),
        ]
        self.checks.on_changed.append(self.connections.configuration_changed)
        self.broker.on_watched.append(self.connections.watch)
        self.accounts.on_revoked.append(lambda revoked: self.feed.doubt(revoked.user_id))

    def _jobs(self) -> tuple[Job, ...]:
        return (
            Job("status", self.tick_seconds, self._monitor.tick),
            Job("fleet", self.tick_seconds, self._tick_fleet),
            Job("changes by others", 0.5, self._follow_changes),
            Job("info", 5.0, self._presence.save_infos),
            Job("seal", 15.0, self._upkeep.seal),
            Job("roll-ups", 15.0, self._upkeep.roll_up),
            Job("retention", 300.0, self._upkeep.retain),
            Job("removal", 5.0, self._upkeep.remove),
        )

    async def _tick_fleet(self) -> None:
        self._presence.flush(self.broker)
        self.broker.tick()

    async def _follow_changes(self) -> None:
        """The command line writes to the database beside the running hub."""
        if await self.database.changed_elsewhere():
            await self.systems.refresh()
            await self.checks.refresh()
            await self.accounts.revalidate()

    async def _await_agents(self) -> None:
        """Close the agents' connections, and give what they sent last a moment to be stored."""
        self.connections.close_all(CLOSE_RESTARTING, "the hub is stopping")
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                await self.connections.wait_idle()


def _retention_of(config: HubConfig) -> Retention:
    return Retention(
        raw=config.raw_retention_seconds,
        minute=config.minute_retention_seconds,
        ten_minutes=config.ten_minute_retention_seconds,
        eight_hours=config.eight_hour_retention_seconds,
    )


def _first_admin() -> str | None:
    return next((account.id for account in list_accounts() if account.role == "admin"), None)


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
