"""A full disk: nothing that was acknowledged is missing, the hub says what is the matter, and goes on afterwards."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beszel_hub.cli.machines import enrol
from beszel_hub.cli.people import create_user
from beszel_hub.config import HubConfig
from beszel_hub.metrics.series import read_entries
from beszel_hub.store.database import Database
from beszel_protocol.ranges import SequenceRanges
from tests.support.bareagent import LinkAgent
from tests.support.programs import Process, clean_environment, free_port, running
from tests.support.runninghub import PASSWORD
from tests.support.streamer import Streamer, cpu_percent_of, make_past

pytestmark = [pytest.mark.system, pytest.mark.sqlite]

DISK_MIB = 12
RECORDS = 2500
LEFT_BYTES = 16 << 10
BALLAST_STEP = 64 << 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", str(disk)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounting.returncode:
        pytest.skip(f"only root makes a small filesystem: {mounting.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(ballast: Path, left_bytes: int) -> None:
    """Take all room but so much."""
    with ballast.open("ab") as file:
        while True:
            free = os.statvfs(ballast).f_bavail * os.statvfs(ballast).f_frsize
            if free <= left_bytes:
                return
            file.write(bytes(min(BALLAST_STEP, free - left_bytes)))
            file.flush()


def test_a_full_disk_costs_nothing_that_was_acknowledged(small_disk: Path, tmp_path: Path) -> None:
    config = HubConfig(data_dir=small_disk / "hub", http_port=free_port())
    create_user(config, "ada@example.org", "admin", PASSWORD)
    enrolled = enrol(config, "web-1", "ada@example.org")
    agent = LinkAgent(f"ws://127.0.0.1:{config.http_port}/api/beszel/agent-connect", enrolled.token)
    streamer = Streamer(agent, make_past(agent, RECORDS, time.time_ns() // 1_000_000, 1000))
    argv = [
        sys.executable, "-m", "beszel_hub", "serve", "--http", f"127.0.0.1:{config.http_port}",
        "--dir", str(config.data_dir),
    ]  # fmt: skip

    ballast = small_disk / "ballast"

    async def run() -> None:
        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            sending = group.create_task(streamer.run())
            with running(argv, clean_environment(tmp_path), tmp_path / "hub.log") as hub:
                await until(hub, "some records are stored", lambda: stored() > RECORDS // 10)
                fill(ballast, LEFT_BYTES)
                await until(hub, "the hub says what is the matter", lambda: "is full" in hub.text())
                ballast.unlink()
                before = stored()
                await until(hub, "it goes on", lambda: "stored again" in hub.text() and stored() > before + 100)
                fill(ballast, LEFT_BYTES)
                await until(hub, "the hub says it again", lambda: hub.text().count("is full") > 1)
                acknowledged = SequenceRanges(streamer.stored)
                hub.kill()
                assert "Traceback" not in hub.text()
            ballast.unlink()
            check(config, enrolled.system_id, acknowledged)
            with running(argv, clean_environment(tmp_path), tmp_path / "hub.log") as hub:
                await until(hub, "everything is stored", lambda: streamer.is_done)
                assert hub.terminate(2) == 0
            await sending

    def stored() -> int:
        return sum(last - first + 1 for first, last in streamer.stored)

    asyncio.run(run())
    check(config, enrolled.system_id, SequenceRanges([(1, RECORDS)]))


async def until(hub: Process, what: str, probe: Callable[[], bool]) -> None:
    while not probe():
        assert hub.is_running, f"{what}: {hub.text()}"
        await asyncio.sleep(0.02)


def check(config: HubConfig, system_id: str, acknowledged: SequenceRanges) -> None:
    database = Database(config.database)
    database.open()
    try:
        entries = database.read_now(lambda: list(read_entries(system_id, 0, 2**52)))
    finally:
        database.close()
    found = [entry.document["cpu"]["usage_percent"] for entry in entries]
    assert len(found) == len(set(found))
    expected = {cpu_percent_of(sequence) for first, last in acknowledged for sequence in range(first, last + 1)}
    assert expected <= set(found)
