"""What each part of a sample costs: one sampler at one sample a second, every collector by the clock of its thread.

The clock itself is asked twice a collector, so the sum is a little more than a sample costs an agent. Once a second
little of what a collector needs is still in the processor's caches, which is most of what it costs.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from beszel_agent.collectors import COLLECTORS
from beszel_agent.config import load_config
from beszel_agent.paths import HostPaths
from beszel_agent.runs import ProbedRun
from beszel_agent.sampler import Sampler
from beszel_agent.spool.frames import Deflater
from beszel_protocol.messages import encode
from beszel_protocol.sample import Metrics

_FIRST: Final = 3
"""Samples that are not counted: what is only done once is done in them."""


class _Timed(ProbedRun):
    """A run that adds up what its readings cost."""

    cost_ns = 0

    def read(self, now: float) -> Metrics | None:
        started = time.thread_time_ns()
        part = super().read(now)
        self.cost_ns += time.thread_time_ns() - started
        return part


def measure_costs(samples: int) -> dict[str, float]:
    """Microseconds a sample: by collector, the dearest first, then of what is done with the sample itself."""
    config = load_config({}, {}, Path("/dev/null")).config
    runs = [_Timed(kind, HostPaths(), config) for kind in COLLECTORS]
    sampler, deflater = Sampler(runs, 1.0), Deflater(1024)
    costs_ns: dict[str, int] = defaultdict(int)

    def timed(name: str, work: Callable[[], bytes]) -> bytes:
        started = time.thread_time_ns()
        made = work()
        costs_ns[name] += time.thread_time_ns() - started
        return made

    for number in range(_FIRST + samples):
        time.sleep(1)
        if number == _FIRST:
            costs_ns.clear()
            for run in runs:
                run.cost_ns = 0
        started = time.thread_time_ns()
        reading = sampler.read()
        costs_ns["all collectors, merged"] += time.thread_time_ns() - started
        sample = reading.as_sample(number)
        frame = timed("encode", lambda sample=sample: encode(sample))  # type: ignore[misc]
        timed("compress", lambda frame=frame: deflater.deflate(frame))  # type: ignore[misc]
    collectors = {kind.name: run.cost_ns for kind, run in zip(COLLECTORS, runs, strict=True) if run.cost_ns}
    ranked = sorted(collectors.items(), key=lambda item: -item[1])
    return {name: round(cost_ns / samples / 1000, 1) for name, cost_ns in [*ranked, *costs_ns.items()]}
