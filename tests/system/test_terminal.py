"""The installed terminal client on a real screen."""

import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import clean_environment, program, run_json, wait_until
from tests.support.site import Site, open_site
from tests.support.terminal import Terminal, open_terminal

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        opened.start_agent(opened.enrol(platform.node()))
        yield opened


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    return site.create_token()


def row_of(terminal: Terminal, name: str) -> str:
    return next((line for line in terminal.text().splitlines() if name in line), "")


def cpu_readings(terminal: Terminal, name: str) -> set[str] | None:
    return set(re.findall(r"\d+(?:\.\d+)?%", row_of(terminal, name))) or None


@pytest.mark.parametrize(("columns", "rows"), [(160, 45), (80, 24), (60, 16)])
def test_the_fleet_shows_this_machine_with_moving_numbers(site: Site, token: str, columns: int, rows: int) -> None:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    name = platform.node()
    with open_terminal([program("beszel-tui")], environment, columns=columns, rows=rows) as terminal:
        terminal.wait_for(name)
        wait_until("its row has percentages", lambda: cpu_readings(terminal, name))
        seen: set[str] = set()

        def rows_seen() -> bool:
            seen.add(row_of(terminal, name))
            return len(seen) >= 3

        wait_until("the numbers move", rows_seen, timeout_seconds=30)
        terminal.send("q")
        assert terminal.wait(5) == 0


def test_a_system_opens_and_closes_again(site: Site, token: str) -> None:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    name = platform.node()
    with open_terminal([program("beszel-tui")], environment) as terminal:
        terminal.wait_for(name)
        terminal.send("\r")
        terminal.wait_for("Overview")
        terminal.wait_for("CPU")
        terminal.send("\x1b")
        terminal.wait_for("NAME")


def test_the_processes_of_this_machine(site: Site, token: str) -> None:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    name = platform.node()
    wait_until("the host is up", lambda: any(row["status"] == "up" for row in site.status(token)))
    told = run_json([program("beszel-tui"), "processes", name, "--json"], environment)
    hubs = [process for process in told["processes"] if process["pid"] == site.hub.pid]
    assert len(hubs) == 1
    assert hubs[0]["memory_bytes"] > 1 << 20
    with open_terminal([program("beszel-tui")], environment) as terminal:
        wait_until("its row has percentages", lambda: cpu_readings(terminal, name))
        terminal.wait_for("⏎ open")
        terminal.send("\r")
        terminal.wait_for("Overview")
        terminal.send(":")
        terminal.wait_for("esc cancel")
        terminal.send("tab processes\r")
        terminal.wait_for("threads")
        terminal.send("/")
        terminal.wait_for("user:postgres")
        terminal.send(f"pid={site.hub.pid}\r")
        terminal.wait_for("1 of ")
        terminal.wait_for(str(site.hub.pid))


def test_a_resize_never_garbles(site: Site, token: str) -> None:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    name = platform.node()
    with open_terminal([program("beszel-tui")], environment) as terminal:
        terminal.wait_for("TEMP")
        for columns, rows in [(60, 16), (160, 45), (80, 24)]:
            terminal.resize(columns, rows)
            terminal.wait_for(name)
            wait_until("one row a system", lambda: terminal.text().count(name) == 1)


def test_a_storm_of_resizes_ends_in_a_whole_picture(site: Site, token: str) -> None:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    name = platform.node()
    with open_terminal([program("beszel-tui")], environment) as terminal:
        terminal.wait_for("TEMP")
        for number in range(60):
            terminal.resize(40 + number * 7 % 130, 10 + number * 5 % 40)
        terminal.resize(100, 30)
        wait_until("one row a system", lambda: terminal.text().count(name) == 1)
        wait_until("the footer is the last line", lambda: "? help" in terminal.text().splitlines()[-1])


def test_the_past_of_this_machine(site: Site, token: str) -> None:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    name = platform.node()
    (system,) = site.list_all("systems", token)

    def has_history() -> bool:
        """Of some seconds, however long the agent has run before this test."""
        now_ms = time.time_ns() // 1_000_000
        told = site.get(
            "/api/beszel/series", token, system=system["id"], metric="cpu.usage_percent", to=now_ms - 3000,
            **{"from": now_ms - 60_000},
        )  # fmt: skip
        return any(value is not None for value in told["series"]["cpu.usage_percent"]["mean"])

    with open_terminal([program("beszel-tui")], environment) as terminal:
        wait_until("its row has percentages", lambda: cpu_readings(terminal, name))
        wait_until("there is a past", has_history)
        terminal.send("P")
        terminal.wait_for("s ago")
        wait_until("its row has the percentages of then", lambda: cpu_readings(terminal, name))
        then = row_of(terminal, name)
        assert re.search(r" {2,}\d+\.\d\d ", then), f"no load: {then}"
        terminal.send("\x1b[F")
        terminal.wait_for("● live")


def test_a_hub_that_is_killed_and_comes_back(site: Site, token: str) -> None:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    name = platform.node()
    with open_terminal([program("beszel-tui")], environment) as terminal:
        wait_until("its row has percentages", lambda: cpu_readings(terminal, name))
        site.hub.kill()
        terminal.wait_for("offline since")
        terminal.wait_for(", next try in ")
        assert name in terminal.text()
        site.start_hub()
        terminal.wait_for("● live", timeout_seconds=40)
        wait_until("its row has percentages", lambda: cpu_readings(terminal, name), timeout_seconds=40)


def test_an_alert_fires_is_shown_and_acknowledged_by_a_key(site: Site) -> None:
    token, name = site.create_token("write"), platform.node()
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=token)
    with open_terminal([program("beszel-tui")], environment) as terminal:
        terminal.wait_for(name)
        condition = {"target": "memory.usage_percent", "value": 0, "window_seconds": 0}
        rule = {"name": "memory is used", "conditions": [condition], "severity": "critical"}
        site.post("/api/collections/alert_rules/records", token, rule)
        terminal.wait_for("1 ⚠ alert ")
        terminal.send("a")
        terminal.wait_for("memory is used")
        terminal.send("x")
        terminal.wait_for("acknowledged: memory is used")
        wait_until("the header counts it no more", lambda: "1 ⚠ alert " not in terminal.text())
        command = [program("beszel-tui"), "alerts", "--json"]
        (alert,) = run_json(command, environment, expect=(1,))["active"]
        assert (alert["system"], alert["rule"], alert["acknowledged"]) == (name, "memory is used", True)
        terminal.send("3")
        terminal.wait_for("Memory > 0.0%")
        terminal.send("D")
        terminal.wait_for("Delete memory is used?")
        terminal.send("y")
        terminal.wait_for("no rules")
        wait_until("nothing fires any more", lambda: not run_json(command, environment, expect=(0, 1))["active"])


def test_local_runs_everything_and_leaves_nothing_running(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    with open_terminal([program("beszel-tui"), "local"], environment) as terminal:
        terminal.wait_for(platform.node(), timeout_seconds=40)
        wait_until("its row has percentages", lambda: cpu_readings(terminal, platform.node()))
        children = processes_with(str(tmp_path))
        assert len(children) >= 2, "a hub and an agent"
        terminal.send("q")
        assert terminal.wait(10) == 0
    wait_until("hub and agent are gone", lambda: not processes_with(str(tmp_path)))


@pytest.mark.parametrize("how", ["hang_up", "kill"])
def test_local_is_torn_down_however_it_ends(tmp_path: Path, how: str) -> None:
    environment = clean_environment(tmp_path)
    with open_terminal([program("beszel-tui"), "local"], environment) as terminal:
        terminal.wait_for(platform.node(), timeout_seconds=40)
        getattr(terminal, how)()
        terminal.wait(10)
    wait_until("hub and agent are gone", lambda: not processes_with(str(tmp_path)))


def processes_with(marker: str) -> list[int]:
    """Running processes whose environment names the directory of this test."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            environment = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if marker.encode() in environment and state != "Z":
            found.append(int(entry.name))
    return found
