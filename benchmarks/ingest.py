"""How many samples a second a hub on one processor core takes, what that costs it, and how soon it acknowledges.

Starts a real hub that may use one core only, and as many simulated agents on the others (`simulatedagents.py`): real
handshakes and WebSockets, samples recorded from this host and varied (`recordedhosts.py`), one a second from each.
First 1,000 of them; then as many more as the hub is expected to bear (a quick run: the same ones, more often), fewer
until what waits to be acknowledged no longer grows and acks come within a second. An ack says that a sample is
committed and synced. Sealing happens minutes later: a full run lasts long enough to have it, for a quick one
`sustained_with_sealing` adds what sealing whole windows of the same samples costs.

With `--database` the hub uses an empty PostgreSQL database; what that server takes is not the hub's, and not measured.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from recordedhosts import KINDS, Frames, make_frames, mean_bytes, record
from simulatedagents import Crowd

from beszel_hub.cli.opening import open_database
from beszel_hub.cli.people import create_user
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.metrics.series import WINDOW_MS, NewSample, insert_samples
from beszel_hub.metrics.tiers import Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.store.secrets import load_secret
from beszel_hub.systems import queries, tokens
from tests.support.bareagent import LinkAgent
from tests.support.programs import Process, clean_environment, free_port, running

ADMIN: Final = "ada@example.org"
AGENTS: Final = 1000
MOST_AGENTS: Final = 4000
RECORDED_SAMPLES: Final = 5
SETTLE_SECONDS: Final = 2.0
QUICK_SECONDS: Final = 4.0
SPARE_FRAMES: Final = 120
AIMED_SHARES: Final = (0.93, 0.88, 0.83, 0.78)
"""Of the core, at the rates that are tried one after the other."""
GROWTH_SHARE: Final = 0.02
"""By which what waits to be acknowledged may grow while a sustained rate is held."""
LATEST_ACK_SECONDS: Final = 1.0
"""Later than which no more than one in a hundred may come, at a sustained rate."""
ACK_FACTOR: Final = 1.2
"""Acks may be gathered for so much longer than the hub is set to."""
SEALED_AFTER_SECONDS: Final = 400.0
SEALED_KINDS: Final = 10
"""Of hosts, each with a window of samples, that sealing is measured with."""


class Plan(NamedTuple):
    seconds: float
    """For which each rate is held."""
    most_agents: int
    ack_pause_seconds: int
    is_quick: bool
    database_url: str | None


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One rate, held for a while."""

    agents: int
    samples_per_second: float
    is_sustained: bool
    core_percent: float
    cpu_ms_per_sample: float
    resident_mb: float
    ack_p50_seconds: float
    ack_p99_seconds: float
    write_amplification: float
    """Bytes that the hub wrote to disk by those of the samples' JSON."""
    database_mb: float
    """When it ended."""
    feeder_late_seconds: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """`…_1000_agents` and what has no other name is of 1,000 agents at a sample a second."""

    samples_per_second: float
    """The highest that was sustained on one core; every ack means stored."""
    sustained_with_sealing: float
    """Likewise by processor time, sealing and rolling up included."""
    hub_resident_mb_1000_agents: float
    ack_p50_seconds: float
    ack_p99_seconds: float
    ack_p99_seconds_at_most: float
    """Of the highest rate."""
    cpu_ms_per_sample: float
    cpu_ms_per_sample_at_most: float
    sealing_cpu_ms_per_sample: float
    write_amplification: float
    sample_bytes: float
    wire_bytes: float
    feeder_late_seconds: float
    """By how much the simulated agents were behind their own time table at worst."""


class Hub:
    """A hub process on one core, seen from outside."""

    def __init__(self, process: Process, config: HubConfig) -> None:
        self.process = process
        self._config = config
        self._clock = (~process.pid << 3) | 2

    def cpu_seconds(self) -> float:
        return time.clock_gettime(self._clock)

    def resident_mb(self) -> float:
        return self._number("status", "VmRSS") / 1024

    def written_bytes(self) -> float:
        return self._number("io", "write_bytes")

    def database_mb(self) -> float:
        if self._config.database_url is not None:
            return postgresql_mb(self._config.database_url)
        return sum(path.stat().st_size for path in self._config.data_dir.glob("data.db*")) / 2**20

    def _number(self, file: str, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/{file}").read_text(encoding="utf-8").splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(name + ":")))


def measure(plan: Plan) -> tuple[Figures, list[Level]]:
    recording = record(RECORDED_SAMPLES)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        config = HubConfig(data_dir=directory / "hub", database_url=plan.database_url, http_port=free_port())
        identities = make_identities(config, plan.most_agents)
        count = int((len(AIMED_SHARES) + 1) * 4 * (plan.seconds + SETTLE_SECONDS)) + SPARE_FRAMES
        frames = [make_frames(recording, kind, count, system_clock()) for kind in range(KINDS)]
        argv = [
            sys.executable, "-m", "beszel_hub", "serve", "--http", f"127.0.0.1:{config.http_port}",
            "--dir", str(config.data_dir),
        ]  # fmt: skip
        if plan.database_url is not None:
            argv += ["--database-url", plan.database_url]
        environment = clean_environment(directory, ACK_PAUSE=f"{plan.ack_pause_seconds}s", LOG_LEVEL="warn")
        cores = os.sched_getaffinity(0)
        with on_cores({max(cores)}), running(argv, environment, directory / "hub.log") as process:
            os.sched_setaffinity(0, cores - {max(cores)} or cores)
            levels = asyncio.run(climb(Hub(process, config), identities, frames, plan))
            process.terminate(20)
        sealing = measure_sealing(directory / "sealed", frames)
    first = levels[0]
    best = max(levels, key=lambda level: (level.is_sustained, level.samples_per_second))
    return Figures(
        samples_per_second=best.samples_per_second if best.is_sustained else 0.0,
        sustained_with_sealing=best.samples_per_second
        if plan.seconds > SEALED_AFTER_SECONDS
        else round(1000 / (best.cpu_ms_per_sample + sealing), 0),
        hub_resident_mb_1000_agents=first.resident_mb,
        ack_p50_seconds=first.ack_p50_seconds,
        ack_p99_seconds=first.ack_p99_seconds,
        ack_p99_seconds_at_most=best.ack_p99_seconds,
        cpu_ms_per_sample=first.cpu_ms_per_sample,
        cpu_ms_per_sample_at_most=best.cpu_ms_per_sample,
        sealing_cpu_ms_per_sample=round(sealing, 3),
        write_amplification=first.write_amplification,
        sample_bytes=round(mean_bytes(frames, is_wire=False), 0),
        wire_bytes=round(mean_bytes(frames, is_wire=True), 0),
        feeder_late_seconds=max(level.feeder_late_seconds for level in levels),
    ), levels


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """What is started inside runs there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def make_identities(config: HubConfig, count: int) -> list[LinkAgent]:
    """Systems that expect their agents."""
    create_user(config, ADMIN, "admin", "correct horse battery")
    secret, now_ms = load_secret(config.secret_path), system_clock()

    def make() -> list[str]:
        ids = [queries.insert_system(name=f"host-{number}", now_ms=now_ms, members=()) for number in range(count)]
        return [tokens.issue_system_token(secret, system_id, now_ms) for system_id in ids]

    with open_database(config) as database:
        issued = database.write_now(make)
    url = f"ws://127.0.0.1:{config.http_port}/api/beszel/agent-connect"
    identities = [LinkAgent(url, token) for token in issued]
    for identity in identities:
        identity.boot_ms = 0
    return identities


async def climb(hub: Hub, identities: list[LinkAgent], frames: Sequence[Frames], plan: Plan) -> list[Level]:
    await until_listening(identities[0].url)
    crowd = Crowd()
    await crowd.connect(identities[:AGENTS], frames)
    levels = []
    tried = 0.0
    async with crowd.streaming():
        levels.append(await hold(hub, crowd, plan.seconds, plan.ack_pause_seconds))
    for share in AIMED_SHARES:
        rate = share * 1000 / levels[-1].cpu_ms_per_sample
        if len(levels) > 1:
            rate = min(rate, 0.92 * tried)
        tried = rate
        agents = AGENTS if plan.is_quick else min(len(identities), int(rate / 50) * 50)
        crowd.interval_seconds = agents / rate if plan.is_quick else 1.0
        if agents > len(crowd.agents):
            await crowd.connect(identities[len(crowd.agents) : agents], frames)
        for agent in crowd.agents[agents:]:
            agent.close()
        del crowd.agents[agents:]
        async with crowd.streaming():
            levels.append(await hold(hub, crowd, plan.seconds, plan.ack_pause_seconds))
        if levels[-1].is_sustained:
            break
    for agent in crowd.agents:
        agent.close()
    return levels


async def until_listening(url: str) -> None:
    port = int(url.rpartition(":")[2].partition("/")[0])
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def hold(hub: Hub, crowd: Crowd, seconds: float, ack_pause_seconds: int) -> Level:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(SETTLE_SECONDS)
    crowd.late_seconds = 0.0
    begin, cpu, written = loop.time(), hub.cpu_seconds(), hub.written_bytes()
    sent, stored, payload = crowd.sent, crowd.stored, crowd.payload_bytes
    await asyncio.sleep(seconds)
    end, cpu, written = loop.time(), hub.cpu_seconds() - cpu, hub.written_bytes() - written
    waiting = crowd.sent - crowd.stored
    growth = waiting - (sent - stored)
    sent, stored, payload = crowd.sent - sent, crowd.stored - stored, crowd.payload_bytes - payload
    await crowd.until_stored(end)
    waits = crowd.waits_seconds(begin, end)
    p99 = waits[len(waits) * 99 // 100]
    return Level(
        agents=len(crowd.agents),
        samples_per_second=round(min(sent, stored) / (end - begin), 1),
        is_sustained=growth <= GROWTH_SHARE * sent and p99 <= LATEST_ACK_SECONDS + ACK_FACTOR * ack_pause_seconds,
        core_percent=round(100 * cpu / (end - begin), 1),
        cpu_ms_per_sample=round(1000 * cpu / max(1, stored), 3),
        resident_mb=round(hub.resident_mb(), 1),
        ack_p50_seconds=round(waits[len(waits) // 2], 3),
        ack_p99_seconds=round(p99, 3),
        write_amplification=round(written / max(1, payload), 2),
        database_mb=round(hub.database_mb(), 1),
        feeder_late_seconds=round(crowd.late_seconds, 3),
    )


def postgresql_mb(url: str) -> float:
    import psycopg  # noqa: PLC0415  # a file needs no driver

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return float(row[0]) / 2**20


def measure_sealing(directory: Path, frames: Sequence[Frames]) -> float:
    """Processor milliseconds a sample for what a hub does with whole windows once they are over."""
    from_ms = (system_clock() - 3 * WINDOW_MS) // WINDOW_MS * WINDOW_MS
    seconds = WINDOW_MS // 1000
    with open_database(HubConfig(data_dir=directory)) as database:
        for kind in range(SEALED_KINDS):
            documents = frames[kind].documents
            samples = [
                NewSample(f"host{kind}", from_ms + 1000 * second, 0, documents[second % len(documents)])
                for second in range(seconds)
            ]
            database.write_now(partial(insert_samples, samples))
        upkeep = Upkeep(database, system_clock, Retention(), read_overrides=dict)
        sealed, cpu = asyncio.run(_seal(upkeep))
    return 1000 * cpu / max(1, sealed)


async def _seal(upkeep: Upkeep) -> tuple[int, float]:
    before = time.process_time()
    sealed = await upkeep.seal()
    return sealed, time.process_time() - before


def describe(figures: Figures, levels: Sequence[Level]) -> Iterator[str]:
    yield from (f"{key:28} {value}" for key, value in msgspec.to_builtins(figures).items())
    for level in levels:
        yield ""
        yield from (f"  {key:26} {value}" for key, value in msgspec.to_builtins(level).items())
    yield "\nProcessor time is of the hub process, by its own clock; written bytes are those of /proc/<pid>/io."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=480.0, help="each rate is held for")
    parser.add_argument("--most", type=int, default=MOST_AGENTS, help="agents")
    parser.add_argument("--ack-pause", type=int, default=0, help="for so many seconds the hub gathers acks (default 0)")
    parser.add_argument("--database", metavar="URL", help="an empty PostgreSQL database, in place of a file")
    parser.add_argument("--quick", action="store_true", help="4 seconds each, 1,000 agents")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    seconds, most = (QUICK_SECONDS, AGENTS) if given.quick else (given.seconds, given.most)
    figures, levels = measure(Plan(seconds, most, given.ack_pause, given.quick, given.database))
    if given.json:
        flat: dict[str, Any] = msgspec.to_builtins(figures)
        print(json.dumps(flat))
        return
    print("\n".join(describe(figures, levels)))


if __name__ == "__main__":
    main()
