"""What becomes of containers of real engines is told, and told soon; what they are is known."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from docker.errors import APIError

from tests.support.engines import BUSY, IDLE, IMAGE, Engine, Watched, open_files, watching
from tests.support.programs import wait_until

pytestmark = pytest.mark.system

SOON_SECONDS = 1.0
SECOND = 1_000_000_000
"""As engines count time."""


def test_a_life(engine: Engine) -> None:
    with watching(engine) as watched:
        watched.until_known()
        container = engine.create("web", IDLE)
        watched.until_told("created", "web")
        assert watched.until_known("web")["web"].state == "created"
        container.start()
        watched.until_told("started", "web")
        wait_until("running", lambda: watched.until_known("web")["web"].state == "running")
        container.rename("www")
        assert watched.until_told("renamed", "www").attributes == {"before": "web"}
        watched.until_known("www")
        container.kill()
        assert watched.until_told("died", "www").attributes == {"exit_code": 137}
        facts = wait_until("exited", lambda: f if (f := watched.facts()["www"]).state == "exited" else None)
        assert (facts.exit_code, facts.status) == (137, "Exited (137)")
        assert facts.finished_at is not None
        assert facts.statistics is None
        container.remove()
        watched.until_told("removed", "www")
        watched.until_known()


def test_facts(docker: Engine) -> None:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web", "tier": "front", "token": "x"}
    docker.run(
        "web", IDLE, labels=labels, ports={"80/tcp": ("127.0.0.1", 18080), "81/tcp": None}, mem_limit="64m",
        nano_cpus=500_000_000, environment={"PASSWORD": "hunter2"},
    )  # fmt: skip
    with watching(docker) as watched:
        facts = watched.until_known("web")["web"]
    assert (facts.engine, facts.image, facts.state, facts.health, facts.status) == (
        "docker", IMAGE, "running", "none", "Up"
    )  # fmt: skip
    assert (facts.project, facts.service, facts.labels) == ("shop", "web", {"tier": "front"})
    assert "127.0.0.1:18080→80/tcp" in facts.ports
    assert (facts.memory_limit_bytes, facts.cpu_limit_cores) == (64 << 20, 0.5)
    assert facts.statistics == "cgroup"
    assert facts.image_digest is not None
    assert facts.image_digest.startswith("sha256:")
    assert facts.started_at is not None


Act = Callable[[], object]


def a_creation(docker: Engine, _: Watched, name: str) -> Act:
    return lambda: docker.create(name, IDLE)


def a_new_name(docker: Engine, watched: Watched, name: str) -> Act:
    container = docker.create(f"{name}-before", IDLE)
    watched.until_told("created", f"{name}-before")
    return lambda: container.rename(name)


def a_restart(docker: Engine, watched: Watched, name: str) -> Act:
    container = docker.run(name, IDLE)
    watched.until_told("started", name)
    return lambda: container.restart(timeout=0)


def an_end(docker: Engine, watched: Watched, name: str) -> Act:
    container = docker.run(name, IDLE)
    watched.until_told("started", name)
    kill: Act = container.kill
    return kill


def want_of_memory(docker: Engine, _: Watched, name: str) -> Act:
    """What it takes to use its memory up counts, too."""
    return lambda: docker.run(name, ["sh", "-c", "exec tail /dev/zero"], mem_limit="16m")


def bad_health(docker: Engine, watched: Watched, name: str) -> Act:
    """What the engine takes to find it out counts, too."""
    check = {"test": ["CMD", "test", "-e", "/tmp/well"], "interval": 50_000_000, "timeout": 5 * SECOND, "retries": 1}
    container = docker.run(name, ["sh", "-c", "touch /tmp/well; sleep 600"], healthcheck=check)
    wait_until("healthy", lambda: name in watched.facts() and watched.facts()[name].health == "healthy")
    return lambda: container.exec_run(["rm", "/tmp/well"])


@pytest.mark.parametrize(
    ("kind", "prepare"),
    [
        ("created", a_creation), ("renamed", a_new_name), ("restarted", a_restart), ("died", an_end),
        ("oom", want_of_memory), ("unhealthy", bad_health),
    ],
)  # fmt: skip
def test_it_is_told_within_a_second(docker: Engine, kind: str, prepare: Callable[[Engine, Watched, str], Act]) -> None:
    """The median, as a machine that tests run on has moments of its own."""
    delays = []
    with watching(docker) as watched:
        watched.until_known()
        for number in range(7):
            act = prepare(docker, watched, f"c{number}")
            act()
            done = time.monotonic()
            watched.until_told(kind, f"c{number}")
            delays.append(time.monotonic() - done)
            docker.clear()
    assert statistics.median(delays) < SOON_SECONDS, delays


def test_a_restart_by_hand(engine: Engine) -> None:
    container = engine.run("web", IDLE)
    with watching(engine) as watched:
        first = watched.until_known("web")["web"]
        watched.until_read("web")
        container.restart(timeout=0)
        watched.until_told("restarted", "web")
        wait_until("a new start", lambda: watched.facts()["web"].started_at != first.started_at)
        watched.until_read("web")  # of the new process


def test_a_restart_by_policy(docker: Engine) -> None:
    container = docker.run("loop", ["sh", "-c", "sleep 1; exit 3"], restart_policy={"Name": "always"})
    with watching(docker) as watched:
        watched.until_known("loop")
        assert watched.until_told("died", "loop").attributes == {"exit_code": 3}
        assert watched.until_told("restarted", "loop").attributes["restarts"] >= 1
        assert (watched.until_known("loop")["loop"].restarts or 0) >= 1
        wait_until("its metric", lambda: (item := watched.read().get("loop")) is not None and item.restarts)
        container.remove(force=True)


def test_a_limit_that_it_gets_while_it_runs(docker: Engine) -> None:
    container = docker.run("web", BUSY)
    with watching(docker) as watched:
        before = watched.until_read("web")["web"]
        assert (before.throttled_percent, before.memory_percent) == (None, None)
        container.update(cpu_period=100_000, cpu_quota=10_000, mem_limit="64m", memswap_limit="64m")
        wait_until("the limits", lambda: watched.facts()["web"].cpu_limit_cores == 0.1)
        assert watched.facts()["web"].memory_limit_bytes == 64 << 20
        wait_until("held back", lambda: (watched.read()["web"].throttled_percent or 0) > 0)
        assert watched.read()["web"].memory_percent is not None


def test_health(docker: Engine) -> None:
    check = {"test": ["CMD", "test", "-e", "/tmp/well"], "interval": SECOND, "timeout": 5 * SECOND, "retries": 1}
    container = docker.run("web", ["sh", "-c", "touch /tmp/well; sleep 600"], healthcheck=check)
    with watching(docker) as watched:
        watched.until_known("web")
        wait_until("healthy", lambda: watched.facts()["web"].health == "healthy")
        assert watched.facts()["web"].status == "Up (healthy)"
        container.exec_run(["rm", "/tmp/well"])
        watched.until_told("unhealthy", "web")
        wait_until("unhealthy", lambda: watched.facts()["web"].health == "unhealthy")
        assert wait_until("its health", lambda: watched.read().get("web")).health == "unhealthy"
        container.exec_run(["touch", "/tmp/well"])
        watched.until_told("healthy", "web")


def test_health_at_podman(networked_podman: Engine) -> None:
    """Its checks are made by systemd's timers, or by whoever asks for one as is done here."""
    check = {"test": ["CMD", "test", "-e", "/tmp/well"], "interval": SECOND, "timeout": 5 * SECOND, "retries": 1}
    container = networked_podman.run("web", ["sh", "-c", "touch /tmp/well; sleep 600"], healthcheck=check)
    url = f"{networked_podman.client.api.base_url}/v4.0.0/libpod/containers/{container.id}/healthcheck"

    def is_found(health: str) -> bool:
        networked_podman.client.api.get(url, timeout=10).raise_for_status()
        return watched.facts()["web"].health == health

    with watching(networked_podman) as watched:
        assert watched.until_known("web")["web"].health == "starting"
        wait_until("healthy", lambda: is_found("healthy"))
        assert watched.facts()["web"].status == "Up (healthy)"
        container.exec_run(["rm", "/tmp/well"])
        wait_until("unhealthy", lambda: is_found("unhealthy"))
        watched.until_told("unhealthy", "web")
        assert wait_until("its health", lambda: watched.read().get("web")).health == "unhealthy"
        container.exec_run(["touch", "/tmp/well"])
        wait_until("healthy again", lambda: is_found("healthy"))
        wait_until("told again", lambda: watched.told().count(("healthy", "web")) == 2)
        for _ in range(3):
            assert is_found("healthy")
        networked_podman.run("last", IDLE)
        watched.until_told("started", "last")
        health = [kind for kind, name in watched.told() if name == "web"]
        assert health == ["healthy", "unhealthy", "healthy"]


def test_the_end_for_want_of_memory(docker: Engine) -> None:
    with watching(docker) as watched:
        watched.until_known()
        docker.run("hungry", ["sh", "-c", "exec tail /dev/zero"], mem_limit="16m")
        assert watched.until_told("died", "hungry").attributes == {"exit_code": 137}
        watched.until_told("oom", "hungry")
        assert watched.told().count(("oom", "hungry")) == 1


def test_the_end_of_one_of_its_processes_for_want_of_memory(docker: Engine) -> None:
    """The container goes on; whatever its engine says of that, it is told once."""
    with watching(docker) as watched:
        docker.run("patient", ["sh", "-c", "sleep 1; tail /dev/zero; sleep 600"], mem_limit="16m")
        watched.until_known("patient")
        wait_until("the kernel's count", lambda: (found := watched.read().get("patient")) and found.oom_kills)
        watched.until_told("oom", "patient")
        assert ("died", "patient") not in watched.told()
        assert watched.told().count(("oom", "patient")) == 1


def pauses(container: Any) -> bool:
    """Runc gives up freezing what is busy on a busy machine, and says so; another try does it."""
    try:
        container.pause()
    except APIError as error:
        if "unable to freeze" not in str(error):
            raise
        return False
    return True


def test_what_is_paused_is_read_on(docker: Engine) -> None:
    container = docker.run("web", BUSY, nano_cpus=100_000_000)
    with watching(docker) as watched:
        watched.until_read("web")
        wait_until("the engine pauses it", lambda: pauses(container))
        wait_until("paused", lambda: watched.facts()["web"].state == "paused")
        assert watched.facts()["web"].status == "Up (Paused)"
        wait_until("still", lambda: watched.read()["web"].cpu_percent == 0)
        container.unpause()
        wait_until("running", lambda: watched.facts()["web"].state == "running")


def test_excluded_ones_are_not_told_of_at_all(docker: Engine) -> None:
    docker.run("tmp-1", IDLE)
    with watching(docker, exclude_containers=("tmp-*",)) as watched:
        docker.run("tmp-2", IDLE).kill()
        docker.run("web", IDLE)
        watched.until_known("web")
        watched.until_told("started", "web")
        watched.until_read("web")
        assert set(watched.read()) == {"web"}
        assert {name for _, name in watched.told()} == {"web"}


def test_two_hundred_come_and_go_and_leave_nothing(docker: Engine) -> None:
    """Every fifth is started too, which takes an engine a quarter of a second."""

    def live(number: int) -> None:
        container: Any = docker.create(f"c{number}", IDLE if number % 5 == 0 else ["true"])
        if number % 5 == 0:
            container.start()
        container.remove(force=True)

    docker.run("stays", IDLE)
    with watching(docker) as watched:
        watched.until_read("stays")
        before = open_files()
        with ThreadPoolExecutor(4) as pool:
            for _ in pool.map(live, range(200)):
                watched.read()
        watched.until_known("stays")
        watched.read()
        assert open_files() <= before + 4  # connections of the engine's own client, which are kept
        assert len(watched.collector._runs) == 1
        told = watched.told()
    assert sum(kind == "created" for kind, _ in told) == 200
    assert sum(kind == "removed" for kind, _ in told) == 200
