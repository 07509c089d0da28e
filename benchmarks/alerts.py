"""What alerts cost: 10,000 pairs of rule and target over 1,000 systems, a sample a second each, windows of a minute.

Drives the engine in this process as fast as it goes and tells what that is of a core at one sample a second; then hands
steps to a real database with a callable in place of the outbox, and times from the sample to the commit.
"""

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Final

import msgspec

from beszel_hub.alerts.engine import Engine, Watched
from beszel_hub.alerts.moment import Moment
from beszel_hub.alerts.queries import insert_rule
from beszel_hub.alerts.rule import Condition, Rule
from beszel_hub.alerts.service import Alerts
from beszel_hub.alerts.transition import Transition
from beszel_hub.clock import system_clock
from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.store.database import Database
from beszel_hub.systems.directory import Directory, Entry
from beszel_protocol.sample import Metrics
from tests.support.samples import make_metrics

SYSTEMS: Final = 1000
TARGETS: Final = (
    "cpu.usage_percent", "memory.usage_percent", "cpu.load_average[0]", "cpu.load_average[1]", "disk[/].usage_percent",
    "bandwidth", "temperature", "network.recv_bytes_per_second", "load_per_core_5", "disk[/mnt/v1.2].usage_percent",
)  # fmt: skip
START_MS: Final = 1_795_348_800_000


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    pairs: int
    evaluations_per_second: float
    cpu_percent_10000: float
    """Of one core, at a sample a second."""
    memory_mb_10000: float
    fired: int
    fire_to_outbox_ms_median: float
    fire_to_outbox_ms_p99: float


def make_rules() -> list[Rule]:
    """High enough that nothing fires: nearly every evaluation of a well fleet is of this kind."""
    return [
        Rule(
            id=f"rule{number}", name=target,
            conditions=(Condition(target=target, value=1e12, window_seconds=60, recover_value=1e11),),
        )
        for number, target in enumerate(TARGETS)
    ]  # fmt: skip


def drive(engine: Engine, samples: list[Metrics], seconds: int, clock: "itertools.count[int]") -> float:
    """CPU seconds for `seconds` samples of every system."""
    started = time.process_time()
    for _ in range(seconds):
        now_ms = next(clock) * 1000
        for number in range(SYSTEMS):
            engine.take(f"system{number}", START_MS + now_ms, samples[number % len(samples)], Moment(now_ms, now_ms))
        engine.tick(Moment(now_ms, now_ms))
    return time.process_time() - started


def measure_engine(seconds: int) -> tuple[float, float]:
    """CPU seconds a second of samples, and MB of memory."""
    samples = [make_metrics(percent) for percent in (5.0, 25.0, 50.0, 75.0)]
    ids, clock = itertools.count(), itertools.count(1000)
    tracemalloc.start()
    engine = Engine(lambda: f"alert{next(ids)}", Moment(0, 0))
    for number in range(SYSTEMS):
        engine.set_system(Watched(id=f"system{number}", status="up"), Moment(0, 0))
    engine.set_rules(make_rules(), Moment(0, 0))
    drive(engine, samples, 3, clock)
    memory_mb = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    drive(engine, samples, 60, clock)  # from here on every window is full and moves
    return drive(engine, samples, seconds, clock) / seconds, memory_mb


async def measure_delivery(directory: Path, alarms: int) -> list[float]:
    """Milliseconds from a sample to the commit of its transition, one system after the other."""
    database = Database(directory / "data.db")
    database.open()
    condition = Condition(target="cpu.usage_percent", value=80, window_seconds=0)
    rule = Rule(id="rule00000000001", name="busy", conditions=(condition,))
    await database.write(lambda: insert_rule(rule, system_clock()))
    systems = Directory()
    entries = [
        Entry(
            id=f"system{number:09}", name=f"host{number}", host="", status="up", status_since_ms=0, interval_seconds=1
        )
        for number in range(alarms)
    ]
    systems.replace_all(entries)
    committed = asyncio.Event()
    written: list[Transition] = []
    alerts = Alerts(database, systems, system_clock, lambda: time.monotonic_ns() // 1_000_000, written.append)
    alerts.on_told.append(lambda _: committed.set())
    await alerts.open()
    running = asyncio.create_task(alerts.run())
    metrics, waits_ms = make_metrics(95.0), []
    for entry in entries:
        committed.clear()
        started = time.perf_counter()
        alerts.sample_arrived(LiveSample(entry.id, system_clock(), system_clock(), metrics))
        await committed.wait()
        waits_ms.append((time.perf_counter() - started) * 1000)
    running.cancel()
    database.close()
    if len(written) != alarms:
        raise RuntimeError(f"{len(written)} transitions of {alarms} alarms")
    return sorted(waits_ms)


def run(*, quick: bool) -> Figures:
    cpu_seconds, memory_mb = measure_engine(10 if quick else 60)
    pairs = SYSTEMS * len(TARGETS)
    with tempfile.TemporaryDirectory() as directory:
        waits_ms = asyncio.run(measure_delivery(Path(directory), 200 if quick else 1000))
    return Figures(
        pairs=pairs, evaluations_per_second=round(pairs / cpu_seconds), fired=len(waits_ms),
        cpu_percent_10000=round(100 * cpu_seconds * 10_000 / pairs, 2), memory_mb_10000=round(memory_mb, 1),
        fire_to_outbox_ms_median=round(waits_ms[len(waits_ms) // 2], 2),
        fire_to_outbox_ms_p99=round(waits_ms[int(len(waits_ms) * 0.99)], 2),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="some seconds instead of a minute")
    arguments = parser.parse_args()
    figures = msgspec.to_builtins(run(quick=arguments.quick))
    if arguments.json:
        json.dump(figures, sys.stdout)
    else:
        for name, value in figures.items():
            print(f"{name:<28} {value}")


if __name__ == "__main__":
    main()
