"""Takes a sample at every tick: on whole multiples of the interval of CLOCK_MONOTONIC, without drift or catching up."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from beszel_agent.collector import Collector
from beszel_agent.config import Config
from beszel_agent.host import boot_ms
from beszel_agent.paths import HostPaths
from beszel_agent.runs import CollectorReport, ProbedRun, Run
from beszel_agent.ticks import Ticks
from beszel_protocol.messages import MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS, Sample
from beszel_protocol.sample import Metrics
from beszel_protocol.timestamps import format_timestamp

BASELINE_SECONDS: Final = 0.25
"""Between the very first reading and the first sample: rates over less are noise."""

T = TypeVar("T")


class Reading(NamedTuple):
    """A sample that has no sequence yet."""

    instant_ms: int
    """By the wall clock."""
    boot_ms: int
    metrics: Metrics

    def as_sample(self, sequence: int) -> Sample:
        return Sample(
            sequence=sequence,
            timestamp=format_timestamp(self.instant_ms),
            boot_ms=self.boot_ms,
            metrics=self.metrics,
        )


class Sampler:
    """The one writer of samples."""

    def __init__(self, runs: Sequence[Run], interval_seconds: float, *, floor_seconds: float | None = None) -> None:
        self._runs = runs
        self._floor_seconds = floor_seconds or MIN_INTERVAL_SECONDS
        self._interval_seconds = self._bounded(interval_seconds)
        self._ticks: Ticks | None = None

    @property
    def interval_seconds(self) -> float:
        return self._interval_seconds

    def ask_interval(self, seconds: float) -> None:
        """What the hub would like; the floor of the host's owner wins."""
        wanted = self._bounded(seconds)
        if wanted == self._interval_seconds:
            return
        self._interval_seconds = wanted
        if self._ticks is not None:
            self._ticks.change(wanted)

    def read(self) -> Reading:
        """One sample, now. The first has no rates."""
        now = time.monotonic()
        parts = [(run.fields, part) for run in self._runs if run.due_at <= now and (part := run.read(now)) is not None]
        return Reading(time.time_ns() // 1_000_000, boot_ms(), merge_parts(parts))

    def find(self, kind: type[T]) -> T | None:
        """The collector of that kind, if it is at work here."""
        for run in self._runs:
            collector = run.collector if isinstance(run, ProbedRun) else None
            if isinstance(collector, kind):
                return collector
        return None

    def reports(self) -> list[CollectorReport]:
        return [run.report() for run in self._runs]

    async def run(self, publish: Callable[[Reading], None]) -> None:
        """Sample until cancelled. The baseline that rates need is taken at once, the first sample at the first tick."""
        self.read()
        await asyncio.sleep(BASELINE_SECONDS)
        self._ticks = Ticks(lambda: publish(self.read()), self._interval_seconds)
        try:
            await self._ticks.failure
        finally:
            self._ticks.stop()
            self._ticks = None

    def _bounded(self, seconds: float) -> float:
        return min(MAX_INTERVAL_SECONDS, max(self._floor_seconds, seconds))


def start_sampler(
    collectors: Iterable[type[Collector]], paths: HostPaths, config: Config, others: Iterable[Run] = ()
) -> Sampler:
    """Samples come at `UPDATE_INTERVAL` until a hub says otherwise. `others` stand in them beside the collectors."""
    runs = [*(ProbedRun(kind, paths, config) for kind in collectors), *others]
    return Sampler(runs, config.update_interval or MIN_INTERVAL_SECONDS, floor_seconds=config.update_interval)


def merge_parts(parts: Iterable[tuple[Iterable[str], Metrics]]) -> Metrics:
    """One sample of what collectors found, each with the fields that it may fill.

    Where two tell of the same subject, their fields stand side by side.
    """
    merged: dict[str, Any] = {}
    for fields, part in parts:
        for name in fields:
            value = getattr(part, name)
            if value is not None:
                merged[name] = _join(merged[name], value) if name in merged else value
    return Metrics(**merged)


def _join(first: Any, second: Any) -> Any:
    if isinstance(first, dict):
        joined = dict(first)
        for key, value in second.items():
            joined[key] = _join(joined[key], value) if key in joined else value
        return joined
    if isinstance(first, msgspec.Struct):
        told = {name: value for name, value in msgspec.structs.asdict(second).items() if value is not None}
        return msgspec.structs.replace(first, **told)
    return second
