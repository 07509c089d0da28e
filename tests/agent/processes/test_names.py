"""Processes counted by the patterns of their names."""

from pathlib import Path

import pytest

from beszel_agent.collectors.processes import ProcessesCollector
from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_agent.processes.names import CountsNames, Names, WantedNames
from beszel_agent.processes.scanner import Process
from beszel_agent.processes.stat import Stat
from beszel_agent.sampler import start_sampler
from beszel_protocol.messages import MAX_PROCESS_PATTERNS

KERNEL_THREAD = 0x200000


def process(name: str, *, state: bytes = b"S", flags: int = 0) -> Process:
    return Process(1, Stat(name.encode(), state, flags, 0, 1, 0, 0, 0), None, 0, None, None)


PROCESSES = [
    process("nginx"), process("nginx"), process("nginx-exporter"), process("postgres"), process("a-very-long-nam"),
    process("nginx", state=b"Z"), process("nginx", flags=KERNEL_THREAD), process("x.y"), process("line\nbreak"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("nginx", 2),
        ("nginx*", 3),
        ("*gres", 1),
        ("n*x", 2),
        ("none", 0),
        ("Nginx", 0),
        ("x?y", 0),
        ("x.y", 1),
        ("[a-z]*", 0),
        ("line*", 1),
        ("a-very-long-name-of-a-program", 1),
        ("a-very-long-name*", 1),
        ("a-very-long-na*", 1),
        ("a-very*-name-of-it", 0),
    ],
)
def test_patterns(pattern: str, count: int) -> None:
    names = Names()
    names.want([pattern])
    assert names.count(PROCESSES) == {pattern: count}


def test_what_is_too_much_or_no_text_is_left_out() -> None:
    names = Names()
    assert names.count(PROCESSES) is None
    names.want(["", "a\x1bb", "p" * 65, *(f"p{number}" for number in range(MAX_PROCESS_PATTERNS + 5))])
    assert len(names.count(PROCESSES) or {}) == MAX_PROCESS_PATTERNS
    names.want([])
    assert names.count(PROCESSES) is None


def test_who_counts_is_told_once_it_is_at_work() -> None:
    at_work: list[CountsNames] = []
    wanted = WantedNames(lambda: next(iter(at_work), None))
    wanted.replace(["postgres"])
    wanted.replace(["nginx"])
    wanted.hand_over()
    at_work.append(CountsNames())
    assert at_work[0].names.count(PROCESSES) is None
    wanted.hand_over()
    assert at_work[0].names.count(PROCESSES) == {"nginx": 2}
    wanted.replace([])
    assert at_work[0].names.count(PROCESSES) is None


def test_a_sampler_finds_who_counts() -> None:
    sampler = start_sampler((ProcessesCollector,), HostPaths(), Config())
    assert sampler.find(CountsNames) is None
    sampler.read()
    assert sampler.find(CountsNames) is not None


def test_a_sample_tells_them_as_soon_as_they_are_asked_for() -> None:
    collector = ProcessesCollector.probe(HostPaths(), Config())
    assert isinstance(collector, ProcessesCollector)
    mine = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    before = collector.collect(1.0).processes
    assert before is not None
    assert before.by_name is None
    collector.names.want([mine, "no such process"])
    after = collector.collect(2.0).processes
    assert after is not None
    assert after.by_name is not None
    assert after.by_name["no such process"] == 0
    assert after.by_name[mine] >= 1
