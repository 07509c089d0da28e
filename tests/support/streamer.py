"""An agent that sends its records in order, on ever new connections, until the hub has stored all of them."""

import asyncio
from collections.abc import Sequence

import msgspec
from websockets.exceptions import WebSocketException

from beszel_protocol.messages import Ack, Sample
from beszel_protocol.ranges import SequenceRanges
from tests.support.bareagent import Connection, LinkAgent
from tests.support.samples import make_sample

UPTIME_MS = 86_400_000


class Streamer:
    def __init__(self, agent: LinkAgent, samples: Sequence[Sample], *, pause_seconds: float = 0.004) -> None:
        """The samples have the sequences from 1 on."""
        self.agent = agent
        self.samples = samples
        self.stored = SequenceRanges()
        """What the hub has acknowledged."""
        self.sent = 0
        self._pause_seconds = pause_seconds

    @property
    def is_done(self) -> bool:
        return list(self.stored) == [(1, len(self.samples))]

    async def run(self) -> None:
        while not self.is_done:
            try:
                await self._stream()
            except* (OSError, WebSocketException, TimeoutError):
                pass  # the hub was killed, or cannot store anything; it will be there again
            await asyncio.sleep(0.05)

    async def _stream(self) -> None:
        async with self.agent.enrolled() as connection:
            for first, last in connection.stored:
                self.stored.add_range(first, last)
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read_acks(connection))
                try:
                    for sample in self.samples:
                        if sample.sequence not in self.stored:
                            await connection.send(sample)
                            self.sent = max(self.sent, sample.sequence)
                            await asyncio.sleep(self._pause_seconds)
                    await reading
                finally:
                    reading.cancel()

    async def _read_acks(self, connection: Connection) -> None:
        while not self.is_done:
            message = await connection.receive()
            if isinstance(message, Ack):
                for first, last in message.stored:
                    self.stored.add_range(first, last)


def make_past(agent: LinkAgent, count: int, now_ms: int, step_ms: int) -> list[Sample]:
    """Samples of one boot, the last of them made an hour ago; each is known again by its CPU usage."""
    agent.boot_ms = UPTIME_MS
    samples = []
    for sequence in range(1, count + 1):
        age_ms = 3_600_000 + (count - sequence) * step_ms
        made = make_sample(sequence, now_ms - age_ms, cpu_percent=cpu_percent_of(sequence))
        samples.append(msgspec.structs.replace(made, boot_ms=UPTIME_MS - age_ms))
    return samples


def cpu_percent_of(sequence: int) -> float:
    return sequence / 100
