"""What kept the machine busy, in the text of an alert that it can be the cause of."""

import pytest

from beszel_hub.alerts.targets import compile_target
from beszel_hub.notifications.facts import facts_of
from beszel_protocol.sample import Metrics, ProcessMetrics
from tests.support.transitions import make_transition

METRICS = Metrics(
    top_processes=[
        ProcessMetrics(pid=1, name="idle", cpu_percent=0.5, memory_bytes=3 << 30),
        ProcessMetrics(pid=2, name="busy", cpu_percent=90.0, memory_bytes=1 << 20),
        ProcessMetrics(pid=3, name="hidden"),
    ]
)
BY_CPU = ["busy (2): 90.0 % CPU", "idle (1): 0.5 % CPU"]
BY_MEMORY = ["idle (1): 3072 MiB", "busy (2): 1 MiB"]


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ("cpu.usage_percent", BY_CPU),
        ("cpu.load_average[2]", BY_CPU),
        ("cpu.pressure_percent", BY_CPU),
        ("load_per_core_5", BY_CPU),
        ("memory.usage_percent", BY_MEMORY),
        ("memory.pressure_full_percent", BY_MEMORY),
        ("swap_percent", BY_MEMORY),
        ("disk[/].usage_percent", []),
        ("battery_percent", []),
    ],
)
def test_the_processes_that_can_be_the_cause(target: str, lines: list[str]) -> None:
    compile_target(target)
    assert facts_of(make_transition(target=target), METRICS) == lines


def test_only_when_it_fires() -> None:
    assert facts_of(make_transition(kind="recovered"), METRICS) == []
    assert facts_of(make_transition(), Metrics()) == []
