"""The scanner against real processes."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.collectors.processes import ProcessesCollector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, RequestRefused
from beszel_agent.paths import HostPaths
from beszel_agent.processes.listing import list_processes
from beszel_agent.processes.scanner import Process, Scanner
from beszel_agent.processes.stat import parse_io, parse_stat
from beszel_protocol.processes import MAX_PROCESSES
from tests.support.programs import wait_until

ALTERS_ITS_NAME = "open('/proc/self/comm', 'w').write('a) Z 1 (b')\nprint(flush=True)\nwhile True: pass"


@pytest.fixture(name="busy")
def start_busy() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", ALTERS_ITS_NAME], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_busy_process_is_seen_as_such(busy: subprocess.Popen[bytes]) -> None:
    scanner = Scanner(HostPaths(), processors=1)
    started = time.monotonic()
    scanner.scan(started)
    found: dict[int, Process] = {}
    while time.monotonic() < started + 20:
        found = {process.pid: process for process in scanner.scan(time.monotonic()).processes}
        if (found[busy.pid].cpu_percent or 0) > 0:
            break
    assert found[busy.pid].stat.raw_name == b"a) Z 1 (b"
    assert not found[busy.pid].stat.is_zombie
    assert found[busy.pid].memory_bytes > 1 << 20
    assert found[os.getpid()].stat.threads >= 1


def test_the_action_tells_all_and_says_how_many_there_are(busy: subprocess.Popen[bytes]) -> None:
    result = asyncio.run(list_processes(HostPaths(), {"by": "cpu", "limit": 3}))
    assert len(result.processes) == min(3, (result.counts.total or 0) + (result.counts.kernel_threads or 0))
    everything = asyncio.run(list_processes(HostPaths(), {}))
    row = next(row for row in everything.processes if row.pid == busy.pid)
    assert row.name == "a) Z 1 (b"
    assert row.cpu_percent
    assert row.user is not None
    assert row.parent == os.getpid()
    assert next(row for row in everything.processes if row.pid == 1).parent is None


@pytest.mark.parametrize("params", [{"by": "name"}, {"limit": 0}, {"limit": MAX_PROCESSES + 1}, {"limit": "all"}])
def test_what_cannot_be_asked_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(RequestRefused) as caught:
        asyncio.run(list_processes(HostPaths(), params))
    assert caught.value.code == "bad_params"


def test_without_proc_it_fails_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Scanner(HostPaths(proc=str(tmp_path / "nothing")), 1).scan(0.0)


def write_process(proc: Path, pid: int, stat: str) -> Path:
    directory = proc / str(pid)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "stat").write_text(stat)
    return directory


STAT = "{pid} (x) S 1 1 1 0 -1 4194304 0 0 0 0 {ticks} 0 0 0 20 0 1 0 1000 0 16 0 0"


def test_an_idle_kernel_thread_is_looked_at_less_often_and_its_share_is_of_the_time_since(tmp_path: Path) -> None:
    thread = STAT.replace("4194304", str(0x200000))
    write_process(tmp_path, 4, thread.format(pid=4, ticks=0))
    scanner = Scanner(HostPaths(proc=str(tmp_path), keep_open=False), processors=1)
    scanner.scan(0.0)
    scanner.scan(1.0)
    write_process(tmp_path, 4, thread.format(pid=4, ticks=os.sysconf("SC_CLK_TCK")))
    shares = [scanner.scan(now).processes[0].cpu_percent for now in (2.0, 3.0, 4.0, 5.0)]
    assert shares == [0.0, 0.0, 33.33, 0.0]


def test_what_the_agent_may_not_see_is_said(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "stat").touch()
    write_process(tmp_path, 7, STAT.format(pid=7, ticks=0))
    collector = ProcessesCollector.probe(HostPaths(proc=str(tmp_path), keep_open=False), Config())
    assert isinstance(collector, ProcessesCollector)
    assert collector.shortfall() is None
    collector.collect(0.0)
    assert "hidepid" in (collector.shortfall() or "")
    write_process(tmp_path, 1, STAT.format(pid=1, ticks=0))
    collector.collect(10.0)
    assert collector.shortfall() is None


def test_an_unprivileged_scanner_asks_for_io_once_and_says_what_it_lacks() -> None:
    code = (
        "import os; os.setresuid(65534, 65534, 65534)\n"
        "scanner.scan(0.0); first = scanner.is_denied_io, scanner.sees_others\n"
        "print(first, [p.read_bytes_per_second for p in scanner.scan(1.0).processes if p.pid == 1])"
    )
    if os.geteuid() != 0:
        code = code.partition("\n")[2]  # it is unprivileged already
    made = "from beszel_agent.paths import HostPaths\nfrom beszel_agent.processes.scanner import Scanner\n"
    argv = [sys.executable, "-c", f"{made}scanner = Scanner(HostPaths(), 1)\n{code}"]
    finished = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert finished.stdout == "(True, True) [None]\n"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    for parse in (parse_stat, parse_io):
        try:
            parse(text)
        except (ReadingFailed, ValueError):
            continue


RESTS_THEN_WORKS = """
import sys, threading
def work():
    while True: pass
if sys.argv[1] == "thread":
    begin = threading.Event()
    threading.Thread(target=lambda: (begin.wait(), work()), daemon=True).start()
print(flush=True)
sys.stdin.readline()
if sys.argv[1] == "thread":
    begin.set()
    sys.stdin.readline()
work()
"""


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_one_that_rested_long_is_seen_when_it_works(worker: str) -> None:
    argv = [sys.executable, "-c", RESTS_THEN_WORKS, worker]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        scanner = Scanner(HostPaths(), processors=1)

        def percent() -> float | None:
            return next(one for one in scanner.scan(time.monotonic()).processes if one.pid == process.pid).cpu_percent

        percent()
        wait_until("at rest for several scans", lambda: [percent() for _ in range(4)] == [0.0] * 4)
        process.stdin.write(b"\n")
        process.stdin.flush()
        wait_until("seen at work", lambda: (percent() or 0) > 0)
        process.kill()


def test_one_that_ended_is_gone_though_its_clock_is_open() -> None:
    with subprocess.Popen(["sleep", "60"]) as first:
        scanner = Scanner(HostPaths(), processors=1)
        for _ in range(4):
            scanner.scan(time.monotonic())
        first.kill()
        first.wait()
        pids = {one.pid for one in scanner.scan(time.monotonic()).processes}
    assert first.pid not in pids
