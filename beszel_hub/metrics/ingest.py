"""The way into history: records wait in inboxes, are stored in group commits, and only then are acknowledged.

Every commit takes a fair share from every inbox. When commits cannot keep up, inboxes fill, their agents are no longer
read from, and keep what they have not been told to be stored.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.errors import HubError
from beszel_hub.metrics.inbox import Arrival, Inbox, Ledger
from beszel_hub.metrics.spools import load_ledger, store_arrivals
from beszel_hub.store.database import Database
from beszel_protocol.messages import Event
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.sample import Metrics

COMMIT_INTERVAL_SECONDS: Final = 0.25
COMMIT_RECORDS: Final = 2048
SHARE_RECORDS: Final = 128
"""Of one inbox in one commit."""

log = logging.getLogger(__name__)
_Delivery = tuple[Inbox, list[Arrival]]


class LiveSample(msgspec.Struct, frozen=True):
    """A sample as it arrived: newer than all before it of its system, and not necessarily stored yet."""

    system_id: str
    instant_ms: int
    received_ms: int
    metrics: Metrics


class Ingest:
    def __init__(self, database: Database, clock: Clock) -> None:
        self.on_sample: list[Callable[[LiveSample], None]] = []
        self.on_event: list[Callable[[str, int, Event], None]] = []
        """Told the system, the instant and the event, also of what happened while nobody was connected."""
        self.on_record: list[Callable[[str], None]] = []
        """Told the id of a system for every record that came from it."""
        self.commit_interval_seconds = COMMIT_INTERVAL_SECONDS
        self._database = database
        self._clock = clock
        self._ledgers: dict[tuple[str, str], Ledger] = {}
        self._inboxes: dict[Inbox, None] = {}
        self._has_waiting = asyncio.Event()
        self._opening = asyncio.Lock()
        self._committing = asyncio.Lock()
        """Held by one commit at a time: each starts from the ledgers that the one before has left."""
        self._failing_since_ms: int | None = None

    async def open(
        self, system_id: str, spool_id: str, *,
        on_stored: Callable[[SequenceRanges], None], on_lost: Callable[[], None],
    ) -> Inbox:  # fmt: skip
        """An inbox for a new connection; its ledger tells what of the spool is stored already."""
        async with self._opening:
            ledger = self._ledgers.get((system_id, spool_id))
            if ledger is None:
                ledger = await self._database.read(lambda: load_ledger(system_id, spool_id))
                self._ledgers[system_id, spool_id] = ledger
            ledger.inboxes += 1
        inbox = Inbox(ledger, on_waiting=self._has_waiting.set, on_stored=on_stored, on_lost=on_lost)
        self._inboxes[inbox] = None
        return inbox

    async def close(self, inbox: Inbox) -> None:
        """The connection has ended; what waits in its inbox is still stored, and its ledger kept until that is done."""
        async with self._committing:
            while len(inbox):  # all together: when a network breaks, hundreds of connections end at once
                await self._commit(self._gather())
            if self._inboxes.pop(inbox, inbox) is None:
                self._release(inbox.ledger)

    async def run(self) -> None:
        """Commit what arrives, until cancelled."""
        while True:
            await self._has_waiting.wait()
            if sum(map(len, self._inboxes)) < COMMIT_RECORDS:
                await asyncio.sleep(self.commit_interval_seconds)
            async with self._committing:
                self._has_waiting.clear()
                await self._commit(self._gather())
            if any(map(len, self._inboxes)):
                self._has_waiting.set()

    def _gather(self) -> list[_Delivery]:
        """A share of every inbox, those first that were served last the time before."""
        deliveries: list[_Delivery] = []
        room = COMMIT_RECORDS
        for inbox in list(self._inboxes):
            if not len(inbox) or room <= 0:
                continue
            arrivals = inbox.take(min(SHARE_RECORDS, room))
            room -= len(arrivals)
            deliveries.append((inbox, arrivals))
            del self._inboxes[inbox]
            self._inboxes[inbox] = None
        return deliveries

    async def _commit(self, deliveries: list[_Delivery]) -> None:
        if not deliveries:
            return
        by_ledger: dict[Ledger, list[Arrival]] = {}
        for inbox, arrivals in deliveries:
            by_ledger.setdefault(inbox.ledger, []).extend(arrivals)
        batch = list(by_ledger.items())
        now_ms = self._clock()
        try:
            all_stored = await self._database.write(lambda: store_arrivals(batch, now_ms))
        except Exception as error:  # noqa: BLE001  # whatever it was, agents must hear of it
            self._complain(error, now_ms)
            for inbox, _ in deliveries:
                inbox.ledger.is_doubtful = True
                inbox.on_lost()
            return
        if self._failing_since_ms is not None:
            log.warning("records are stored again, after %.0f s", (now_ms - self._failing_since_ms) / 1000)
            self._failing_since_ms = None
        for (ledger, _), stored in zip(batch, all_stored, strict=True):
            ledger.stored = stored
            ledger.is_doubtful = False
        for inbox, arrivals in deliveries:
            inbox.on_stored(SequenceRanges((arrival.sequence, arrival.sequence) for arrival in arrivals))

    def _complain(self, error: Exception, now_ms: int) -> None:
        """Once: agents try again and again."""
        if self._failing_since_ms is not None:
            return
        self._failing_since_ms = now_ms
        if isinstance(error, HubError):
            log.error("records cannot be stored, agents keep them until they can be: %s", error.__cause__ or error)
        else:
            log.error("records cannot be stored, agents keep them until they can be", exc_info=error)

    def _release(self, ledger: Ledger) -> None:
        ledger.inboxes -= 1
        if not ledger.inboxes:
            self._ledgers.pop((ledger.system_id, ledger.spool_id), None)
