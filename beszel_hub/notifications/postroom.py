"""Works on the outbox: claims what is due, sends it, and notes how that went. At least once, in order, a few at a time.

A message is claimed in the database before it is sent and marked after, so a hub that is killed in between sends it
again, with the same key.
"""

import asyncio
import logging
import random
import traceback
from collections.abc import Callable
from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.errors import HubError
from beszel_hub.notifications import backoff, outbox, queries
from beszel_hub.notifications.egress import Policy
from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused
from beszel_hub.notifications.outbox import Claim
from beszel_hub.notifications.sealing import purpose_of
from beszel_hub.notifications.sender import Errand, Sender
from beszel_hub.notifications.targets import Target
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import NotSealedHere, Secret

MAX_IN_FLIGHT: Final = 8
TICK_SECONDS: Final = 1.0
NOBODY: Final = "its owner is no more"
FAILURE_TICKS: Final = 10
"""After what should not have happened."""
BROKEN: Final = "the hub itself failed to send it; its log says where"
SEALED: Final = "its target cannot be opened: secret.key is another one"

log = logging.getLogger(__name__)


class Postroom:
    """Works until cancelled.

    `networks` are private ones that the operator has opened to every channel; with `shares_all` everybody sees every
    system.
    """

    def __init__(
        self,
        database: Database,
        secret: Secret,
        clock: Clock,
        sender: Sender,
        *,
        networks: tuple[str, ...] = (),
        shares_all: bool = False,
    ) -> None:
        self.tick_seconds = TICK_SECONDS
        self._database = database
        self._secret = secret
        self._clock = clock
        self._sender = sender
        self._networks = networks
        self._shares_all = shares_all
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Until cancelled. What is under way then is sent again by the next run."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    for claimed in await self._claim():
                        self._busy.add(claimed.channel.id)
                        group.create_task(self._work(claimed))
                except HubError as error:
                    log.warning("the outbox cannot be read now: %s", error)
                except Exception:
                    log.exception("the outbox cannot be worked on")
                    await asyncio.sleep(self.tick_seconds * FAILURE_TICKS)
                await asyncio.sleep(self.tick_seconds)

    def policy_of(self, role: str) -> Policy:
        """Administrators run the networks around the hub, so their channels may go there."""
        return Policy(allows_private=role == "admin", networks=self._networks)

    async def _claim(self) -> list[Claim]:
        now_ms, busy = self._clock(), frozenset(self._busy)
        free = MAX_IN_FLIGHT - len(busy)
        if free <= 0 or not await self._database.read(lambda: queries.has_work(now_ms)):
            return []

        def write() -> list[Claim]:
            outbox.work_plans(now_ms, shares_all=self._shares_all)
            return outbox.claim(now_ms, busy=busy, limit=free)

        return await self._database.write(write)

    async def _work(self, claimed: Claim) -> None:
        try:
            note = await self._try(claimed)
            now_ms = self._clock()
            await self._database.write(lambda: note(now_ms))
        except HubError as error:
            log.warning("how a message to channel %s went cannot be stored: %s", claimed.channel.id, error)
        except Exception:
            log.exception("a message to channel %s failed", claimed.channel.id)
        finally:
            self._busy.discard(claimed.channel.id)

    async def _try(self, claimed: Claim) -> Callable[[int], None]:
        """What is to be noted of this try, given the instant."""
        try:
            await self._sender.send(self._errand(claimed))
        except DeliveryFailed as failure:
            return self._failed(claimed, failure)
        except Exception as error:  # noqa: BLE001 - else the same message would be tried at every tick, for ever
            frame = traceback.extract_tb(error.__traceback__)[-1]
            # Without what the error says: that may be the target.
            log.error("channel %s: %s in %s", claimed.channel.id, type(error).__name__, frame.name)
            return self._failed(claimed, DeliveryFailed(BROKEN))
        return lambda now_ms: outbox.mark_sent(claimed, now_ms)

    def _errand(self, claimed: Claim) -> Errand:
        """Raise `TargetRefused` if there is nobody and nowhere to send to."""
        if not claimed.owner_role:
            raise TargetRefused(NOBODY)
        return Errand(
            target=open_target(self._secret, claimed), key=claimed.key, steps=claimed.steps,
            policy=self.policy_of(claimed.owner_role), template=claimed.channel.template,
            subject_template=claimed.channel.subject_template,
        )  # fmt: skip

    def _failed(self, claimed: Claim, failure: DeliveryFailed) -> Callable[[int], None]:
        attempts = claimed.attempts + 1
        log.info("channel %s, try %d: %s", claimed.channel.id, attempts, failure.reason)
        delay = backoff.next_delay_seconds(
            attempts,
            random.random(),  # noqa: S311 - no secret
            retry_after_seconds=failure.retry_after_seconds,
        )

        def note(now_ms: int) -> None:
            age_seconds = (now_ms - claimed.since_ms) / 1000
            is_refused = isinstance(failure, TargetRefused)
            if is_refused or backoff.is_hopeless(attempts, age_seconds, is_lasting=failure.is_lasting):
                outbox.mark_dead(claimed, now_ms, failure.reason)
            else:
                outbox.mark_waiting(claimed, now_ms, failure.reason, due_ms=now_ms + round(1000 * delay))

        return note


def open_target(secret: Secret, claimed: Claim) -> Target:
    """Raise `TargetRefused` if it was sealed with another secret."""
    try:
        text = secret.open(claimed.sealed_target, purpose_of(claimed.channel.id)).decode()
    except NotSealedHere as error:
        raise TargetRefused(SEALED) from error
    return Target(claimed.channel.kind, text, "")
