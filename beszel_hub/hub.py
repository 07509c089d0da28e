"""The composition root: makes the parts of a hub, connects them, and runs what runs by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from beszel_hub.accounts.desk import Desk
from beszel_hub.accounts.queries import find_account, list_accounts
from beszel_hub.actions import Verb
from beszel_hub.agents.connections import Connections
from beszel_hub.agents.duties import Duties
from beszel_hub.agents.endpoint import Endpoint
from beszel_hub.agents.keys import load_hub_key
from beszel_hub.agents.presence import Presence, to_frame
from beszel_hub.alerts.announcer import Announcer
from beszel_hub.alerts.beszel_collection import make_alerts_collection
from beszel_hub.alerts.declaration import apply_file as apply_rules_file
from beszel_hub.alerts.history_collection import make_history_collection
from beszel_hub.alerts.quiet_collection import make_quiet_collection
from beszel_hub.alerts.rules_collection import make_rules_collection
from beszel_hub.alerts.service import Alerts
from beszel_hub.alerts.transition import Transition
from beszel_hub.audit.collection import audit_collection
from beszel_hub.audit.journal import Journal
from beszel_hub.backups.service import Backups
from beszel_hub.checks.collection import make_checks_collection
from beszel_hub.checks.service import Checks
from beszel_hub.clock import Clock, system_clock
from beszel_hub.closings import Closings
from beszel_hub.components.collection import make_services_collection, make_smart_devices_collection
from beszel_hub.components.details import ComponentDetails
from beszel_hub.components.service import SAVE_SECONDS, Components
from beszel_hub.config import HubConfig
from beszel_hub.errors import HubError
from beszel_hub.export.recent import Recent
from beszel_hub.export.service import Exports
from beszel_hub.images.policy import Policy
from beszel_hub.images.registry import Registries
from beszel_hub.images.service import Images
from beszel_hub.inventory.collection import ContainersSource, make_containers_collection
from beszel_hub.inventory.containers import Inventory
from beszel_hub.inventory.details import ContainerDetails
from beszel_hub.live.attention import Attention
from beszel_hub.live.broker import Broker
from beszel_hub.live.feed import FeedEndpoint
from beszel_hub.live.guard import Guard
from beszel_hub.live.realtime import Realtime
from beszel_hub.lookout import describe
from beszel_hub.metrics.collection import make_collection as make_metrics_collection
from beszel_hub.metrics.container_stats import make_container_stats_collection
from beszel_hub.metrics.events import make_events_collection
from beszel_hub.metrics.history import History
from beszel_hub.metrics.ingest import Ingest, LiveSample
from beszel_hub.metrics.latest import Latest
from beszel_hub.metrics.recollections import Recollections
from beszel_hub.metrics.series_upkeep import request_removal
from beszel_hub.metrics.tier_rows import make_system_stats_collection
from beszel_hub.metrics.upkeep import Upkeep, retention_of
from beszel_hub.notifications.facts import facts_of
from beszel_hub.notifications.heartbeat import Situation
from beszel_hub.notifications.service import Notifications
from beszel_hub.preferences.collection import make_user_settings_collection
from beszel_hub.push.service import Push
from beszel_hub.push.target import make_targets
from beszel_hub.records.registry import Change, Registry
from beszel_hub.records.service import Records
from beszel_hub.scheduler import Job, JobBoard, run_jobs
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import load_secret
from beszel_hub.systems.collection import make_details_collection, make_systems_collection
from beszel_hub.systems.declaration_file import apply_file
from beszel_hub.systems.enrolment_collection import make_fingerprints_collection, make_universal_tokens_collection
from beszel_hub.systems.monitor import Monitor
from beszel_hub.systems.queries import read_retentions
from beszel_hub.systems.service import Systems
from beszel_hub.systems.team_collection import make_teams_collection
from beszel_hub.tidings import LOOK_SECONDS, Tidings
from beszel_hub.updates.releases import Releases
from beszel_protocol.messages import CLOSE_RESTARTING
from beszel_protocol.sample import ContainerMetrics

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
        self.database = Database(config.database)
        self.database.open(is_serving=True)
        self.secret = secret = load_secret(config.secret_path)
        self.key = load_hub_key(config.key_path, config.key_source)
        self.journal = Journal(clock, _name_of)
        self.backups = Backups(config, self.database, clock, self.journal)
        self.desk = Desk(config, self.database, secret, clock, self.journal)
        self.accounts = self.desk.accounts
        self.systems = Systems(
            self.database, secret, clock, self.journal, first_admin=_first_admin, universal_token=config.token or ""
        )
        self.checks = Checks(self.database)
        self.ingest = Ingest(self.database, clock)
        self.latest = Latest()
        self.history = History(self.database, self.systems.directory)
        self.inventory = Inventory(self.database, clock)
        self.exports = Exports(self.database, self.systems.directory)
        self.recent = Recent(self.latest, self.systems.directory, clock)
        self.push = Push(make_targets(config), self.systems.directory, interval_seconds=config.push_interval_seconds)
        self.images: Images | None = None
        if config.check_image_updates:
            self.images = Images(self.database, clock, Registries(Policy(config.image_registries)))
        self.connections = Connections(self.systems.directory, clock)
        self.alerts = Alerts(self.database, self.systems.directory, clock, _monotonic_ms)
        self.alerts.past.history = Recollections(clock)
        self.duties = Duties(self.systems.directory, self.checks.configuration_of, self.alerts.processes_of)
        self.agents = Endpoint(
            self.key, self.systems, self.connections, self.ingest, clock,
            configuration_of=self.duties.configuration_of, require_tls=config.require_tls,
        )  # fmt: skip
        self.agents.ack_pause_seconds = config.ack_pause_seconds
        self.container_details = ContainerDetails(
            self.inventory, self.systems.directory, self.connections.requests, is_enabled=config.container_details
        )
        self._monitor = Monitor(self.systems.directory, self.systems.apply_statuses, _monotonic_ms)
        self._upkeep = Upkeep(
            self.database, clock, retention_of(config),
            read_overrides=read_retentions, max_bytes=config.max_database_bytes,
        )  # fmt: skip
        self._presence = Presence(self.systems, self.latest, self.connections)
        self.broker = Broker(
            clock, visible=self.systems.directory.visible_ids, is_visible=self.systems.directory.is_visible,
            newest=self._presence.newest_sample,
        )  # fmt: skip
        self.feed = FeedEndpoint(self.broker, self.accounts.authenticate)
        self.job_board = JobBoard()
        self.notifications = Notifications(
            config, self.database, secret, clock, look=self._look, facts=self._facts_of,
            send_letter=None if self.desk.mailer is None else self.desk.mailer.send,
        )  # fmt: skip
        self.alerts.on_transition, self.alerts.end_plans = (
            self.notifications.on_transition, self.notifications.end_plans,
        )  # fmt: skip
        containers = ContainersSource(
            self.inventory, self.systems.directory, self._newest_containers, clock, self._image_updates
        )
        self.records = Records(self.database, self._make_registry(containers), clock)
        self.records.witnesses.append(self.journal.note_change)
        self.realtime = Realtime(self.records, clock, is_visible=self.systems.directory.is_visible)
        self._announcer = Announcer(self.broker.alerts, self.realtime.news.note)
        self._tidings, self._closings = (
            Tidings(self.realtime, self.database, clock, containers),
            Closings(self.realtime.rows, self.database, self.systems.directory, clock),
        )
        self._guard, self._attention = Guard(self.realtime.streams), Attention()
        self.components = Components(self.database, clock)
        self.component_details = ComponentDetails(
            self.database, self.systems.directory, self.connections.requests, self.components
        )
        self.releases = Releases(config.update_url, clock) if config.check_updates else None
        self._connect()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve: load what is known, run the jobs, and at the end close every connection and the database."""
        await self.systems.refresh()
        await self.desk.open()
        await apply_file(self.systems, self.config.systems_file_path, on_delete=self._forget_history)
        if self.images is not None:
            await self.images.restore()
        await self.inventory.restore()
        await self.checks.refresh()
        await apply_rules_file(self.database, self.clock, self.journal, self.config.rules_file_path)
        self._announcer.restore(await self.alerts.open())
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self.ingest.run()),
                    group.create_task(self._presence.restore(self.database)),
                    group.create_task(self.alerts.run()),
                    group.create_task(self.realtime.news.run()),
                    group.create_task(self.realtime.rows.run()),
                    group.create_task(self._guard.run()),
                    group.create_task(self.desk.mailroom.run()),
                    group.create_task(self.notifications.postroom.run()),
                    group.create_task(run_jobs(self._jobs(), self.job_board)),
                    group.create_task(self.push.run()),
                ]
                yield
                await self._await_agents()
                await self._save_alerts()
                with suppress(HubError):
                    await self.inventory.save()
                for task in tasks:
                    task.cancel()
        finally:
            self.close()

    def close(self) -> None:
        self.backups.close()
        self.desk.close()
        self.database.close()

    def _make_registry(self, containers: ContainersSource) -> Registry:
        async def on_system_change(_: Change) -> None:
            await self.systems.refresh()

        async def on_alert_change(_: Change) -> None:
            await self.alerts.refresh()

        async def on_check_change(_: Change) -> None:
            await self.checks.refresh()

        return Registry(
            (
                *self.desk.collections(),
                make_systems_collection(
                    self.clock,
                    on_delete=self._forget_history,
                    on_change=on_system_change,
                ),
                make_details_collection(),
                make_rules_collection(self.clock, on_change=on_alert_change),
                make_alerts_collection(self.clock, on_change=on_alert_change),
                make_history_collection(),
                make_quiet_collection(self.clock, on_change=on_alert_change),
                make_user_settings_collection(self.clock, self.notifications.absorb_settings()),
                *self.notifications.collections(),
                make_smart_devices_collection(),
                make_services_collection(),
                make_teams_collection(self.clock, self.systems),
                make_fingerprints_collection(self.secret, self.clock, self.systems),
                make_universal_tokens_collection(self.secret, self.clock),
                audit_collection(),
                make_checks_collection(self.clock, on_change=on_check_change),
                make_metrics_collection(self.database, self.systems.directory, self.clock),
                make_system_stats_collection(self.database, self.systems.directory, self.clock),
                make_events_collection(self.database, self.systems.directory, self.clock),
                make_container_stats_collection(self.database, self.systems.directory, self.clock),
                make_containers_collection(containers),
            )
        )

    def _forget_history(self, system_id: str) -> None:
        request_removal(system_id, self.clock())

    def _connect(self) -> None:
        """Who hears of what."""
        self.ingest.on_record += [self._monitor.sampled, self.inventory.agent_seen]
        self.ingest.on_sample += [
            self._presence.sample_arrived,
            self.alerts.sample_arrived,
            self.components.sample_arrived,
            self.recent.sample_arrived,
            self.push.sample_arrived,
            lambda sample: self.broker.publish_sample(sample.system_id, lambda: to_frame(sample)),
        ]
        self.ingest.on_sample.append(self._tell_containers)
        self.ingest.on_event.append(self.alerts.event_arrived)
        self.inventory.on_changed.append(self.alerts.containers_changed)
        self.agents.on_containers.append(self.inventory.put)
        self.inventory.on_changed.append(self.broker.containers.put_facts)
        if self.images is not None:
            self.inventory.on_changed.append(self.images.containers_changed)
            self.images.on_changed.append(self.broker.containers.put_image_updates)
        self.connections.on_linked += [self._monitor.connected, self._presence.touch]
        self.connections.on_unlinked += [self._monitor.disconnected, self._presence.touch]
        self.systems.on_changed += [
            self._monitor.changed,
            self.connections.system_changed,
            self.alerts.system_changed,
            lambda entry: self._presence.touch(entry.id),
        ]
        self.systems.on_unbound.append(self.connections.system_unbound)
        self.systems.on_removed += [
            self.connections.system_removed,
            self.alerts.system_removed,
            lambda entry: self._monitor.forget(entry.id),
            lambda entry: self.duties.forget(entry.id),
            lambda entry: self.latest.forget(entry.id),
            lambda entry: self.inventory.forget(entry.id),
            lambda entry: self.recent.forget(entry.id),
            lambda entry: self.push.forget(entry.id),
            lambda entry: self.broker.remove_system(entry.id),
        ]
        self.checks.on_changed.append(self.duties.checks_changed)
        self.duties.on_changed.append(self.connections.configuration_changed)
        self.broker.on_watched.append(self._attention.listener("feed"))
        self.realtime.on_watched.append(self._attention.listener("event stream"))
        self._attention.on_watched.append(self.connections.watch)
        self.accounts.on_revoked += [
            lambda revoked: self.feed.doubt(revoked.user_id),
            lambda revoked: self._guard.doubt(revoked.user_id),
        ]
        self._connect_realtime()

    def _connect_realtime(self) -> None:
        """What clients of the event stream hear."""
        self.ingest.on_sample.append(
            lambda sample: self.realtime.publish_sample(sample.system_id, lambda: self._presence.short_form(sample))
        )
        self.components.on_disk.append(lambda disk_id: self.realtime.news.note("smart_devices", disk_id, Verb.UPDATE))
        self.alerts.on_told.append(self._announcer.told)
        self.alerts.on_acknowledged.append(self._announcer.acknowledged)
        self.records.audiences.append(self.realtime.audience)
        self.records.on_changed.append(self.realtime.news.record_changed)
        self.systems.on_added.append(lambda system_id: self.realtime.news.note("systems", system_id, Verb.CREATE))
        self.systems.on_changed.append(lambda entry: self.realtime.news.note("systems", entry.id, Verb.UPDATE))
        self.systems.on_info.append(lambda system_id: self.realtime.news.note("systems", system_id, Verb.UPDATE))
        self.records.on_changed.append(self._tidings.record_changed)
        self.systems.on_removed.append(self._tidings.system_removed)
        self.systems.on_details.append(self._tidings.details_stored)
        self.inventory.on_changed.append(self._tidings.containers_changed)
        self.components.on_services.append(self._tidings.services_changed)
        self.systems.on_left.append(self.realtime.end_streams_of)

    def _jobs(self) -> tuple[Job, ...]:
        return (
            Job("status", self.tick_seconds, self._monitor.tick),
            Job("fleet", self.tick_seconds, self._tick_fleet),
            Job("changes by others", 0.5, self._follow_changes),
            *self.alerts.jobs(self.tick_seconds),
            Job("what agents count", 5.0, self.duties.follow),
            Job("news of what is stored", LOOK_SECONDS, self._tidings.look),
            Job("intervals that closed", 1.0, self._closings.look),
            Job("info", 5.0, self._presence.save_infos),
            Job("components", SAVE_SECONDS, self.components.save),
            Job("containers", self.tick_seconds, self.inventory.save),
            Job("stale containers", 60.0, self.inventory.upkeep),
            *(() if self.images is None else self.images.jobs()),
            Job("seal", 15.0, self._upkeep.seal),
            Job("roll-ups", 15.0, self._upkeep.roll_up),
            Job("retention", 300.0, self._upkeep.retain),
            Job("removal", 5.0, self._upkeep.remove),
            Job("expired logins and codes", 900.0, self.desk.tidy),
            Job("ended tokens of agents", 900.0, self.systems.purge_tokens),
            *self.notifications.jobs(),
            *self.backups.jobs(),
        )

    async def _look(self) -> Situation:
        """How the fleet is, for whoever watches over the hub."""
        return describe(self.systems.directory, self._announcer.firing, self.job_board.failing())

    def _facts_of(self, transition: Transition) -> list[str]:
        sample = self.latest.get(transition.system_id)
        return [] if sample is None else facts_of(transition, sample.metrics)

    def _tell_containers(self, sample: LiveSample) -> None:
        self.broker.containers.put_usage(sample.system_id, sample.received_ms, sample.metrics.containers or ())

    def _newest_containers(self, system_id: str) -> Sequence[ContainerMetrics]:
        sample = self.latest.get(system_id)
        return () if sample is None else sample.metrics.containers or ()

    def _image_updates(self, system_id: str) -> Mapping[str, bool]:
        return {} if self.images is None else self.images.updates_of(system_id)

    async def _tick_fleet(self) -> None:
        self._presence.flush(self.broker)
        self.broker.tick()

    async def _follow_changes(self) -> None:
        """The command line writes to the database beside the running hub."""
        if await self.database.changed_elsewhere():
            await self.systems.refresh()
            await self.checks.refresh()
            await self.accounts.revalidate()
            await self.alerts.follow()

    async def _await_agents(self) -> None:
        """Close the agents' connections, and give what they sent last a moment to be stored."""
        self.connections.close_all(CLOSE_RESTARTING, "the hub is stopping")
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
                await self.connections.wait_idle()

    async def _save_alerts(self) -> None:
        with suppress(HubError):  # what cannot be stored now happens again after the next start
            await self.alerts.save()


def _first_admin() -> str | None:
    return next((account.id for account in list_accounts() if account.role == "admin"), None)


def _name_of(user_id: str) -> str:
    account = find_account(user_id)
    return "" if account is None else account.email


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
