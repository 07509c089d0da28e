"""Numbers of real containers under load, held against those of their engine.

A counter of the engine's is read between two readings of ours, so it must lie between them: no tolerance is needed
however busy the machine is. What goes up and down (memory, processes) is held steady by the load, and may differ by
what its shell needs.
"""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from beszel_agent.containers.client import EngineClient
from beszel_agent.containers.model import Container, Counters
from beszel_agent.containers.reader import ContainerReader, FileBudget
from beszel_agent.containers.statistics import read_statistics
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import ContainerMetrics
from tests.support.engines import BUSY, IDLE, Engine, Watched, watching
from tests.support.programs import wait_until

pytestmark = pytest.mark.system

RISING = ("cpu_ns", "periods", "throttled_periods", "read_bytes", "write_bytes", "network_rx", "network_tx")
MEMORY_TOLERANCE = 2 << 20
"""A shell forks, and its pages come and go between two readings that are up to two seconds apart."""
HELD_BYTES = 32 << 20
SENT_BYTES = 20_000
"""At a time; whoever sends waits until the other end is closed."""


@contextmanager
def sink(address: str) -> Iterator[int]:
    """Takes what containers send to this host; its port."""
    with socket.create_server((address, 0)) as server:

        def swallow(connection: socket.socket) -> None:
            with connection:
                left = SENT_BYTES
                while left > 0 and (data := connection.recv(1 << 16)):
                    left -= len(data)

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=swallow, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def loads(address: str, port: int) -> dict[str, tuple[list[str], dict[str, Any]]]:
    """Twenty containers by what they do."""
    hold = f"dd if=/dev/zero of=/dev/shm/held bs=1M count={HELD_BYTES >> 20}; sleep 600"
    send = f"while :; do head -c {SENT_BYTES} /dev/zero | nc {address} {port}; sleep 0.2; done"
    write = "while :; do dd if=/dev/zero of=/data/f bs=64k count=4 oflag=direct; sleep 0.2; done"
    found: dict[str, tuple[list[str], dict[str, Any]]] = {}
    for number in range(4):
        found[f"busy{number}"] = BUSY, {"nano_cpus": 100_000_000}
        found[f"holder{number}"] = ["sh", "-c", hold], {"mem_limit": "96m"}
        found[f"sender{number}"] = ["sh", "-c", send], {}
        found[f"writer{number}"] = ["sh", "-c", write], {"volumes": {f"data{number}": {"bind": "/data"}}}
        found[f"idle{number}"] = IDLE, {}
    return found


def start_all(engine: Engine, port: int) -> list[str]:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda item: engine.run(item[0], item[1][0], **item[1][1]), loads(engine.address, port).items()))
    return sorted(loads(engine.address, port))


def read_once(container: Container) -> Counters:
    assert container.place is not None
    reader = ContainerReader(HostPaths(), container, container.place, frozenset(), FileBudget(0))
    counters = reader.read(time.monotonic())
    reader.close()
    assert counters is not None
    return counters


def with_traffic_in_one(counters: Counters) -> Counters:
    """Both directions together."""
    if counters.network_rx is None or counters.network_tx is None:
        return counters
    return counters._replace(network_rx=counters.network_rx + counters.network_tx, network_tx=None)


def assert_same(container: Container, client: EngineClient, *, is_docker: bool = True) -> None:
    """What the files say is what the engine says.

    Podman tells of no periods, counts the file cache as memory, and older ones take what comes in for what goes out.
    """
    before = read_once(container)
    asked = read_statistics(client.statistics(container.full_id), frozenset()).counters
    after = read_once(container)
    if not is_docker:
        before, asked, after = (with_traffic_in_one(counters) for counters in (before, asked, after))
    for name in RISING:
        low, middle, high = (getattr(counters, name) for counters in (before, asked, after))
        # No limit is no period to an engine; a network that is not the container's own is none.
        if low is not None and middle is not None and (is_docker or "periods" not in name):
            assert low <= middle <= high, f"{name} of {container.facts.name}"
    if is_docker:
        assert before.memory_bytes is not None
        assert after.memory_bytes is not None
        assert asked.memory_bytes is not None
        low, high = sorted((before.memory_bytes, after.memory_bytes))
        assert low - MEMORY_TOLERANCE <= asked.memory_bytes <= high + MEMORY_TOLERANCE, container.facts.name
    assert before.pids is not None
    assert asked.pids is not None
    assert abs(before.pids - asked.pids) <= 4  # what a shell has forked at the moment


def test_twenty_under_load_are_read_as_their_engine_reads_them(docker: Engine) -> None:
    with sink(docker.address) as port, watching(docker) as watched:
        names = start_all(docker, port)
        watched.until_known(*names)
        watched.until_read(*names)
        (watch,) = watched.host._watches.values()
        assert watch.client is not None
        client = watch.client
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda item: assert_same(item, client), watched.host.containers()))
        check_rates(watched)


def check_rates(watched: Watched) -> None:
    """Each does what it was made for, and is the only one that does, in one reading over three seconds or more.

    A fresh network may hold a sender's first connection back for seconds, and a busy machine starts twenty containers
    one after the other: the loads are waited for, not the clock.
    """
    processors = watched.collector._processors
    watched.read()
    read_at, faults = time.monotonic(), ["nothing was read"]

    def settled() -> bool:
        nonlocal read_at
        if time.monotonic() - read_at < 3:
            return False
        read_at, found = time.monotonic(), watched.read()
        faults[:] = [fault for number in range(4) for fault in faults_of(found, number, processors)]
        return not faults

    try:
        wait_until("all loads told as they are", settled, 40)
    except AssertionError as error:
        error.add_note("\n".join(faults))
        raise


def faults_of(found: dict[str, ContainerMetrics], number: int, processors: int) -> list[str]:
    """What the reading of the containers of one number gets wrong."""
    busy, idle, holder = found[f"busy{number}"], found[f"idle{number}"], found[f"holder{number}"]
    sender, writer = found[f"sender{number}"], found[f"writer{number}"]
    least_percent = 100 * HELD_BYTES / (96 << 20)
    expected = {
        # A tenth of one processor by its quota; less where the machine has no time for it.
        "busy processor": 3 < (busy.cpu_percent or 0) * processors < 12,
        "busy throttled": (busy.throttled_percent or 0) > 50,
        "idle processor": (idle.cpu_percent or 0) * processors < 2,
        "held memory": HELD_BYTES <= (holder.memory_bytes or 0) < HELD_BYTES + (4 << 20),
        "held share of the limit": least_percent <= (holder.memory_percent or 0) < 40,
        "sent": (sender.tx_bytes_per_second or 0) > 20_000,
        "idle sent": (idle.tx_bytes_per_second or 0) < 2_000,
        # Kernels from 6.10 on do not count this under version 1; then it is no zero either.
        "written": (writer.write_bytes_per_second or 200_000) > 100_000,
        "idle written": not idle.write_bytes_per_second,
    }
    read = (busy, idle, holder, sender, writer)
    return [f"{what} of number {number}: {read}" for what, right in expected.items() if not right]


def test_podman(podman: Engine) -> None:
    """Its containers share the network of the host here, which is not theirs to tell of."""
    podman.run("busy", BUSY, nano_cpus=200_000_000)
    podman.run("holder", ["sh", "-c", f"dd if=/dev/zero of=/dev/shm/x bs=1M count={HELD_BYTES >> 20}; sleep 600"])
    with watching(podman) as watched:
        found = watched.until_read("busy", "holder")
        wait_until("held", lambda: (watched.read()["holder"].memory_bytes or 0) >= HELD_BYTES)
        assert found["busy"].network_rx is None
        (watch,) = watched.host._watches.values()
        assert watch.client is not None
        for container in watched.host.containers():
            assert container.facts.engine == "podman"
            assert_same(container, watch.client, is_docker=False)


def sends(metrics: ContainerMetrics) -> bool:
    """And is thanked for it in few bytes."""
    received, sent = metrics.rx_bytes_per_second or 0, metrics.tx_bytes_per_second or 0
    return sent > SENT_BYTES and sent > received > 0


def test_podman_with_a_network_of_its_own(networked_podman: Engine) -> None:
    """What it sends is told as its engine tells it; of one that has no interface there is nothing to tell."""
    with sink(networked_podman.address) as port, watching(networked_podman) as watched:
        command, options = loads(networked_podman.address, port)["sender0"]
        networked_podman.run("sender", command, **options)
        networked_podman.run("alone", IDLE, network_mode="none")
        watched.until_read("sender", "alone")
        wait_until("it sends", lambda: sends(watched.read()["sender"]))
        alone = watched.read()["alone"]
        assert (alone.rx_bytes_per_second, alone.tx_bytes_per_second) == (None, None)
        (watch,) = watched.host._watches.values()
        assert watch.client is not None
        for container in watched.host.containers():
            assert container.has_network
            assert_same(container, watch.client, is_docker=False)


def test_without_cgroups_the_engine_is_asked_and_that_is_said(docker: Engine, tmp_path: Path) -> None:
    for name in ("proc", "sys"):
        (tmp_path / name).mkdir()
    blind = HostPaths(proc=str(tmp_path / "proc"), sys=str(tmp_path / "sys"))
    docker.run("busy", BUSY, nano_cpus=200_000_000, mem_limit="64m")
    with watching(docker, paths=blind) as watched, watching(docker) as seeing:
        assert watched.until_known("busy")["busy"].statistics == "engine"
        asked = watched.until_read("busy")["busy"]
        read = seeing.until_read("busy")["busy"]
        shortfall = watched.collector.shortfall() or ""
        processors = watched.collector._processors
    assert "statistics" in shortfall
    assert "cannot be seen" in shortfall
    assert 8 < (asked.cpu_percent or 0) * processors < 24
    assert abs((asked.memory_bytes or 0) - (read.memory_bytes or 0)) < MEMORY_TOLERANCE
    assert asked.pids == read.pids == 1
    assert asked.network_rx is not None
