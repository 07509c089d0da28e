"""One proved agent: reads its records into ingest, and tells it what is stored and what it is to do."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from beszel_hub.agents.pace import Pace
from beszel_hub.agents.requests import Frame, Requests
from beszel_hub.agents.wire import Wire, WireClosed
from beszel_hub.errors import AgentBusy
from beszel_hub.metrics.inbox import split_ranges
from beszel_hub.metrics.intake import Intake
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.hygiene import clean
from beszel_protocol.messages import (
    CLOSE_INVALID_PAYLOAD,
    MAX_RANGES,
    Ack,
    Configuration,
    Configure,
    Configured,
    Containers,
    Details,
    Event,
    FromAgent,
    Gap,
    Interval,
    InvalidMessage,
    MalformedFrame,
    Request,
    Response,
    Sample,
    Samples,
    Welcome,
    decode_from_agent,
    decode_record,
    encode,
    sequence_of,
)
from beszel_protocol.ranges import SequenceRanges

CLOSE_TRY_AGAIN: Final = 1013
DETAILS_PAUSE_SECONDS: Final = 10.0
"""Between two changes of details; an agent that is quicker is read from no faster."""
ACK_PAUSE_SECONDS: Final = 0.0
"""Live samples may be acknowledged a few at a time, and just when another one came in: its agent is awake then. That
helps one that reads every ack at once; ours lets them wait. A batch is acknowledged at once: the next waits for it."""
BATCH_SECONDS: Final = 3.0
"""How long after a batch everything is acknowledged at once."""
_WITH_SAMPLE, _WITHOUT = 0.8, 1.2
"""Shares of that pause after which an ack goes out with a sample that came, and without one."""
_RECORDS_BETWEEN_PAUSES: Final = 16
_MAX_UNSENT: Final = 64
"""Requests, and what takes them back."""


class Link:
    """`save_details` stores changed facts about the host, `note_containers` takes all containers that it has."""

    def __init__(
        self, wire: Wire, *, system_id: str, start_id: str, interval_seconds: float,
        save_details: Callable[[HostDetails], Awaitable[None]],
        note_containers: Callable[[Sequence[ContainerFacts]], None],
        ack_pause_seconds: float = ACK_PAUSE_SECONDS,
    ) -> None:  # fmt: skip
        self.wire = wire
        self.system_id = system_id
        self.start_id = start_id
        """Of the agent's process."""
        self.ignored_frames = 0
        """Of unknown type, or known ones that make no sense."""
        self._save_details = save_details
        self._note_containers = note_containers
        self._pace = Pace(_now())
        self._details_due = 0.0
        self._interval_seconds = interval_seconds
        self._told_seconds = interval_seconds
        self._configuration = Configuration()
        self._told_revision = 0
        self.configured_revision: int | None = None
        """Which the agent says it has taken over; None until it has said so."""
        self._stored = SequenceRanges()
        self._ack_pause_seconds = ack_pause_seconds
        self._ack_timer: asyncio.TimerHandle | None = None
        self._ack_due = self._batch_until = 0.0
        self._closing: tuple[int, str] | None = None
        self._has_work = asyncio.Event()
        self._asked: deque[Frame] = deque()
        self.requests = Requests(self._ask)

    def note_stored(self, sequences: SequenceRanges) -> None:
        """These are committed; the agent will be told."""
        for first, last in sequences:
            self._stored.add_range(first, last)
        if not self._ack_pause_seconds or _now() < self._batch_until:
            self._acknowledge()
        elif self._ack_timer is None:
            self._ack_timer = asyncio.get_running_loop().call_later(
                _WITHOUT * self._ack_pause_seconds, self._acknowledge
            )

    def note_lost(self) -> None:
        """A commit failed: only a new connection makes the agent send those records again."""
        self.close(CLOSE_TRY_AGAIN, "records could not be stored")

    def set_interval(self, seconds: float) -> None:
        if seconds != self._interval_seconds:
            self._interval_seconds = seconds
            self._has_work.set()

    def configure(self, configuration: Configuration) -> None:
        """The agent will be told, unless it is an older one that comes late."""
        if configuration.revision > self._configuration.revision:
            self._configuration = configuration
            self._has_work.set()

    def close(self, code: int, reason: str) -> None:
        """End the connection soon; the first reason given counts."""
        if self._closing is None:
            self._closing = (code, reason)
            self._has_work.set()

    def _ask(self, frame: Frame) -> None:
        """A request finds no room behind those that the agent has not even read; what takes one back always does."""
        if isinstance(frame, Request) and len(self._asked) >= _MAX_UNSENT:
            raise AgentBusy
        self._asked.append(frame)
        self._has_work.set()

    def _acknowledge(self) -> None:
        self._cancel_ack_timer()
        self._ack_due = _now() + _WITH_SAMPLE * self._ack_pause_seconds
        self._has_work.set()

    def _cancel_ack_timer(self) -> None:
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None

    async def run(self, intake: Intake, already_stored: SequenceRanges) -> None:
        """Serve the agent until the connection ends."""
        self._told_revision = self._configuration.revision
        welcome = Welcome(
            system_id=self.system_id,
            interval_seconds=self._told_seconds,
            stored=already_stored.newest(MAX_RANGES),
            configuration=self._configuration,
            padding_bytes=self.wire.padding_bytes,
        )
        try:
            await self.wire.send(encode(welcome))
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read(intake))
                writing = group.create_task(self._write())
                await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
                reading.cancel()
                writing.cancel()
        except* WireClosed:
            pass
        finally:
            self.requests.close()
            self._cancel_ack_timer()

    async def _read(self, intake: Intake) -> None:
        while True:
            frame = await self.wire.receive()
            try:
                message = decode_from_agent(frame)
            except MalformedFrame:
                await self.wire.close(CLOSE_INVALID_PAYLOAD, "not a message of the link")
                return
            except InvalidMessage:
                await self._take_invalid(frame, intake)
            else:
                await self._take(message, intake, len(frame))
            delay_seconds = self._pace.delay_seconds(len(frame), _now())
            if delay_seconds:
                await asyncio.sleep(delay_seconds)

    async def _take(self, message: FromAgent | None, intake: Intake, size: int) -> None:
        match message:
            case Sample() | Event() | Gap():
                if self._ack_timer is not None and _now() >= self._ack_due:
                    self._acknowledge()
                await intake.take(message, is_live=True)
            case Samples():
                await self._take_batch(message, intake)
            case Configured():
                self.configured_revision = message.revision
            case Details():
                await self._take_details(message.details)
            case Containers():
                self._note_containers(message.containers)
            case Response():
                self.ignored_frames += not self.requests.take(message, size)
            case _:
                self.ignored_frames += 1

    async def _take_details(self, details: HostDetails) -> None:
        await asyncio.sleep(max(0.0, self._details_due - _now()))
        self._details_due = _now() + DETAILS_PAUSE_SECONDS
        await self._save_details(clean(details))

    async def _take_batch(self, batch: Samples, intake: Intake) -> None:
        self._batch_until = _now() + BATCH_SECONDS
        for index, raw in enumerate(batch.records):
            try:
                await intake.take(decode_record(raw), is_live=False, boot_id=batch.boot_id)
            except (InvalidMessage, MalformedFrame):
                await self._take_invalid(bytes(raw), intake)
            if index % _RECORDS_BETWEEN_PAUSES == 0:
                await asyncio.sleep(0)  # others get their turn while a long batch is decoded

    async def _take_invalid(self, frame: bytes, intake: Intake) -> None:
        sequence = sequence_of(frame)
        if sequence is None:
            self.ignored_frames += 1
        else:
            await intake.take_invalid(sequence)

    async def _write(self) -> None:
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            if self._closing is not None:
                await self.wire.close(*self._closing)
                return
            while self._asked:
                await self.wire.send(encode(self._asked.popleft()), is_urgent=True)
            stored, self._stored = self._stored, SequenceRanges()
            for ranges in split_ranges(stored):
                await self.wire.send(encode(Ack(stored=ranges)))
            if self._told_seconds != self._interval_seconds:
                self._told_seconds = self._interval_seconds
                await self.wire.send(encode(Interval(seconds=self._told_seconds)), is_urgent=True)
            if self._told_revision != self._configuration.revision:
                self._told_revision = self._configuration.revision
                await self.wire.send(encode(Configure(configuration=self._configuration)), is_urgent=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
