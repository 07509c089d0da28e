"""One connection after its welcome: sends what the spool holds, hears what the hub says."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from websockets.exceptions import ConnectionClosed

from beszel_agent.errors import HubSilent
from beszel_agent.handlers import Action, Handlers
from beszel_agent.spool.interface import Spool
from beszel_agent.ticks import sleep_to_tick
from beszel_agent.websocket import WebSocket
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.messages import (
    CLOSE_INVALID_PAYLOAD,
    MAX_BATCH_BYTES,
    MAX_RANGES,
    Ack,
    Cancel,
    Configuration,
    Configure,
    Configured,
    Containers,
    Details,
    FromAgent,
    FromHub,
    Interval,
    InvalidMessage,
    MalformedFrame,
    MessageError,
    Range,
    Request,
    Samples,
    decode_from_hub,
    encode,
)
from beszel_protocol.ranges import SequenceRanges

CONFIRMATION_SECONDS: Final = 60.0
"""A hub that takes records but confirms none for so long is left and dialled anew."""

_HOUSEKEEPING_SECONDS: Final = 10.0
_PUSHED_RECORDS: Final = 16
"""Sent ahead of their confirmation at most; the hub confirms live samples a few at a time."""
_DETAILS_SECONDS: Final = 300.0
_INVENTORY_SECONDS: Final = 1.0
"""Between two inventories of containers at least."""
_LONGEST_DOZE_SECONDS: Final = 2.0
"""An agent that measures less often hears every ack at once; what it says is rare enough."""
_UNREAD_ACKS: Final = 3
"""So many may wait while the connection dozes: three at once cost little more than one."""
_MOST_PADDING_BYTES: Final = 4 << 10
_ACK: Final = b'{"type":"ack",'

log = logging.getLogger(__name__)


class Duties(NamedTuple):
    """What the agent does for its hub, whichever connection it comes by."""

    spool: Spool
    details: Callable[[], HostDetails]
    containers: Callable[[], list[ContainerFacts] | None]
    """None if this host cannot tell of any."""
    interval_seconds: Callable[[], float]
    """Between two samples, at present."""
    ask_interval: Callable[[float], None]
    configure: Callable[[Configuration], None]
    """Take over what the hub wants, as a whole."""
    actions: Mapping[str, Action]
    actions_enabled: bool


class Session:
    def __init__(self, connection: WebSocket, duties: Duties, details: HostDetails, padding_bytes: int = 0) -> None:
        """`details` are those that the hub has from the enrolment; `padding_bytes` what it promised in its welcome."""
        self._connection, self._duties, self._details = connection, duties, details
        self._padding_bytes = padding_bytes if 0 < padding_bytes <= _MOST_PADDING_BYTES else 0
        self._wake = asyncio.Event()
        self._inventory_changed = asyncio.Event()
        self._inventory_changed.set()
        self._sent = SequenceRanges()
        self._batch: set[int] = set()
        self._unconfirmed_since: float | None = None
        self._failure: HubSilent | None = None
        self.ignored: Counter[str] = Counter()
        """What the hub said that was not understood, by kind."""
        connection.takes = self._take_ack

    def wake(self) -> None:
        """The spool has something new."""
        if len(self._duties.spool) > _UNREAD_ACKS:
            self._connection.read_waiting()
        if not self._wake.is_set() and not self._batch and len(self._duties.spool) <= _PUSHED_RECORDS:
            self._push_newest()
            self._doze()
        else:
            self._connection.attend()
            self._wake.set()

    def _doze(self) -> None:
        """Acks may wait for another sample now. What is urgent the hub pads, so that it wakes this process."""
        if self._padding_bytes and self._duties.interval_seconds() <= _LONGEST_DOZE_SECONDS:
            self._connection.doze(self._padding_bytes)
        else:
            self._connection.attend()

    def tell_containers(self) -> None:
        """Something of the inventory of containers may have changed."""
        self._inventory_changed.set()

    async def run(self) -> ConnectionClosed:
        """Serve the connection until it ends; returns how. Raise `HubSilent` if it was this side that gave up."""
        async with asyncio.TaskGroup() as tasks:
            handlers = Handlers(self._duties.actions, tasks, self._send_quietly, enabled=self._duties.actions_enabled)
            helpers = [
                tasks.create_task(work) for work in (self._send_records(), self._keep_house(), self._send_inventories())
            ]
            try:
                ended = await self._receive(handlers)
            finally:
                for helper in helpers:
                    helper.cancel()
        if self._failure is not None:
            raise self._failure
        return ended

    async def _receive(self, handlers: Handlers) -> ConnectionClosed:
        while True:
            try:
                frame = await self._connection.receive()
            except ConnectionClosed as closed:
                handlers.stop()
                return closed
            try:
                await self._obey(decode_from_hub(frame), handlers)
            except MalformedFrame:
                self.ignored["malformed_frame"] += 1
                await self._connection.close(CLOSE_INVALID_PAYLOAD, "a frame is a JSON object with a type")
            except MessageError as error:
                self.ignored["invalid_message"] += 1
                log.debug("not understood: %s", error)

    def _take_ack(self, frame: bytes) -> bool:
        """Nearly every frame is one; waking a task for each would cost more than it does."""
        if not frame.startswith(_ACK):
            return False
        try:
            message = decode_from_hub(frame)
            if isinstance(message, Ack):
                self._confirm(message.stored)
                return True
        except MessageError:
            pass  # whoever receives says so
        return False

    async def _obey(self, message: FromHub | None, handlers: Handlers) -> None:
        match message:
            case Ack(stored=stored):
                self._confirm(stored)
            case Interval(seconds=seconds):
                self._duties.ask_interval(seconds)
            case Configure(configuration=configuration):
                self._duties.configure(configuration)
                await self._send_quietly(Configured(revision=configuration.revision))
            case Request():
                await handlers.start(message)
            case Cancel():
                await handlers.cancel(message)
            case _:
                self.ignored["unknown_type" if message is None else "out_of_turn"] += 1

    async def _send_records(self) -> None:
        """The newest record first, then, one batch at a time, what the hub does not have yet."""
        try:
            while True:
                if not await self._send_live() and not await self._send_batch():
                    self._wake.clear()
                    await self._wake.wait()
        except ConnectionClosed:
            pass  # whoever receives tells how

    def _push_newest(self) -> None:
        """Send without waiting for room, which there is: what the hub has not confirmed yet is little.

        Nearly every sample goes this way; waking a task for each would cost a tenth of what the agent costs.
        """
        record = self._duties.spool.newest()
        if record is not None and record.sequence not in self._sent:
            self._mark_sent((record.sequence,))
            self._connection.push(record.data)

    async def _send_live(self) -> bool:
        record = self._duties.spool.newest()
        if record is None or record.sequence in self._sent:
            return False
        self._mark_sent((record.sequence,))
        await self._connection.send(record.data)
        return True

    async def _send_batch(self) -> bool:
        if self._batch:
            return False
        records = self._duties.spool.oldest(MAX_BATCH_BYTES, self._sent)
        if not records:
            return False
        self._batch = {record.sequence for record in records}
        self._mark_sent(self._batch)
        self._connection.attend()  # the next one waits for the ack
        batch = Samples(records=[msgspec.Raw(record.data) for record in records], boot_id=records[0].boot_id)
        await self._connection.send(encode(batch))
        return True

    def _mark_sent(self, sequences: Iterable[int]) -> None:
        if self._unconfirmed_since is None:
            self._unconfirmed_since = asyncio.get_running_loop().time()
        for sequence in sequences:
            self._sent.add(sequence)

    def _confirm(self, ranges: Sequence[Range]) -> None:
        check_ranges(ranges)
        spool, stored = self._duties.spool, SequenceRanges(ranges)
        spool.drop(stored)
        self._unconfirmed_since = asyncio.get_running_loop().time() if len(spool) else None
        if self._batch:
            self._batch = {sequence for sequence in self._batch if sequence not in stored}
            if not self._batch:
                self._wake.set()

    async def _keep_house(self) -> None:
        loop = asyncio.get_running_loop()
        details_at = loop.time() + _DETAILS_SECONDS
        while True:
            await sleep_to_tick(_HOUSEKEEPING_SECONDS)
            since = self._unconfirmed_since
            if since is not None and loop.time() - since > CONFIRMATION_SECONDS:
                self._failure = HubSilent(f"the hub has confirmed nothing for {CONFIRMATION_SECONDS:g} s")
                await self._connection.close(1001, "nothing was confirmed")
                return
            if loop.time() >= details_at:
                details_at = loop.time() + _DETAILS_SECONDS
                await self._tell_changed_details()

    async def _tell_changed_details(self) -> None:
        details = self._duties.details()
        if details != self._details:
            self._details = details
            await self._send_quietly(Details(details=details))

    async def _send_inventories(self) -> None:
        """The whole of it, since that is rare, and neither side can then lose track."""
        sent: list[ContainerFacts] | None = None
        while True:
            await self._inventory_changed.wait()
            self._inventory_changed.clear()
            containers = self._duties.containers()
            if containers is not None and containers != sent:
                sent = containers
                await self._send_quietly(Containers(containers=containers))
            await asyncio.sleep(_INVENTORY_SECONDS)

    async def _send_quietly(self, message: FromAgent) -> None:
        """Whoever receives notices first that a connection is gone."""
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(encode(message))


def check_ranges(ranges: Sequence[Range]) -> None:
    """Raise `InvalidMessage` unless they are few and each has an end."""
    if len(ranges) > MAX_RANGES or any(first > last for first, last in ranges):
        raise InvalidMessage(f"`stored` has at most {MAX_RANGES} ranges, none of them empty")
