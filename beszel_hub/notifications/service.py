"""Notifications of a hub, put together."""

import logging
from collections.abc import Awaitable, Callable

from beszel_hub.alerts.transition import Transition
from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.notifications import digest, outbox
from beszel_hub.notifications.collections import make_channels_collection, make_deliveries_collection
from beszel_hub.notifications.desk import ChannelDesk
from beszel_hub.notifications.heartbeat import Heartbeat, Situation
from beszel_hub.notifications.outbox import Facts
from beszel_hub.notifications.postroom import Postroom
from beszel_hub.notifications.sender import Sender, SendLetter
from beszel_hub.notifications.settings_view import Absorb, make_absorb
from beszel_hub.records.registry import Collection
from beszel_hub.scheduler import Job
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret

_log = logging.getLogger(__name__)


class Notifications:
    """`on_transition` is what alerts hand their steps to; `look` says how the fleet is, for the heartbeat."""

    def __init__(
        self, config: HubConfig, database: Database, secret: Secret, clock: Clock, *,
        send_letter: SendLetter | None, look: Callable[[], Awaitable[Situation]], facts: Facts | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._secret = secret
        self._clock = clock
        self._facts = facts
        self._shares_all = config.share_all_systems
        sender = Sender(app_url=config.app_url, send_letter=send_letter)
        self.postroom = Postroom(
            database, secret, clock, sender, networks=config.notification_networks, shares_all=self._shares_all
        )
        self.desk = ChannelDesk(database, secret, clock, sender, self.postroom)
        self.heartbeat = _make_heartbeat(config, clock, look)

    def on_transition(self, transition: Transition) -> None:
        """Runs on the writer thread, in the transaction that stores the step."""
        outbox.put(transition, now_ms=self._clock(), facts=self._facts)

    def end_plans(self, alert_id: str) -> None:
        """Likewise, for an alert that somebody has taken on, or that ended without a step."""
        outbox.end_plans(alert_id)

    def collections(self) -> tuple[Collection, ...]:
        return make_channels_collection(self._clock, self.desk), make_deliveries_collection(self._clock)

    def absorb_settings(self) -> Absorb:
        """What user settings hand each new document to."""
        return make_absorb(self._secret, self._clock)

    def jobs(self) -> tuple[Job, ...]:
        jobs = [Job("weekly digests", 300.0, self._put_digests), Job("old notifications", 900.0, self._sweep)]
        if self.heartbeat is not None:
            jobs.append(Job("heartbeat", self.heartbeat.interval_seconds, self.heartbeat.beat))
        return tuple(jobs)

    async def _put_digests(self) -> None:
        now_ms = self._clock()
        await self._database.write(lambda: digest.put_digests(now_ms, shares_all=self._shares_all))

    async def _sweep(self) -> None:
        now_ms = self._clock()
        count = await self._database.write(lambda: outbox.sweep(now_ms))
        if count:
            _log.debug("%d old notifications are forgotten", count)


def _make_heartbeat(config: HubConfig, clock: Clock, look: Callable[[], Awaitable[Situation]]) -> Heartbeat | None:
    if config.heartbeat_url is None:
        return None
    return Heartbeat(config.heartbeat_url, config.heartbeat_method, config.heartbeat_interval_seconds, clock, look)
