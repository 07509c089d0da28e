"""What watching containers costs a host: the agent and the engine together, beside asking the engine for statistics.

    PYTHONPATH=. python benchmarks/containers.py [--json] [--quick] [--seconds N]

As root, with dockerd: it starts one of its own with idle containers, a real hub, and a real agent at one sample a
second.

* `host_cpu_ms_per_sample_N`: the agent by its own process clock, plus dockerd and containerd above what they
  spend when nobody asks, with N containers, by the samples that the hub stored.
* `daemon_cpu_ms_per_sample_N`: the part of it that is not the agent.
* `stats_api_cpu_ms_per_sample_N`: one reading of every container by `/containers/{id}/stats` through the same SDK: this
  process, dockerd and containerd, above their idle. `stats_stream_cpu_ms_per_second_N`: dockerd and containerd above
  their idle while as many streams of statistics are open, one reading a second each; nobody even parses them.
* `resident_mb_N`: of the agent, from `/proc/<pid>/smaps_rollup`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from agent_footprint import (
    Enrolled,
    Memory,
    count_samples,
    cpu_seconds,
    hub_with_system,
    memory_of,
    running_agent,
)

from beszel_agent.containers.client import EngineClient
from tests.support.engines import IDLE, Engine, docker_engine

COUNTS: Final = (20, 100)
SETTLE_SECONDS: Final = 6.0
QUICK_SETTLE_SECONDS: Final = 2.5


def main() -> None:
    parser = argparse.ArgumentParser(description="What watching containers costs a host.")
    parser.add_argument("--json", action="store_true", help="one flat object")
    parser.add_argument("--quick", action="store_true", help="under 45 seconds in all")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to watch each (default 60)")
    options = parser.parse_args()
    plan = Plan(3.0, QUICK_SETTLE_SECONDS, 1) if options.quick else Plan(options.seconds, SETTLE_SECONDS, 5)
    with tempfile.TemporaryDirectory() as folder, docker_engine() as engine, hub_with_system(Path(folder)) as enrolled:
        bench = Bench(engine, enrolled, Path(folder), plan)
        figures = {"agent_cpu_ms_per_sample_without": round(bench.watch_agent("").agent_ms, 3)}
        for count in COUNTS:
            fill(engine, count)
            # A hundred are asked in the same way as twenty, which is dear enough to do once in a quick run.
            figures |= bench.measure(count, asks=count == COUNTS[0] or not options.quick)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"Containers on Python {platform.python_version()}, {os.cpu_count()} processors, one sample a second")
    for name, value in figures.items():
        print(f"  {name:40} {value}")
    print("Measured by the clocks of agent, dockerd and containerd; what idle daemons spend is subtracted.")


def fill(engine: Engine, count: int) -> None:
    """Have that many idle containers, each with a network of its own."""
    present = len(engine.client.api.containers())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: engine.run(f"idle{number}", IDLE), range(present, count)))


class Plan(NamedTuple):
    seconds: float
    settle_seconds: float
    rounds: int
    """Of asking the engine for statistics."""


class Watched(NamedTuple):
    """What an agent and the daemons spent for each sample."""

    agent_ms: float
    daemons_ms: float
    """What they spend anyway included."""
    seconds_per_sample: float
    memory: Memory


class Bench:
    def __init__(self, engine: Engine, enrolled: Enrolled, folder: Path, plan: Plan) -> None:
        self._engine, self._enrolled, self._folder, self._plan = engine, enrolled, folder, plan

    def measure(self, count: int, *, asks: bool) -> dict[str, float]:
        time.sleep(self._plan.settle_seconds)  # what starting them left to do
        daemons = find_daemons(self._engine.pid)
        idle = spent_by(daemons, self._plan.seconds)
        watched = self.watch_agent(str(self._engine.host))
        daemon_ms = max(0.0, watched.daemons_ms - 1000 * idle * watched.seconds_per_sample)
        figures = {
            f"host_cpu_ms_per_sample_{count}": round(watched.agent_ms + daemon_ms, 3),
            f"agent_cpu_ms_per_sample_{count}": round(watched.agent_ms, 3),
            f"daemon_cpu_ms_per_sample_{count}": round(daemon_ms, 3),
            f"daemon_idle_cpu_ms_per_second_{count}": round(1000 * idle, 3),
            f"resident_mb_{count}": watched.memory.resident_mb,
            f"private_mb_{count}": watched.memory.private_mb,
        }
        if asks:
            asked = ask_everything(self._engine, daemons, idle, self._plan.rounds)
            streamed = stream_everything(self._engine, daemons, idle, self._plan.seconds)
            figures[f"stats_api_cpu_ms_per_sample_{count}"] = round(1000 * asked, 1)
            figures[f"stats_stream_cpu_ms_per_second_{count}"] = round(1000 * streamed, 1)
        return figures

    def watch_agent(self, docker_host: str) -> Watched:
        return asyncio.run(self._watch_agent(docker_host))

    async def _watch_agent(self, docker_host: str) -> Watched:
        daemons = find_daemons(self._engine.pid)
        before = await asyncio.to_thread(count_samples, self._enrolled)
        with running_agent(self._enrolled, self._enrolled.port, self._folder, DOCKER_HOST=docker_host) as agent:
            async with asyncio.timeout(20):
                while await asyncio.to_thread(count_samples, self._enrolled) < before + 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            await asyncio.sleep(self._plan.settle_seconds)
            started, stored = time.monotonic(), await asyncio.to_thread(count_samples, self._enrolled)
            agent_before, daemons_before = cpu_seconds(agent.pid), sum_seconds(daemons)
            await asyncio.sleep(self._plan.seconds)
            agent_spent, daemons_spent = cpu_seconds(agent.pid) - agent_before, sum_seconds(daemons) - daemons_before
            samples = max(1, await asyncio.to_thread(count_samples, self._enrolled) - stored)
            return Watched(
                1000 * agent_spent / samples,
                1000 * daemons_spent / samples,
                (time.monotonic() - started) / samples,
                memory_of(agent.pid),
            )


def ask_everything(engine: Engine, daemons: list[int], idle: float, rounds: int) -> float:
    """Seconds of processor time for one reading of every container."""
    client = EngineClient(engine.host, timeout_seconds=30, certificates=None)
    ids = [row.id for row in client.listed()]
    started, own, before = time.monotonic(), time.process_time(), sum_seconds(daemons)
    with ThreadPoolExecutor(len(ids)) as pool:
        for _ in range(rounds):
            list(pool.map(client.statistics, ids))
    spent = time.process_time() - own + sum_seconds(daemons) - before
    client.close()
    return max(0.0, spent - idle * (time.monotonic() - started)) / rounds


def stream_everything(engine: Engine, daemons: list[int], idle: float, seconds: float) -> float:
    """Seconds of processor time a second that the daemons spend while streams of statistics are open."""
    with streams(engine):
        time.sleep(2.0)
        return max(0.0, spent_by(daemons, seconds) - idle)


@contextmanager
def streams(engine: Engine) -> Iterator[None]:
    responses = []
    api = engine.client.api
    for row in api.containers():
        url = f"{api.base_url}/v{api.api_version}/containers/{row['Id']}/stats"
        responses.append(api.get(url, params={"stream": "true"}, stream=True, timeout=(5, None)))

    def swallow(response: object) -> None:
        with contextlib.suppress(Exception):
            for _ in response.iter_content(chunk_size=None):  # type: ignore[attr-defined]
                pass

    threads = [threading.Thread(target=swallow, args=(response,), daemon=True) for response in responses]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for response in responses:
            with contextlib.suppress(Exception):
                response.raw._fp.fp.raw._sock.shutdown(2)  # noqa: SLF001
        for thread in threads:
            thread.join(5)


def find_daemons(pid: int) -> list[int]:
    """Dockerd and its containerd. Shims are left out: nobody asks them, and they collect their garbage in bursts."""
    found = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, rest = path.read_text().rpartition(")")
            number, _, name = head.partition(" (")
            if int(rest.split()[1]) == pid and name.startswith("containerd"):
                found.append(int(number))
    return found


def sum_seconds(pids: list[int]) -> float:
    return sum(map(cpu_seconds, pids))


def spent_by(pids: list[int], seconds: float) -> float:
    """Seconds of processor time a second."""
    started, before = time.monotonic(), sum_seconds(pids)
    time.sleep(seconds)
    return (sum_seconds(pids) - before) / (time.monotonic() - started)


if __name__ == "__main__":
    main()
