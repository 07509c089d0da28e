"""Of a container that does nothing only its processor time is looked at; what becomes of it nevertheless is told."""

from itertools import count
from pathlib import Path

import pytest

from tests.support.containertree import ContainerTree
from tests.support.engines import IDLE, Engine, watching
from tests.support.programs import wait_until

LONGEST_REST_SECONDS = 10


@pytest.fixture(params=[1, 2])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> ContainerTree:
    return ContainerTree(tmp_path, version=request.param, keep_open=True)


def rest(tree: ContainerTree) -> int:
    """Read until it rests; the second of the last reading."""
    for second in range(4):
        tree.read(second)
    assert tree.read(4) is tree.read(5)
    return 5


def test_what_rests_is_told_by_the_same_object(tree: ContainerTree) -> None:
    second = rest(tree)
    first = tree.read(second)
    assert (first.cpu_percent, first.memory_bytes, first.pids, first.tx_bytes_per_second) == (0.0, 800, 1, 0)
    assert all(tree.read(second + later) is first for later in range(1, 40))


def test_with_its_first_moment_everything_is_read_and_is_of_that_second(tree: ContainerTree) -> None:
    second = rest(tree) + 4
    tree.read(second)
    tree.set(cpu_ms=2000, rx=300, tx=1000, written=5000, used_bytes=2000, kills=1)
    metrics = tree.read(second + 1)
    assert metrics.cpu_percent == 50.0
    assert (metrics.rx_bytes_per_second, metrics.tx_bytes_per_second) == (300, 1000)
    assert metrics.write_bytes_per_second == 5000
    assert (metrics.memory_bytes, metrics.oom_kills) == (1800, 1)
    assert [tiding.kind for tiding in tree.host.take_tidings()] == ["container_oom"]


def test_what_others_do_to_it_is_found_and_then_followed(tree: ContainerTree) -> None:
    second = rest(tree)
    tree.set(rx=10_000, tx=0)
    found = next(now for now in count(second + 1) if tree.read(now).network_rx == 10_000)
    assert found - second <= LONGEST_REST_SECONDS
    tree.set(rx=10_500, tx=0)
    assert tree.read(found + 1).rx_bytes_per_second == 500
    tree.set(rx=10_700, tx=0, written=4096)
    metrics = tree.read(found + 2)
    assert (metrics.rx_bytes_per_second, metrics.write_bytes_per_second) == (200, 4096)
    assert tree.read(found + 3).rx_bytes_per_second == 0


def test_a_rate_of_what_came_while_it_rested_is_that_of_the_whole_rest(tree: ContainerTree) -> None:
    tree.read(0)
    tree.read(1)  # like the one before: now it rests
    tree.set(rx=10_000, tx=0)
    found, metrics = next((now, metrics) for now in count(2) if (metrics := tree.read(now)).network_rx)
    assert found > 5
    assert metrics.rx_bytes_per_second == round(10_000 / (found - 1))


def test_memory_that_the_kernel_takes_back_is_found(tree: ContainerTree) -> None:
    second = rest(tree)
    tree.set(used_bytes=9_000_000, cache_bytes=3_000_000)
    assert any(tree.read(second + later).memory_bytes == 6_000_000 for later in range(1, LONGEST_REST_SECONDS + 1))


def test_the_file_cache_is_looked_at_when_the_memory_of_a_busy_container_moves(tree: ContainerTree) -> None:
    """Within what the kernel charges in advance it need not be."""
    for second, (used, cache, told) in enumerate([
        (8_000_000, 2_000_000, 6_000_000),
        (8_100_000, 2_100_000, 6_100_000),
        (9_000_000, 3_000_000, 6_000_000),
        (9_000_000, 2_900_000, 6_000_000),
        (9_100_000, 2_900_000, 6_100_000),
        (9_100_000, 2_900_000, 6_200_000),
    ]):  # fmt: skip
        tree.set(cpu_ms=second * 10, used_bytes=used, cache_bytes=cache)
        assert tree.read(second).memory_bytes == told


def test_what_ends_a_moment_after_its_last_time_is_told(tree: ContainerTree) -> None:
    tree.set(pids=9)
    for second in range(3):
        tree.read(second)
    tree.set(cpu_ms=10)
    assert tree.read(3).pids == 9
    tree.set(pids=1)
    assert tree.read(4).pids == 1


def test_a_process_that_the_kernel_ended_is_told_within_the_second_of_a_busy_container(tree: ContainerTree) -> None:
    for second in range(3):
        tree.set(cpu_ms=second * 100)
        tree.read(second)
    tree.set(cpu_ms=300, used_bytes=500, kills=1)
    assert tree.read(3).oom_kills == 1
    assert [tiding.kind for tiding in tree.host.take_tidings()] == ["container_oom"]


def test_what_its_engine_tells_stands_in_the_next_sample(tree: ContainerTree) -> None:
    second = rest(tree)
    tree.rename("www")
    tree.look()
    metrics = tree.read(second + 1)
    assert (metrics.name, metrics.cpu_percent, metrics.network_rx) == ("www", 0.0, 0)


def test_a_counter_that_begins_anew_is_no_rate(tree: ContainerTree) -> None:
    tree.set(cpu_ms=1000, rx=500, tx=500)
    second = rest(tree)
    tree.set(cpu_ms=10, rx=0, tx=0)
    metrics = tree.read(second + 1)
    assert (metrics.cpu_percent, metrics.rx_bytes_per_second, metrics.network_rx) == (None, None, 0)


def test_without_processor_time_nothing_rests(tree: ContainerTree, tmp_path: Path) -> None:
    for path in [*tmp_path.rglob("cpuacct.usage"), *tmp_path.rglob("cpu.stat")]:
        path.unlink()
    for second in range(6):
        tree.set(rx=second * 100, tx=0)
        metrics = tree.read(second)
        assert (metrics.network_rx, metrics.cpu_percent) == (second * 100, None)


@pytest.mark.system
def test_real_ones_rest_and_wake(docker: Engine) -> None:
    """With seconds that are made up: nothing here waits for any."""
    container = docker.run("idle", IDLE)
    with watching(docker) as watched:
        watched.until_read("idle")
        seconds = count(int(1e6))

        def read() -> tuple[int | None, int | None, int]:
            (metrics,) = watched.collector.collect(float(next(seconds))).containers or []
            return metrics.pids, metrics.network_tx, id(metrics)

        wait_until("it rests", lambda: len({read() for _ in range(4)}) == 1)
        _, sent, _ = read()
        container.exec_run(["sh", "-c", f"ping -c 1 -W 1 {docker.address}"])
        assert (read()[1] or 0) > (sent or 0), "what it sent"
        container.exec_run(["sleep", "600"], detach=True)
        wait_until("another process", lambda: read()[0] == 2)
        wait_until("it rests again", lambda: len({read() for _ in range(4)}) == 1)
        container.exec_run(["sh", "-c", "kill -9 $(pidof sleep | tr ' ' '\\n' | grep -vx 1)"])
        wait_until("one process", lambda: read()[0] == 1)
        wait_until("it rests at last", lambda: len({read() for _ in range(4)}) == 1)
        assert read()[0] == 1
