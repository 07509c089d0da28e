"""The clock, as adjtimex(2) tells it."""

import sys

import pytest

from beszel_agent.collectors.clock import ClockCollector, Timex, clock_metrics
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import ClockMetrics

NANO, UNSYNC, PLL = 0x2000, 0x40, 0x1


@pytest.mark.parametrize(
    ("timex", "expected"),
    [
        (Timex(0, -1_234_567, 23_500, NANO | PLL), ClockMetrics(unsynchronized=0, offset_ms=1.235, max_error_ms=23.5)),
        (Timex(0, 4_500, 100, PLL), ClockMetrics(unsynchronized=0, offset_ms=4.5, max_error_ms=0.1)),
        (Timex(5, 0, 16_000_000, UNSYNC), ClockMetrics(unsynchronized=1)),
        (Timex(0, 0, 16_000_000, NANO | UNSYNC), ClockMetrics(unsynchronized=1)),
        (Timex(5, 7, 1, NANO), ClockMetrics(unsynchronized=1)),
    ],
)
def test_what_the_kernel_says(timex: Timex, expected: ClockMetrics) -> None:
    assert clock_metrics(timex) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_this_kernel_answers() -> None:
    clock = ClockCollector.probe(HostPaths(), Config()).collect(0.0).clock
    assert clock is not None
    assert clock.unsynchronized in {0, 1}
