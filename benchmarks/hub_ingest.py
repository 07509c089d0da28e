"""What a hub costs while many agents stream once a second.

Starts a real hub process and connects real WebSocket agents from this process, each sending the sample of an ordinary
host (about 5 KB of JSON, ten containers) once a second; one client watches the fleet. Reports the hub's CPU time and
memory, how long samples wait to be acknowledged, and what they take on disk.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from websockets.exceptions import ConnectionClosed

from beszel_hub.cli.machines import enrol
from beszel_hub.cli.people import create_token, create_user
from beszel_hub.config import HubConfig
from beszel_protocol.feed import FLEET_TOPIC
from beszel_protocol.messages import Ack, Welcome, encode
from beszel_protocol.sample import ContainerMetrics, Metrics, ProcessMetrics
from tests.support.bareagent import Connection, LinkAgent
from tests.support.feedclient import feed
from tests.support.programs import clean_environment, free_port, running
from tests.support.samples import make_metrics

ADMIN = "ada@example.org"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    agents: int
    seconds: float
    samples: int
    sample_bytes: int
    hub_cpu_percent: float
    """Of one core."""
    cpu_ms_per_sample: float
    resident_mb: float
    ack_ms_median: float
    ack_ms_p99: float
    database_bytes_per_sample: float


def make_host(seed: int) -> Metrics:
    containers = [
        ContainerMetrics(
            id=f"{seed:06x}{index:06x}", name=f"service-{index}", cpu_percent=(seed * 7 + index) % 50 / 10,
            memory_bytes=(seed + index) << 20, rx_bytes_per_second=float(seed * 31 % 9000), health="healthy",
            status="Up 3 hours",
        )
        for index in range(10)
    ]  # fmt: skip
    processes = [
        ProcessMetrics(pid=1000 + index, name="postgres", user="postgres", cpu_percent=1.5, memory_bytes=91226112)
        for index in range(10)
    ]
    metrics = make_metrics(seed * 13 % 1000 / 10)
    return msgspec.structs.replace(metrics, containers=containers, top_processes=processes)


class StreamingAgent:
    def __init__(self, agent: LinkAgent, number: int) -> None:
        self.agent = agent
        self.number = number
        self.sent_at: dict[int, float] = {}
        self.waits_seconds: list[float] = []
        self.welcomed = asyncio.Event()

    async def run(self, started: asyncio.Event, seconds: float) -> None:
        """The hub takes eight strangers from one address at a time, so all but a few come again."""
        while True:
            try:
                async with self.agent.connect() as connection:
                    if isinstance(await connection.enrol(), Welcome):
                        self.welcomed.set()
                        await self._stream(connection, started, seconds)
                        return
            except (ConnectionClosed, OSError):
                pass
            await asyncio.sleep(0.1 + self.number % 10 / 20)

    async def _stream(self, connection: Connection, started: asyncio.Event, seconds: float) -> None:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read(connection))
            await started.wait()
            await asyncio.sleep(self.number % 100 / 100)
            deadline = time.monotonic() + seconds
            sequence = 0
            while time.monotonic() < deadline:
                sequence += 1
                sample = msgspec.structs.replace(
                    self.agent.sample(sequence), metrics=make_host(self.number * 37 + sequence)
                )
                self.sent_at[sequence] = time.monotonic()
                await connection.send(sample)
                await asyncio.sleep(1.0)
            await asyncio.sleep(0.6)
            reading.cancel()

    async def _read(self, connection: Connection) -> None:
        while True:
            message = await connection.websocket.recv(decode=False)
            ack = msgspec.json.decode(message)
            if ack.get("type") == "ack":
                for first, last in Ack(stored=ack["stored"]).stored:
                    for sequence in range(first, last + 1):
                        self.waits_seconds.append(time.monotonic() - self.sent_at.pop(sequence))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def measure(agents: int, seconds: float) -> Figures:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        config = HubConfig(data_dir=directory / "hub", http_port=free_port())
        create_user(config, ADMIN, "admin", "correct horse battery")
        token = create_token(config, ADMIN, "read", "benchmark").token
        url = f"ws://127.0.0.1:{config.http_port}/api/beszel"
        streaming = [
            StreamingAgent(LinkAgent(f"{url}/agent-connect", enrol(config, f"host-{number}", ADMIN).token), number)
            for number in range(agents)
        ]
        argv = [
            sys.executable, "-m", "beszel_hub", "serve", "--http", f"127.0.0.1:{config.http_port}",
            "--dir", str(config.data_dir),
        ]  # fmt: skip
        with running(argv, clean_environment(directory), directory / "hub.log") as hub:
            figures = asyncio.run(drive(streaming, hub.pid, f"{url}/feed", token, seconds))
            hub.terminate(5)
        size = config.database_path.stat().st_size
    return msgspec.structs.replace(figures, database_bytes_per_sample=round(size / max(1, figures.samples), 1))


async def drive(agents: list[StreamingAgent], pid: int, feed_url: str, token: str, seconds: float) -> Figures:
    started = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number, agent in enumerate(agents):
            group.create_task(agent.run(started, seconds))
            if number % 4 == 3:
                await asyncio.sleep(0.03)
        for agent in agents:
            await agent.welcomed.wait()
        watching = group.create_task(watch(feed_url, token))
        cpu_before, before = cpu_seconds(pid), time.monotonic()
        started.set()
        await asyncio.sleep(seconds)
        cpu, elapsed, memory = cpu_seconds(pid) - cpu_before, time.monotonic() - before, resident_mb(pid)
        watching.cancel()
    waits = sorted(wait for agent in agents for wait in agent.waits_seconds)
    return Figures(
        agents=len(agents),
        seconds=round(elapsed, 1),
        samples=len(waits),
        sample_bytes=len(encode(msgspec.structs.replace(agents[0].agent.sample(1), metrics=make_host(1)))),
        hub_cpu_percent=round(cpu / elapsed * 100, 1),
        cpu_ms_per_sample=round(cpu / max(1, len(waits)) * 1000, 3),
        resident_mb=round(memory, 1),
        ack_ms_median=round(statistics.median(waits) * 1000, 1),
        ack_ms_p99=round(waits[len(waits) * 99 // 100] * 1000, 1),
        database_bytes_per_sample=0.0,
    )


async def watch(feed_url: str, token: str) -> None:
    async with feed(feed_url, token) as client:
        await client.subscribe(FLEET_TOPIC)
        while True:
            await client.receive()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=420.0, help="long enough that history is sealed meanwhile")
    parser.add_argument("--quick", action="store_true", help="20 seconds")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = measure(arguments.agents, 20.0 if arguments.quick else arguments.seconds)
    if arguments.json:
        print(json.dumps(msgspec.to_builtins(figures)))
        return
    for key, value in msgspec.to_builtins(figures).items():
        print(f"{key:28} {value}")
    print("\nhub_cpu_percent is of one core: user and system time of the hub process from /proc/<pid>/stat.")


if __name__ == "__main__":
    main()
