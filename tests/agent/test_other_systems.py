"""The agent under macOS, FreeBSD and Windows: what it reads there, and why it does not read the rest."""

import asyncio
import functools
import hashlib
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from beszel_agent.collectors import COLLECTORS
from beszel_protocol.messages import Sample, decode_from_agent
from beszel_protocol.sample import Metrics
from tests.support.linkhub import LinkHub, openssh_key
from tests.support.otherhosts import SYSTEMS, UUID, run_there
from tests.support.otherpsutil import GIB
from tests.support.programs import clean_environment

READ_EVERYWHERE = {"batteries", "cpu", "disk_io", "filesystems", "logins", "memory", "network", "processes", "uptime"}
READ_ALSO = {"darwin": {"load"}, "freebsd": {"load", "temperatures"}, "windows": {"service_units", "services"}}
NAMES = {"darwin": "macOS", "freebsd": "FreeBSD", "windows": "Windows"}
NEED_LINUX = {
    "arrays", "emmc", "fans", "gpus", "kernel", "pools", "pressure", "scheduler", "stalls",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@functools.cache
def collectors(system: str, home: Path) -> dict[str, dict[str, Any]]:
    finished = run_there(system, "collectors", "--json", environment=clean_environment(home, PATH="/nowhere"))
    assert (finished.returncode, finished.stderr) == (0, "")
    return {report["name"]: report for report in json.loads(finished.stdout)}


@functools.cache
def sample(system: str, home: Path, **settings: str) -> Metrics:
    finished = run_there(system, "once", "--json", environment=clean_environment(home, PATH="/nowhere", **settings))
    assert (finished.returncode, finished.stderr) == (0, "")
    decoded = decode_from_agent(finished.stdout)
    assert isinstance(decoded, Sample)
    return decoded.metrics


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_runs_there_and_why_the_rest_does_not(system: str, home: Path) -> None:
    reports = collectors(system, home)
    assert list(reports) == [*(collector.name for collector in COLLECTORS), "checks"]
    assert "ping" not in reports["checks"]["reason"]  # no grant is known to be missing there
    running = {name for name, report in reports.items() if report["state"] == "running"}
    assert running == READ_EVERYWHERE | READ_ALSO[system]
    assert all(reports[name]["reason"] for name in reports.keys() - running)
    for name in NEED_LINUX:
        assert reports[name]["reason"] in {
            f"it needs Linux's /proc, and this is {NAMES[system]}",
            f"it needs Linux's /sys, and this is {NAMES[system]}",
        }


def test_what_other_users_processes_take_up_may_need_a_right(home: Path) -> None:
    reasons = {system: collectors(system, home)["processes"]["reason"] for system in SYSTEMS}
    root = "what processes of other users take up needs root"
    assert reasons == {
        "darwin": root, "freebsd": root, "windows": "what processes of other users take up needs an administrator",
    }  # fmt: skip


def test_windows_keeps_no_load_average(home: Path) -> None:
    assert collectors("windows", home)["load"]["reason"] == "Windows keeps no load average"


def test_which_disk_is_the_systems_has_to_be_said_where_nobody_can_tell(home: Path) -> None:
    assert collectors("windows", home)["disk_io"]["reason"] == (
        "psutil does not tell what is on PhysicalDrive0, PhysicalDrive1; FILESYSTEM names the disk of the system"
    )
    disk = sample("windows", home, FILESYSTEM="PhysicalDrive1").disk
    assert disk is not None
    assert set(disk) == {"/", "E:", "PhysicalDrive0"}
    assert disk["/"].usage_percent == 40.0
    assert disk["/"].read_bytes_per_second is not None


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_sample_has_what_is_known_there_and_nothing_else(system: str, home: Path) -> None:
    metrics = sample(system, home)
    assert metrics.cpu is not None
    assert (metrics.cpu.usage_percent, metrics.cpu.cores_percent) == {
        "darwin": (40.0, [40.0, 40.0]), "freebsd": (40.0, [40.0, 40.0]), "windows": (50.0, [50.0, 50.0]),
    }[system]  # fmt: skip
    assert (metrics.cpu.iowait_percent, metrics.cpu.steal_percent) == (None, None)
    assert (metrics.cpu.load_average is None) is (system == "windows")
    assert metrics.memory is not None
    assert (metrics.memory.used_bytes, metrics.memory.cache_bytes, metrics.memory.zfs_arc_bytes) == {
        "darwin": (10 * GIB, None, None), "freebsd": (14 * GIB, GIB // 2, 6 * GIB), "windows": (6 * GIB, None, None),
    }[system]  # fmt: skip
    assert metrics.network is not None
    assert set(metrics.network.interfaces or {}) == {
        "darwin": {"en0"}, "freebsd": {"em0", "em1"}, "windows": {"Ethernet", "Wi-Fi"},
    }[system]  # fmt: skip
    assert metrics.batteries is not None
    assert (metrics.batteries["battery"].charge_percent, metrics.batteries["battery"].state) == (80.0, None)
    assert metrics.uptime_seconds is not None
    assert metrics.fans is None


@pytest.mark.parametrize(
    ("system", "names"),
    [
        ("darwin", {"/"}),
        ("freebsd", {"/", "/boot/efi", "/home", "/srv"}),
        ("windows", {"/", "E:", "PhysicalDrive0", "PhysicalDrive1"}),
    ],
)
def test_disks(system: str, names: set[str], home: Path) -> None:
    disk = sample(system, home).disk
    assert disk is not None
    assert set(disk) == names
    assert disk["/"].usage_percent == (40.0 if system == "windows" else 60.0)
    assert disk["/"].read_only == 0
    counted = disk["PhysicalDrive0" if system == "windows" else "/"]
    assert (counted.read_await_ms, counted.write_await_ms) == (0.5, 2.0)
    assert counted.queue_depth is None
    assert (counted.utilization_percent is None) is (system != "freebsd")


def test_services_of_windows_that_run_or_should(home: Path) -> None:
    """Whether one has failed nobody tells, so none is said to have."""
    services = sample("windows", home).services
    assert services is not None
    assert (services.total, services.failed) == (4, None)
    chosen = sample("windows", home, SERVICE_PATTERNS="spool*,bits").services
    assert chosen is not None
    assert chosen.total == 2


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_fingerprint_is_made_of_the_systems_own_name_of_the_host(system: str, tmp_path: Path) -> None:
    finished = run_there(
        system, "fingerprint", environment=clean_environment(tmp_path, DATA_DIR=str(tmp_path / "data"))
    )
    assert finished.stdout.strip() == hashlib.sha256(UUID.encode()).digest()[:24].hex()


@pytest.mark.system
@pytest.mark.parametrize(
    ("system", "os_name", "model", "boot_id"),
    [
        ("darwin", "macOS 15.1", "Apple M2", "1f0d6e9b-8b0d-4b57-9c3c-0a6b1c7a5e11"),
        ("freebsd", "FreeBSD 14.1-RELEASE", "AMD EPYC 7B13", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        ("windows", "Windows Server 2022", "Intel(R) Core(TM) i7-8700 CPU", "boot 171"),
    ],
)
def test_from_enrolment_to_the_end(system: str, os_name: str, model: str, boot_id: str, tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub()
        argv = [sys.executable, "-m", "tests.support.otherhosts", system]
        async with asyncio.timeout(60), hub.running():
            environment = clean_environment(
                tmp_path, KEY=openssh_key(hub.public_key), TOKEN=hub.token, HUB_URL=hub.url,
                DATA_DIR=str(tmp_path / "data"),
            )  # fmt: skip
            agent = await asyncio.create_subprocess_exec(*argv, "run", env=environment, stderr=asyncio.subprocess.PIPE)
            try:
                await hub.until("two samples", lambda: len(hub.samples) >= 2)
                health = await asyncio.create_subprocess_exec(*argv, "health", env=environment)
                # The stand-in for Windows' list of processes knows one process only.
                assert await health.wait() == (1 if system == "windows" else 0)
                agent.send_signal(signal.SIGTERM)
                _, said = await agent.communicate()
            finally:
                if agent.returncode is None:
                    agent.kill()
                    await agent.wait()
        assert agent.returncode == 0, said.decode()
        assert b"Traceback" not in said
        body = hub.enrolments[0].body
        assert (body.details.os, body.details.os_name, body.details.cpu_model) == (system, os_name, model)
        assert (body.details.cores, body.details.threads, body.boot_id) == (2, 2, boot_id)
        assert body.boot_ms > 0

    asyncio.run(main())
