"""systemd's units over a real bus: counts, each unit, one in detail, and everything that can go wrong."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from beszel_agent.collectors.service_units import ServiceUnitsCollector
from beszel_agent.collectors.services import ServicesCollector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, RequestRefused
from beszel_agent.services import bus
from beszel_agent.services.detail import detail_service
from beszel_protocol.sample import ServiceMetrics, ServiceUnitMetrics
from tests.support.fakesystemd import DAEMON, FakeSystemd, host_below, systemd_on_a_bus, unit_row

pytestmark = pytest.mark.skipif(DAEMON is None, reason="needs dbus-daemon")


@pytest.fixture(name="systemd")
def start_systemd(tmp_path: Path) -> Iterator[FakeSystemd]:
    with systemd_on_a_bus(tmp_path) as systemd:
        yield systemd


def counts(collector: ServicesCollector) -> ServiceMetrics | None:
    return collector.collect(0.0).services


def units(collector: ServiceUnitsCollector, now: float) -> dict[str, ServiceUnitMetrics]:
    services = collector.collect(now).services
    assert services is not None
    return services.units or {}


def make_group(root: Path, path: str, cpu_us: int, memory_bytes: int) -> None:
    group = root / "sys" / "fs" / "cgroup" / path
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.stat").write_text(f"usage_usec {cpu_us}\nuser_usec 1\nsystem_usec 2\n")
    (group / "memory.current").write_text(f"{memory_bytes}\n")


def test_total_and_failed(systemd: FakeSystemd, tmp_path: Path) -> None:
    systemd.units = [
        unit_row("nginx.service"),
        unit_row("postgres.service", "failed", "failed"),
        unit_row("never.service", "inactive", "dead"),
        unit_row("boot.service", "active", "exited"),
    ]
    collector = ServicesCollector.probe(host_below(tmp_path), Config())
    assert counts(collector) == ServiceMetrics(total=3, failed=1)
    systemd.units[0] = unit_row("nginx.service", "inactive", "dead")  # it was stopped, and still belongs here
    assert counts(collector) == ServiceMetrics(total=3, failed=1)
    del systemd.units[0]  # its unit is gone altogether
    assert counts(collector) == ServiceMetrics(total=2, failed=1)


def test_the_patterns_of_the_owner_are_what_is_asked_for(systemd: FakeSystemd, tmp_path: Path) -> None:
    for patterns in ((), ("nginx", "backup.timer", "*-db.service")):
        ServicesCollector.probe(host_below(tmp_path), Config(service_patterns=patterns)).collect(0.0)
    assert systemd.arguments == [
        (["loaded"], ["*.service"]),
        (["loaded"], ["nginx.service", "backup.timer", "*-db.service"]),
    ]


def test_a_connection_is_kept_and_made_anew_when_the_bus_restarts(tmp_path: Path) -> None:
    with systemd_on_a_bus(tmp_path) as systemd:
        systemd.units = [unit_row("a.service")]
        collector = ServicesCollector.probe(host_below(tmp_path), Config())
        assert counts(collector) == counts(collector) == ServiceMetrics(total=1, failed=0)
    with pytest.raises(OSError, match=r"closed|reset|Broken|refused|No such"):
        collector.collect(0.0)
    (tmp_path / "run" / "dbus" / "system_bus_socket").unlink(missing_ok=True)
    (tmp_path / "run" / "dbus").rmdir()
    (tmp_path / "run" / "systemd" / "system").rmdir()
    (tmp_path / "run" / "systemd").rmdir()
    with systemd_on_a_bus(tmp_path) as systemd:
        systemd.units = [unit_row("a.service"), unit_row("b.service", "failed", "failed")]
        assert counts(collector) == ServiceMetrics(total=2, failed=1)


def test_each_unit_with_what_it_uses(systemd: FakeSystemd, tmp_path: Path) -> None:
    cpus = tmp_path / "sys" / "devices" / "system" / "cpu"
    cpus.mkdir(parents=True)
    (cpus / "online").write_text("0-3\n")
    systemd.units = [unit_row("nginx.service"), unit_row("old.service", "failed", "failed")]
    systemd.properties = {"nginx.service": {"NRestarts": ("u", 2)}}
    make_group(tmp_path, "system.slice/nginx.service", 1_000_000, 4096)
    collector = ServiceUnitsCollector.probe(host_below(tmp_path), Config())
    first = units(collector, 0.0)
    assert first["nginx"] == ServiceUnitMetrics(state="active", sub_state="running", memory_bytes=4096, restarts=2)
    assert first["old"] == ServiceUnitMetrics(state="failed", sub_state="failed")
    make_group(tmp_path, "system.slice/nginx.service", 7_000_000, 8192)
    second = units(collector, 30.0)["nginx"]
    assert (second.cpu_percent, second.memory_bytes) == (5.0, 8192)
    assert systemd.asked.count("Get") == 2  # restarts are asked of what changed only


def test_a_restart_is_no_giant_rate_and_is_counted(systemd: FakeSystemd, tmp_path: Path) -> None:
    systemd.units = [unit_row("a.service")]
    systemd.properties = {"a.service": {"NRestarts": ("u", 0)}}
    make_group(tmp_path, "system.slice/a.service", 9_000_000, 1)
    collector = ServiceUnitsCollector.probe(host_below(tmp_path), Config())
    assert units(collector, 0.0)["a"].restarts == 0
    group = tmp_path / "sys" / "fs" / "cgroup" / "system.slice" / "a.service"
    group.rename(group.with_name("was"))
    make_group(tmp_path, "system.slice/a.service", 9_500_000, 1)
    systemd.properties = {"a.service": {"NRestarts": ("u", 1)}}
    after = units(collector, 30.0)["a"]
    assert (after.cpu_percent, after.restarts) == (None, 1)


def test_names_are_unescaped_and_groups_found_in_any_slice(systemd: FakeSystemd, tmp_path: Path) -> None:
    r"""A dash stands in a unit's name as `\x2d`, and so it was shown."""
    name = r"dev-disk-by\x2duuid.service"
    systemd.units = [unit_row(name), unit_row("backup.timer", "active", "waiting"), unit_row("\x1b[1mx.service")]
    make_group(tmp_path, f"system.slice/system-dev.slice/{name}", 1, 77)
    found = units(ServiceUnitsCollector.probe(host_below(tmp_path), Config()), 0.0)
    assert set(found) == {"dev-disk-by-uuid", "backup.timer", "[1mx"}
    assert found["dev-disk-by-uuid"].memory_bytes == 77


def test_one_in_detail(systemd: FakeSystemd, tmp_path: Path) -> None:
    systemd.units = [unit_row("nginx.service")]
    systemd.properties = {
        "nginx.service": {
            "Description": ("s", "A web server\x1b[31m"),
            "ActiveState": ("s", "active"),
            "MainPID": ("u", 4121),
            "MemoryCurrent": ("t", 4096),
            "MemoryMax": ("t", 2**64 - 1),
            "CPUUsageNSec": ("t", 1_500_000_000),
            "NRestarts": ("u", 3),
            "ActiveEnterTimestamp": ("t", 1_795_348_800_000_000),
            "Environment": ("as", ["PASSWORD=secret"]),
            "Result": ("i", 7),
        }
    }
    paths = host_below(tmp_path)
    for name in ("nginx", "nginx.service"):
        detail = asyncio.run(detail_service(paths, Config(), {"name": name}))
        assert (detail.unit, detail.description, detail.state) == ("nginx.service", "A web server[31m", "active")
        assert (detail.main_pid, detail.memory_bytes, detail.memory_limit_bytes) == (4121, 4096, None)
        assert (detail.cpu_seconds, detail.restarts, detail.result) == (1.5, 3, None)
        assert detail.active_since == "2026-11-22T12:00:00.000Z"
        assert "secret" not in str(detail)


@pytest.mark.parametrize(
    ("params", "config", "code"),
    [
        ({"name": "sshd"}, Config(), "unknown_service"),
        ({}, Config(), "bad_params"),
        ({"name": 7}, Config(), "bad_params"),
        ({"name": "nginx"}, Config(skip_systemd=True), "unavailable"),
    ],
)
def test_what_cannot_be_detailed(
    systemd: FakeSystemd, tmp_path: Path, params: dict[str, object], config: Config, code: str
) -> None:
    systemd.units = [unit_row("nginx.service")]
    with pytest.raises(RequestRefused) as caught:
        asyncio.run(detail_service(host_below(tmp_path), config, params))
    assert caught.value.code == code


def test_one_that_never_answers_is_given_up(
    systemd: FakeSystemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "TIMEOUT_SECONDS", 0.2)
    systemd.answers["ListUnitsByPatterns"] = lambda: None
    collector = ServicesCollector.probe(host_below(tmp_path), Config())
    with pytest.raises(TimeoutError):
        collector.collect(0.0)
    systemd.answers.clear()
    assert counts(collector) == ServiceMetrics(total=0, failed=0)


@pytest.mark.parametrize(
    ("signature", "body"), [("s", ("no list",)), ("as", (["a"],)), ("", ()), ("a(ss)", ([("a", "b")],)), ("i", (1,))]
)
def test_nonsense_is_a_failed_reading(
    systemd: FakeSystemd, tmp_path: Path, signature: str, body: tuple[object, ...]
) -> None:
    systemd.answers["ListUnitsByPatterns"] = lambda: (signature, body)
    collector = ServicesCollector.probe(host_below(tmp_path), Config())
    with pytest.raises((ReadingFailed, ValueError, TypeError)):
        collector.collect(0.0)
