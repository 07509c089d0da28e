"""systemd's units over a real bus: counts, each unit, one in detail, and everything that can go wrong."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
from jeepney.low_level import HeaderFields

from beszel_agent.collectors.service_units import ServiceUnitsCollector
from beszel_agent.collectors.services import ServicesCollector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, RequestRefused
from beszel_agent.services import bus, watch
from beszel_agent.services.detail import detail_service
from beszel_protocol.sample import ServiceMetrics, ServiceUnitMetrics
from tests.support.fakesystemd import DAEMON, FakeSystemd, host_below, serving, systemd_on_a_bus, unit_row
from tests.support.programs import wait_until

pytestmark = pytest.mark.skipif(DAEMON is None, reason="needs dbus-daemon")


@pytest.fixture(name="systemd")
def start_systemd(tmp_path: Path) -> Iterator[FakeSystemd]:
    with systemd_on_a_bus(tmp_path) as systemd:
        yield systemd


@pytest.fixture(name="collector")
def make_collector(systemd: FakeSystemd, tmp_path: Path) -> Iterator[ServicesCollector]:
    assert systemd.units == []
    collector = ServicesCollector.probe(host_below(tmp_path), Config())
    yield collector
    collector.stop()


def counts(collector: ServicesCollector) -> ServiceMetrics:
    """As soon as they are known."""

    def look() -> ServiceMetrics | None:
        try:
            return collector.collect(0.0).services
        except ReadingFailed:
            return None

    return wait_until("systemd listed its units", look)


def until(collector: ServicesCollector, total: int, failed: int) -> None:
    wait_until(f"{failed} of {total} failed", lambda: counts(collector) == ServiceMetrics(total=total, failed=failed))


def failure(collector: ServicesCollector) -> str:
    """Why there is no reading, as soon as there is none."""

    def look() -> str | None:
        try:
            collector.collect(0.0)
        except ReadingFailed as error:
            return str(error)
        return None

    return wait_until("the reading fails", look)


def turns(collector: ServicesCollector) -> list[tuple[str, str, str]]:
    with suppress(ReadingFailed):
        collector.collect(0.0)
    return [(turn.unit, turn.before, turn.after) for turn in collector.take_turns()]


def units(collector: ServiceUnitsCollector, now: float) -> dict[str, ServiceUnitMetrics]:
    services = collector.collect(now).services
    assert services is not None
    return services.units or {}


def make_group(root: Path, path: str, cpu_us: int, memory_bytes: int) -> None:
    group = root / "sys" / "fs" / "cgroup" / path
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.stat").write_text(f"usage_usec {cpu_us}\nuser_usec 1\nsystem_usec 2\n")
    (group / "memory.current").write_text(f"{memory_bytes}\n")


def test_total_and_failed(systemd: FakeSystemd, collector: ServicesCollector) -> None:
    systemd.units = [
        unit_row("nginx.service"),
        unit_row("postgres.service", "failed", "failed"),
        unit_row("never.service", "inactive", "dead"),
        unit_row("boot.service", "active", "exited"),
    ]
    assert counts(collector) == ServiceMetrics(total=3, failed=1)
    systemd.turn("nginx.service", "inactive", "dead")  # it was stopped, and still belongs here
    systemd.turn("boot.service", "failed", "failed")
    until(collector, 3, 2)
    systemd.remove("nginx.service")  # its unit is gone altogether
    until(collector, 2, 2)
    systemd.turn("new.service", "active", "running")
    systemd.turn("other.timer", "active", "waiting")  # nobody's pattern
    systemd.turn("idle.service", "inactive", "dead")
    until(collector, 3, 2)
    assert systemd.asked.count("ListUnitsByPatterns") == 1


def test_what_failed_and_what_recovered(systemd: FakeSystemd, collector: ServicesCollector) -> None:
    systemd.units = [unit_row("a.service"), unit_row("b.service", "failed", "failed"), unit_row("c.service")]
    counts(collector)
    assert turns(collector) == []  # what is there at first has not changed
    for name, states in {"a.service": ("failed", "activating", "failed", "activating", "active"),
                         "b.service": ("inactive",), "c.service": ("failed",)}.items():  # fmt: skip
        for state in states:
            systemd.turn(name, state, "")
    systemd.turn("new.service", "failed", "failed")
    until(collector, 4, 2)
    systemd.remove("c.service")
    until(collector, 3, 1)
    assert turns(collector) == [
        ("a.service", "active", "failed"),
        ("a.service", "failed", "active"),
        ("b.service", "failed", "inactive"),
        ("c.service", "active", "failed"),
        ("new.service", "unseen", "failed"),
        ("c.service", "failed", "gone"),
    ]
    assert turns(collector) == []


def test_a_reload_and_what_no_signal_told_are_found_in_the_list(
    systemd: FakeSystemd, collector: ServicesCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LIST_SECONDS", 0.1)
    systemd.units = [unit_row("a.service")]
    assert counts(collector) == ServiceMetrics(total=1, failed=0)
    systemd.units = [unit_row("a.service", "failed", "failed")]
    until(collector, 1, 1)
    assert turns(collector) == [("a.service", "active", "failed")]
    monkeypatch.setattr(watch, "LIST_SECONDS", 600.0)
    systemd.turn("a.service", "active", "running")
    until(collector, 1, 0)
    systemd.units = [unit_row("b.service")]
    systemd.tell_manager("Reloading", "b", (True,))
    systemd.tell_manager("Reloading", "b", (False,))
    wait_until("it is listed", lambda: systemd.asked.count("ListUnitsByPatterns") > 2)
    until(collector, 1, 0)


def test_an_impostor_is_not_listened_to(systemd: FakeSystemd, collector: ServicesCollector, tmp_path: Path) -> None:
    systemd.units = [unit_row("a.service"), unit_row("b.service")]
    counts(collector)
    address = tmp_path / "run" / "dbus" / "system_bus_socket"
    impostor = FakeSystemd()
    with open_dbus_connection(f"unix:path={address}") as connection:
        bystanders = connection.send_and_get_reply(message_bus.ListNames()).body[0]
        for name in (name for name in bystanders if name.startswith(":")):
            told = impostor.turned("a.service", "failed", "failed")
            told.header.fields[HeaderFields.destination] = name
            connection.send(told)
        connection.send_and_get_reply(message_bus.ListNames())
    systemd.turn("b.service", "failed", "failed")
    until(collector, 2, 1)
    assert turns(collector) == [("b.service", "active", "failed")]


def test_systemd_that_executed_itself_anew_is_followed(
    systemd: FakeSystemd, collector: ServicesCollector, tmp_path: Path
) -> None:
    systemd.units = [unit_row("a.service")]
    counts(collector)
    systemd.is_leaving.set()
    with serving(tmp_path / "run" / "dbus" / "system_bus_socket") as successor:
        successor.units = [unit_row("a.service"), unit_row("b.service", "failed", "failed")]
        until(collector, 2, 1)
        successor.turn("a.service", "failed", "failed")
        until(collector, 2, 2)
        assert "Subscribe" in successor.asked


def test_without_signals_there_is_the_list(systemd: FakeSystemd, collector: ServicesCollector) -> None:
    def refuse() -> None:
        raise KeyError

    systemd.answers["Subscribe"] = refuse
    systemd.units = [unit_row("a.service")]
    assert counts(collector) == ServiceMetrics(total=1, failed=0)


def test_the_patterns_of_the_owner_are_what_is_asked_for(systemd: FakeSystemd, tmp_path: Path) -> None:
    for patterns in ((), ("nginx", "backup.timer", "*-db.service")):
        counts(ServicesCollector.probe(host_below(tmp_path), Config(service_patterns=patterns)))
    assert [arguments for arguments in systemd.arguments if arguments] == [
        (["loaded"], ["*.service"]),
        (["loaded"], ["nginx.service", "backup.timer", "*-db.service"]),
    ]


def test_the_name_of_a_unit_from_its_path() -> None:
    for name in ("a-b.service", r"dev-disk-by\x2duuid.service", "getty@tty1.service", "é.service"):
        assert watch.unit_name(unit_row(name)[6] if name.isascii() else "_c3_a9_2eservice") == name
    assert watch.unit_name("x_zz") == "x_zz"


def test_a_connection_is_made_anew_when_the_bus_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "FIRST_PAUSE_SECONDS", 0.05)
    with systemd_on_a_bus(tmp_path) as systemd:
        systemd.units = [unit_row("a.service"), unit_row("b.service")]
        collector = ServicesCollector.probe(host_below(tmp_path), Config())
        assert counts(collector) == counts(collector) == ServiceMetrics(total=2, failed=0)
    assert re.search("closed|reset|Broken|refused|No such", failure(collector))
    (tmp_path / "run" / "dbus" / "system_bus_socket").unlink(missing_ok=True)
    (tmp_path / "run" / "dbus").rmdir()
    (tmp_path / "run" / "systemd" / "system").rmdir()
    (tmp_path / "run" / "systemd").rmdir()
    with systemd_on_a_bus(tmp_path) as systemd:
        systemd.units = [unit_row("a.service"), unit_row("b.service", "failed", "failed")]
        until(collector, 2, 1)
    assert turns(collector)[-1] == ("b.service", "active", "failed")  # it happened meanwhile
    collector.stop()


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
    systemd: FakeSystemd, collector: ServicesCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(watch, "FIRST_PAUSE_SECONDS", 0.05)
    systemd.answers["ListUnitsByPatterns"] = lambda: None
    assert "timed out" in failure(collector)
    systemd.answers.clear()
    monkeypatch.setattr(bus, "TIMEOUT_SECONDS", 5.0)
    until(collector, 0, 0)


@pytest.mark.parametrize(
    ("signature", "body"), [("s", ("no list",)), ("as", (["a"],)), ("", ()), ("a(ss)", ([("a", "b")],)), ("i", (1,))]
)
def test_nonsense_is_a_failed_reading(
    systemd: FakeSystemd, collector: ServicesCollector, signature: str, body: tuple[object, ...]
) -> None:
    systemd.answers["ListUnitsByPatterns"] = lambda: (signature, body)
    assert failure(collector)
