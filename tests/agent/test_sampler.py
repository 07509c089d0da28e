"""Ticks without drift, an interval that changes, and how parts become one sample."""

import asyncio
import time
from collections.abc import Callable

import pytest

from beszel_agent.collectors import COLLECTORS
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_agent.runs import CollectorReport
from beszel_agent.sampler import Reading, Sampler, merge_parts, start_sampler
from beszel_agent.ticks import next_tick
from beszel_protocol.messages import Sample, decode_from_agent, encode
from beszel_protocol.sample import CpuMetrics, MemoryMetrics, Metrics
from beszel_protocol.storage import DiskMetrics


class Clockwork:
    """A run whose part is the instant of its reading."""

    fields: tuple[str, ...] = ("uptime_seconds",)
    due_at: float = 0.0

    def read(self, now: float) -> Metrics:
        return Metrics(uptime_seconds=now)

    def report(self) -> CollectorReport:
        return CollectorReport(name="clockwork", state="running")


@pytest.mark.parametrize(
    ("now", "last", "interval", "expected"),
    [
        (10.2, 0.0, 1.0, 11.0),
        (10.0, 9.0, 1.0, 11.0),  # at the tick itself: the next one
        (9.9999999, 10.0, 1.0, 11.0),  # the timer went off early
        (17.3, 10.0, 1.0, 18.0),  # late: what was missed is not caught up
        (61.0, 60.0, 30.0, 90.0),
        (299.5, 299.0, 300.0, 300.0),  # soon after the last one, which was of another interval
        (100.0, 99.0, 300.0, 300.0),
        (28_810.4, 10.0, 1.0, 28_811.0),  # stopped for hours: one sample, no burst
        (10.2, 9.0, 1.5, 10.5),
    ],
)
def test_next_tick(now: float, last: float, interval: float, expected: float) -> None:
    assert next_tick(now, last, interval) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("asked", "floor", "expected"),
    [(5.0, None, 5.0), (0.1, None, 1.0), (9999.0, None, 300.0), (1.0, 10.0, 10.0), (60.0, 10.0, 60.0)],
)
def test_the_owner_of_the_host_sets_the_floor(asked: float, floor: float | None, expected: float) -> None:
    sampler = Sampler([], 1.0, floor_seconds=floor)
    sampler.ask_interval(asked)
    assert sampler.interval_seconds == expected


def run_until(sampler: Sampler, enough: Callable[[list[Reading]], bool]) -> list[Reading]:
    readings: list[Reading] = []

    async def main() -> None:
        done = asyncio.Event()

        def publish(reading: Reading) -> None:
            readings.append(reading)
            if enough(readings):
                done.set()

        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(sampler.run(publish))
            await done.wait()
            task.cancel()

    asyncio.run(main())
    return readings


def test_samples_come_on_the_whole_second_of_the_monotonic_clock() -> None:
    readings = run_until(Sampler([Clockwork()], 1.0), lambda readings: len(readings) == 2)
    instants = [reading.metrics.uptime_seconds or 0.0 for reading in readings]
    assert [round(instant) for instant in instants] == list(range(round(instants[0]), round(instants[0]) + 2))
    assert max(abs(instant - round(instant)) for instant in instants) < 0.2


def test_a_shorter_interval_takes_effect_at_once() -> None:
    sampler = Sampler([Clockwork()], 300.0)
    started = time.monotonic()

    async def main() -> None:
        came = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(sampler.run(lambda _: came.set()))
            await asyncio.sleep(0.4)  # it waits for its tick by now
            sampler.ask_interval(1.0)
            await came.wait()
            task.cancel()

    asyncio.run(main())
    assert time.monotonic() - started < 5


def test_parts_of_one_subject_stand_side_by_side() -> None:
    first = Metrics(cpu=CpuMetrics(usage_percent=5.0), disk={"/": DiskMetrics(total_bytes=1)})
    second = Metrics(cpu=CpuMetrics(load_average=[1.0, 2.0, 3.0]), memory=MemoryMetrics(total_bytes=7))
    disk = {"/": DiskMetrics(io_read_bytes=2), "/srv": DiskMetrics(total_bytes=3)}
    merged = merge_parts(
        [
            (("cpu", "disk"), first),
            (("cpu",), Metrics()),
            (("cpu", "memory"), second),
            (("disk", "uptime_seconds"), Metrics(disk=disk, uptime_seconds=0.0)),
        ]
    )
    assert merged == Metrics(
        cpu=CpuMetrics(usage_percent=5.0, load_average=[1.0, 2.0, 3.0]),
        memory=MemoryMetrics(total_bytes=7),
        disk={"/": DiskMetrics(total_bytes=1, io_read_bytes=2), "/srv": DiskMetrics(total_bytes=3)},
        uptime_seconds=0.0,
    )


def test_a_sample_of_this_host_is_what_the_link_takes() -> None:
    sampler = start_sampler(COLLECTORS, HostPaths(), Config())
    reading = sampler.read()
    sample = decode_from_agent(encode(reading.as_sample(7)))
    assert isinstance(sample, Sample)
    assert sample.sequence == 7
    assert sample.metrics == reading.metrics  # nothing of it had to be cleaned away
    assert sample.metrics.memory is not None
    assert [report.name for report in sampler.reports()] == [collector.name for collector in COLLECTORS]
