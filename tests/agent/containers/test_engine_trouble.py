"""Engines that go away, come back, hang, or are reached by other ways; no sample waits for any of them."""

import time
from pathlib import Path

import pytest

from beszel_agent.config import Config
from beszel_agent.settings import EngineHost
from tests.support.certificates import make_certificates
from tests.support.engines import IDLE, Engine, Watched
from tests.support.programs import wait_until
from tests.support.proxies import tcp_proxy, unix_proxy

pytestmark = pytest.mark.system

TIMEOUT_SECONDS = 0.5
"""Of the engine's client where it hangs."""


def read_swiftly(watched: Watched) -> set[str]:
    """A reading that waited for the engine would take its time-out each time, whatever else the machine has to do."""
    took: list[float] = []
    found: set[str] = set()
    for _ in range(5):
        started = time.monotonic()
        found = set(watched.read())
        took.append(time.monotonic() - started)
    assert min(took) < TIMEOUT_SECONDS / 2
    return found


def test_what_happened_while_the_engine_was_away_is_told(docker: Engine, tmp_path: Path) -> None:
    doomed, kept = docker.run("doomed", IDLE), docker.run("kept", IDLE)
    place = tmp_path / "engine.sock"
    watched = Watched(Config(docker_host=(EngineHost("unix", str(place)),)))
    try:
        with unix_proxy(place, docker.socket):
            watched.until_known("doomed", "kept")
            watched.until_read("doomed", "kept")
        wait_until("a problem", lambda: watched.host.problems() or None)
        assert "doomed" in read_swiftly(watched)  # its cgroup is there, whoever made it
        doomed.remove(force=True)
        kept.rename("renamed")
        docker.run("new", IDLE)
        assert "doomed" not in read_swiftly(watched)
        with unix_proxy(place, docker.socket):
            watched.until_known("renamed", "new")
            assert {("removed", "doomed"), ("renamed", "renamed"), ("created", "new"), ("started", "new")} <= set(
                watched.told()
            )
            watched.until_read("renamed", "new")
    finally:
        watched.stop()


def test_an_engine_that_hangs_costs_no_sample_its_time(docker: Engine, tmp_path: Path) -> None:
    docker.run("web", IDLE)
    place = tmp_path / "engine.sock"
    watched = Watched(Config(docker_host=(EngineHost("unix", str(place)),), docker_timeout=TIMEOUT_SECONDS))
    try:
        with unix_proxy(place, docker.socket) as proxy:
            watched.until_read("web")
            proxy.is_silent = True
            proxy.break_all()
            wait_until("a problem", lambda: any("in time" in text for text in watched.host.problems()))
            assert read_swiftly(watched) == {"web"}
            proxy.is_silent = False
            docker.run("later", IDLE)
            watched.until_known("web", "later")
    finally:
        watched.stop()


def test_a_broken_stream_is_opened_again(docker: Engine, tmp_path: Path) -> None:
    place = tmp_path / "engine.sock"
    watched = Watched(Config(docker_host=(EngineHost("unix", str(place)),)))
    try:
        with unix_proxy(place, docker.socket) as proxy:
            watched.until_known()
            proxy.break_all()
            wait_until("a problem", lambda: watched.host.problems() or None)
            docker.run("web", IDLE)
            watched.until_told("started", "web")
    finally:
        watched.stop()


def test_several_engines_at_once(docker: Engine, podman: Engine) -> None:
    docker.run("web", IDLE)
    podman.run("web", IDLE)
    podman.run("db", IDLE)
    watched = Watched(Config(docker_host=(docker.host, podman.host, EngineHost("unix", "/nowhere/docker.sock"))))
    try:
        found = wait_until("all of them", lambda: f if len(f := watched.facts()) == 3 else None)
        assert {(item.name, item.engine) for item in found.values()} == {
            ("web", "docker"), ("web (podman)", "podman"), ("db", "podman")
        }  # fmt: skip
        assert watched.host.problems() == ["unix:///nowhere/docker.sock: its socket is gone"]
        watched.until_read("web", "web (podman)", "db")
    finally:
        watched.stop()


def test_over_tcp(docker: Engine) -> None:
    docker.run("web", IDLE)
    with tcp_proxy(docker.socket) as port:
        watched = Watched(Config(docker_host=(EngineHost("tcp", f"127.0.0.1:{port}"),)))
        try:
            watched.until_known("web")
        finally:
            watched.stop()


def test_over_tls_with_a_certificate_that_is_checked(docker: Engine, tmp_path: Path) -> None:
    docker.run("web", IDLE)
    certificates = make_certificates(tmp_path)
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    make_certificates(stranger)
    with tcp_proxy(docker.socket, certificates.server) as port:
        host = EngineHost("tcp", f"127.0.0.1:{port}")
        watched = Watched(Config(docker_host=(host,), docker_cert_path=str(tmp_path)))
        doubting = Watched(Config(docker_host=(host,), docker_cert_path=str(stranger)))
        try:
            watched.until_known("web")
            wait_until("a refusal", lambda: any("CERTIFICATE" in text for text in doubting.host.problems()))
            assert doubting.facts() == {}
        finally:
            watched.stop()
            doubting.stop()
