"""A hub that is killed in the middle of its work has stored every acknowledged record, and none twice."""

import asyncio
import sys
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException

from beszel_hub.cli.machines import enrol
from beszel_hub.cli.people import create_user
from beszel_hub.config import HubConfig
from beszel_hub.metrics.series import read_entries
from beszel_hub.store.database import Database
from beszel_protocol.messages import Ack
from beszel_protocol.ranges import SequenceRanges
from tests.support.bareagent import Connection, LinkAgent
from tests.support.programs import Process, clean_environment, free_port, running
from tests.support.runninghub import PASSWORD

pytestmark = pytest.mark.system

KILLS = 2
RECORDS = 240


def sequences() -> range:
    return range(1, RECORDS + 1)


def cpu_percent_of(sequence: int) -> float:
    """By which a stored sample is known again."""
    return sequence / 4


class Streamer:
    """Sends records in order, on ever new connections, until the hub has stored all of them."""

    def __init__(self, agent: LinkAgent) -> None:
        self.agent = agent
        self.samples = [agent.sample(sequence, cpu_percent=cpu_percent_of(sequence)) for sequence in sequences()]
        self.stored = SequenceRanges()
        self.sent = 0

    @property
    def is_done(self) -> bool:
        return list(self.stored) == [(1, RECORDS)]

    async def run(self) -> None:
        while not self.is_done:
            try:
                await self._stream()
            except* (OSError, WebSocketException, TimeoutError):
                pass  # the hub was killed; it will be there again
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
                            await asyncio.sleep(0.004)
                    await reading
                finally:
                    reading.cancel()

    async def _read_acks(self, connection: Connection) -> None:
        while not self.is_done:
            message = await connection.receive()
            if isinstance(message, Ack):
                for first, last in message.stored:
                    self.stored.add_range(first, last)


def test_killed_hubs_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    config = HubConfig(data_dir=tmp_path / "hub", http_port=free_port())
    create_user(config, "ada@example.org", "admin", PASSWORD)
    enrolled = enrol(config, "web-1", "ada@example.org")
    streamer = Streamer(LinkAgent(f"ws://127.0.0.1:{config.http_port}/api/beszel/agent-connect", enrolled.token))
    argv = [
        sys.executable, "-m", "beszel_hub", "serve", "--http", f"127.0.0.1:{config.http_port}",
        "--dir", str(config.data_dir),
    ]  # fmt: skip
    environment = clean_environment(tmp_path)

    async def kill_now_and_then() -> None:
        for part in range(1, KILLS + 1):
            with running(argv, environment, tmp_path / "hub.log") as hub:
                await until_sent(streamer, RECORDS * part // (KILLS + 1), hub)
                await asyncio.sleep(0.13 * part)  # somewhere between two commits
                hub.kill()

    async def run() -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(streamer.run())
            await kill_now_and_then()
            with running(argv, environment, tmp_path / "hub.log") as hub:
                while not streamer.is_done:
                    assert hub.is_running, hub.text()
                    await asyncio.sleep(0.05)
                assert hub.terminate(2) == 0

    asyncio.run(run())
    database = Database(config.database_path)
    database.open()
    entries = database.read_now(lambda: list(read_entries(enrolled.system_id, 0, 2**52)))
    database.close()
    assert sorted(entry.document["cpu"]["usage_percent"] for entry in entries) == list(map(cpu_percent_of, sequences()))


async def until_sent(streamer: Streamer, sequence: int, hub: Process) -> None:
    while streamer.sent < sequence:
        assert hub.is_running, hub.text()
        await asyncio.sleep(0.01)
