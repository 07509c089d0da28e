"""The main job with the installed programs: enrol, stream, look; then the hub dies and comes back."""

import itertools
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beszel_protocol.timestamps import parse_timestamp
from tests.support.databases import contents
from tests.support.programs import clean_environment, program, run_json, wait_until
from tests.support.site import Site, open_site

pytestmark = pytest.mark.system

LONGEST_STEP_MS = 1500
"""Between two samples of an agent at one second; a missing one makes 2000."""

OUTAGE_MS = 4000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened


def memory_total_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def uptime_seconds() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def longest_step_ms(instants_ms: list[int]) -> int:
    return max(later - earlier for earlier, later in itertools.pairwise(instants_ms))


def sample_instants_ms(site: Site, token: str) -> list[int]:
    records = site.list_all("metrics", token, filter="type = 'cpu'", sort="timestamp")
    return [parse_timestamp(record["timestamp"].replace(" ", "T")) for record in records]


def find_up(site: Site, token: str, name: str) -> dict[str, Any] | None:
    found = [system for system in site.status(token) if system["name"] == name]
    return found[0] if found and found[0]["status"] == "up" and found[0].get("cpu_percent") is not None else None


def test_from_enrolment_to_numbers_and_through_a_crash(site: Site) -> None:
    enrolled = site.enrol("web-1")
    assert set(enrolled) >= {"system_id", "key", "token", "hub_url"}
    assert enrolled["hub_url"] == site.url
    agent = site.start_agent(enrolled)
    token = site.create_token()

    # Live numbers that agree with the kernel's own.
    system = wait_until("web-1 is up", lambda: find_up(site, token, "web-1"))
    assert 0 <= system["cpu_percent"] <= 100
    assert 0 < system["memory_percent"] < 100
    assert system["uptime_seconds"] == pytest.approx(uptime_seconds(), abs=10)
    details = site.get(f"/api/collections/system_details/records/{enrolled['system_id']}", token)
    assert details["hostname"] == platform.node()
    assert details["memory"] == pytest.approx(memory_total_bytes(), rel=0.05)
    assert details["threads"] == os.cpu_count()

    wait_until("five samples are stored", lambda: len(sample_instants_ms(site, token)) >= 5)

    # The hub dies without a word; what the agent reads meanwhile is kept for it.
    site.hub.kill()
    died_ms = now_ms()
    wait_until("the outage lasts four samples", lambda: now_ms() > died_ms + OUTAGE_MS)
    site.start_hub()
    wait_until(
        "samples from after the outage are stored",
        lambda: max(sample_instants_ms(site, token)) > died_ms + OUTAGE_MS + 1000,
        timeout_seconds=40,
    )
    wait_until("the outage is filled", lambda: longest_step_ms(sample_instants_ms(site, token)) <= LONGEST_STEP_MS)
    instants = sample_instants_ms(site, token)
    assert len(set(instants)) == len(instants)
    assert min(instants) < died_ms
    assert agent.is_running

    # An orderly end.
    assert agent.terminate(timeout_seconds=2) == 0, agent.text()
    assert site.hub.terminate(timeout_seconds=2) == 0, site.hub.text()
    assert b"web-1" in contents(site.data_dir / "data.db")
    assert "Traceback" not in site.hub.text()
    assert "Traceback" not in agent.text()


def test_one_sample_is_the_documented_one(tmp_path: Path) -> None:
    sample = run_json([program("beszel-agent"), "once", "--json"], clean_environment(tmp_path, DATA_DIR=str(tmp_path)))
    assert sample["type"] == "sample"
    metrics = sample["metrics"]
    assert metrics["memory"]["total_bytes"] == pytest.approx(memory_total_bytes(), rel=0.05)
    assert len(metrics["cpu"]["cores_percent"]) == os.cpu_count()
    root = os.statvfs("/")
    assert metrics["disk"]["/"]["total_bytes"] == root.f_blocks * root.f_frsize
    assert metrics["uptime_seconds"] == pytest.approx(uptime_seconds(), abs=10)
    load = [float(word) for word in Path("/proc/loadavg").read_text().split()[:3]]
    assert metrics["cpu"]["load_average"] == pytest.approx(load, abs=1.0)
