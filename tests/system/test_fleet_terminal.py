"""The installed terminal client on a real screen, with three real agents and two hundred simulated ones."""

import re
from collections.abc import Iterator

import pytest

from tests.support.crowd import crowd
from tests.support.programs import clean_environment, program, wait_until
from tests.support.site import Site, open_site
from tests.support.terminal import Terminal, open_terminal

pytestmark = [pytest.mark.system, pytest.mark.endurance, pytest.mark.timeout(600)]

REAL = [f"real-{number}" for number in range(1, 4)]
SIMULATED = [f"sim-{number:03d}" for number in range(1, 201)]
ALL = len(REAL) + len(SIMULATED)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        for name in REAL:
            opened.start_agent(opened.enrol(name), name)
        token = opened.get("/api/beszel/universal-token", opened.create_token("write"), enable=1, permanent=1)["token"]
        with crowd(opened.url, token, SIMULATED):
            yield opened


@pytest.fixture(name="terminal")
def open_on_the_fleet(site: Site) -> Iterator[Terminal]:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=site.create_token("write"))
    with open_terminal([program("beszel-tui")], environment) as terminal:
        wait_until("everybody is up", lambda: f"{ALL} ● up" in terminal.text(), timeout_seconds=120)
        yield terminal


def names_on(terminal: Terminal) -> list[str]:
    return re.findall(r"\b(?:real-\d|sim-\d{3})\b", terminal.text())


def filter_by(terminal: Terminal, text: str) -> None:
    terminal.send("/")
    terminal.wait_for("esc clear")
    terminal.send(text)


def test_filter_open_and_come_back(terminal: Terminal) -> None:
    filter_by(terminal, "sim-17")
    wait_until("only these", lambda: names_on(terminal) == [f"sim-{number}" for number in range(170, 180)])
    terminal.send("\x1b")
    wait_until("all again", lambda: "real-1" in names_on(terminal))
    terminal.send(":")
    terminal.wait_for("esc cancel")
    terminal.send("open real-2\r")
    terminal.wait_for("Overview")
    terminal.wait_for("real-2")
    terminal.send("\x1b")
    wait_until("the fleet", lambda: len(set(names_on(terminal))) > 30)


def test_by_usage_the_busiest_come_first_every_second(terminal: Terminal) -> None:
    terminal.send(":")
    terminal.wait_for("esc cancel")
    terminal.send("sort cpu\r")
    first = set()

    def several_were_first() -> bool:
        first.update(names_on(terminal)[:1])
        return len(first) >= 3

    wait_until("the order follows the numbers", several_were_first, timeout_seconds=60)


def test_a_storm_of_resizes_ends_in_a_whole_picture(terminal: Terminal) -> None:
    for number in range(120):
        terminal.resize(40 + number * 7 % 130, 10 + number * 5 % 40)
    terminal.resize(160, 45)
    wait_until("the footer is the last line", lambda: "? help" in terminal.text().splitlines()[-1])

    def is_whole() -> bool:
        names = names_on(terminal)
        return len(names) == len(set(names)) == 42

    wait_until("forty-two lines, each once", is_whole)


def test_a_hub_that_is_killed_and_comes_back_finds_everybody(site: Site, terminal: Terminal) -> None:
    site.hub.kill()
    terminal.wait_for("offline since")
    assert len(names_on(terminal)) == 42
    site.start_hub()
    terminal.wait_for("● live", timeout_seconds=60)
    wait_until("everybody is up", lambda: f"{ALL} ● up" in terminal.text(), timeout_seconds=120)


def test_an_alert_of_one_among_all_is_acknowledged(site: Site, terminal: Terminal) -> None:
    token = site.create_token("write")
    (system,) = site.list_all("systems", token, filter="name = 'real-3'")
    condition = {"target": "memory.usage_percent", "value": 0, "window_seconds": 0}
    rule = {"name": "memory is used", "conditions": [condition], "system": system["id"], "severity": "critical"}
    site.post("/api/collections/alert_rules/records", token, rule)
    terminal.wait_for("1 ⚠ alert ")
    terminal.send("a")
    terminal.wait_for("memory is used")
    terminal.send("x")
    terminal.wait_for("acknowledged: memory is used")
