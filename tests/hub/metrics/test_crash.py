"""A hub that is killed in the middle of its work has stored every acknowledged record, and none twice."""

import asyncio
import random
import signal
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from beszel_hub.cli.machines import enrol
from beszel_hub.cli.people import create_user
from beszel_hub.config import HubConfig
from beszel_hub.metrics.reader import Range, read_at
from beszel_hub.metrics.series import read_entries
from beszel_hub.metrics.tables import ChunkRow
from beszel_hub.metrics.tiers import Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.store.database import Database
from beszel_protocol.addresses import parse_address
from tests.support.bareagent import LinkAgent
from tests.support.databases import Server, provide
from tests.support.programs import Process, clean_environment, free_port, running, wait_until
from tests.support.runninghub import PASSWORD
from tests.support.streamer import Streamer, cpu_percent_of, make_past

RECORDS_A_KILL = 15
STEP_MS = 20_000
SEED = 20_261_122


@pytest.mark.system
def test_killed_hubs_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    kill_and_compare(tmp_path, kills=20)


@pytest.mark.endurance
def test_hubs_killed_two_hundred_times_lose_nothing(tmp_path: Path) -> None:
    kill_and_compare(tmp_path, kills=200)


@pytest.mark.system
def test_a_crash_of_hub_and_postgresql_loses_nothing(tmp_path: Path) -> None:
    with closing(Server({"listen_addresses": "", "max_connections": "20"})) as server:
        server.execute("CREATE DATABASE hub")
        kill_and_compare(tmp_path, kills=3, server=server)


def kill_and_compare(directory: Path, kills: int, server: Server | None = None) -> None:
    """The samples are of hours ago, so that every hub that starts seals and rolls up what it finds.

    With `server`, that crashes too, before each hub is killed, which has to go on with it.
    """
    data_dir = provide(directory / "hub", None if server is None else server.url("hub"))
    config = HubConfig(data_dir=data_dir, http_port=free_port())
    create_user(config, "ada@example.org", "admin", PASSWORD)
    enrolled = enrol(config, "web-1", "ada@example.org")
    agent = LinkAgent(f"ws://127.0.0.1:{config.http_port}/api/beszel/agent-connect", enrolled.token)
    count = RECORDS_A_KILL * (kills + 1)
    samples = make_past(agent, count, time.time_ns() // 1_000_000, STEP_MS)
    streamer = Streamer(agent, samples)
    asyncio.run(_kill_now_and_then(config, streamer, directory, kills, server))
    database = Database(config.database)
    database.open()
    try:
        asyncio.run(_finish(database))
        entries = database.read_now(lambda: list(read_entries(enrolled.system_id, 0, 2**52)))
        expected = sorted(map(cpu_percent_of, range(1, count + 1)))
        assert sorted(entry.document["cpu"]["usage_percent"] for entry in entries) == expected
        span = Range(min(entry.instant_ms for entry in entries), max(entry.instant_ms for entry in entries) + 1)
        address = parse_address("cpu.usage_percent")
        _, (rolled_up,) = database.read_now(lambda: read_at(enrolled.system_id, (address,), span, 600))
        assert sum(bucket.readings for bucket in rolled_up.buckets) == count
        assert sum(bucket.total for bucket in rolled_up.buckets) == pytest.approx(sum(expected))
        assert database.read_now(lambda: ChunkRow.select().count()) > 0
    finally:
        database.close()


async def _kill_now_and_then(
    config: HubConfig, streamer: Streamer, directory: Path, kills: int, server: Server | None
) -> None:
    argv = [
        sys.executable, "-m", "beszel_hub", "serve", "--http", f"127.0.0.1:{config.http_port}",
        "--dir", str(config.data_dir),
    ]  # fmt: skip
    environment = clean_environment(directory)
    chance = random.Random(SEED)  # noqa: S311
    async with asyncio.timeout(60 + 5 * kills), asyncio.TaskGroup() as group:
        group.create_task(streamer.run())
        for part in range(1, kills + 1):
            with running(argv, environment, directory / "hub.log") as hub:
                await _until_sent(streamer, RECORDS_A_KILL * part, hub)
                if server is not None:
                    await _crash(server, streamer, hub)
                await asyncio.sleep(chance.uniform(0, 0.4))  # somewhere between two commits, or in one
                hub.kill()
        with running(argv, environment, directory / "hub.log") as hub:
            while not streamer.is_done:
                assert hub.is_running, hub.text()
                await asyncio.sleep(0.05)
            await asyncio.to_thread(wait_until, "the hub answers", lambda: _answers(config))
            assert hub.terminate(2) == 0


def _answers(config: HubConfig) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{config.http_port}/api/health", timeout=10):
            return True
    except OSError:
        return False


async def _crash(server: Server, streamer: Streamer, hub: Process) -> None:
    """Go on once the hub has stored something in the server that came back."""
    server.stop(signal.SIGQUIT)
    server.start()  # not in a thread that ends before the server does
    before = _count(streamer)
    while _count(streamer) == before and not streamer.is_done:
        assert hub.is_running, hub.text()
        await asyncio.sleep(0.01)


def _count(streamer: Streamer) -> int:
    """Of acknowledged records."""
    return sum(last - first + 1 for first, last in streamer.stored)


async def _finish(database: Database) -> None:
    upkeep = Upkeep(database, lambda: time.time_ns() // 1_000_000, Retention(), read_overrides=dict)
    await upkeep.seal()
    await upkeep.roll_up()


async def _until_sent(streamer: Streamer, sequence: int, hub: Process) -> None:
    while streamer.sent < sequence:
        assert hub.is_running, hub.text()
        await asyncio.sleep(0.01)
