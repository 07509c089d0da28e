"""What watching containers costs a host: the agent and the engine together, beside asking the engine for statistics.

    PYTHONPATH=. python benchmarks/containers.py [--json] [--quick] [--seconds N] [--limit-seconds N]

As root, with dockerd: it starts one of its own with idle containers, a real hub, and a real agent at one sample a
second. What it does at the moment it says on stderr. When it is interrupted, terminated, or takes longer than its
limit, it removes what it made before it ends.

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
import math
import os
import platform
import selectors
import signal
import socket
import sys
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
LIMIT_SECONDS: Final = 240
"""Beside the time of watching, which is about a dozen times what it takes."""
QUICK_SETTLE_SECONDS: Final = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description="What watching containers costs a host.")
    parser.add_argument("--json", action="store_true", help="one flat object")
    parser.add_argument("--quick", action="store_true", help="under 45 seconds in all")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to watch each (default 60)")
    parser.add_argument("--limit-seconds", type=int, default=0, help="when to give up (default: by the plan)")
    options = parser.parse_args()
    plan = Plan(3.0, QUICK_SETTLE_SECONDS, 1) if options.quick else Plan(options.seconds, SETTLE_SECONDS, 5)
    end_in_order(options.limit_seconds or math.ceil(LIMIT_SECONDS + 8 * plan.seconds))
    with tempfile.TemporaryDirectory() as folder, docker_engine() as engine, hub_with_system(Path(folder)) as enrolled:
        bench = Bench(engine, enrolled, Path(folder), plan)
        figures = {} if options.quick else bench.measure_without()
        for count in COUNTS:
            tell(f"{count} containers: starting them")
            fill(engine, count)
            # A hundred are asked in the same way as twenty, which is dear enough to do once in a quick run.
            figures |= bench.measure(count, asks=count == COUNTS[0] or not options.quick)
        tell("removing them")
    if options.json:
        print(json.dumps(figures))
        return
    print(f"Containers on Python {platform.python_version()}, {os.cpu_count()} processors, one sample a second")
    for name, value in figures.items():
        print(f"  {name:40} {value}")
    print("Measured by the clocks of agent, dockerd and containerd; what idle daemons spend is subtracted.")


def tell(what: str) -> None:
    print(f"{time.strftime('%X')} {what}", file=sys.stderr, flush=True)


def end_in_order(limit_seconds: int) -> None:
    """Whatever ends this unwinds it, so that engine, bridge, hub and agent go; a second signal cannot disturb that."""

    def end(number: int, _: object) -> None:
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
            signal.signal(other, signal.SIG_IGN)
        reason = f"longer than {limit_seconds} s" if number == signal.SIGALRM else signal.Signals(number).name
        raise SystemExit(f"ended: {reason}")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, end)
    signal.alarm(limit_seconds)


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

    def measure_without(self) -> dict[str, float]:
        tell("an agent without containers")
        return {"agent_cpu_ms_per_sample_without": round(self.watch_agent("").agent_ms, 3)}

    def measure(self, count: int, *, asks: bool) -> dict[str, float]:
        tell(f"{count} containers: nobody watches")
        time.sleep(self._plan.settle_seconds)  # what starting them left to do
        daemons = find_daemons(self._engine.pid)
        idle = spent_by(daemons, self._plan.seconds)
        tell(f"{count} containers: the agent watches")
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
            tell(f"{count} containers: the engine is asked for statistics, then streams them")
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
        time.sleep(1.0)
        return max(0.0, spent_by(daemons, seconds) - idle)


@contextmanager
def streams(engine: Engine) -> Iterator[None]:
    """One for each container, whose answers are taken from their sockets and thrown away."""
    stopped = threading.Event()
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for row in engine.client.api.containers():
            stream = stack.enter_context(socket.socket(socket.AF_UNIX))
            stream.connect(str(engine.socket))
            stream.sendall(f"GET /containers/{row['Id']}/stats?stream=true HTTP/1.1\r\nHost: engine\r\n\r\n".encode())
            selector.register(stream, selectors.EVENT_READ)

        def swallow() -> None:
            while not stopped.is_set():
                for key, _ in selector.select(0.2):
                    key.fileobj.recv(1 << 16)  # type: ignore[union-attr]

        thread = threading.Thread(target=swallow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()


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
