"""The installed terminal client on a real screen, watching hosts that name their things to do harm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hostile import FORBIDDEN, NAMES, hostile_hosts
from tests.support.programs import clean_environment, program, wait_until
from tests.support.site import Site, open_site
from tests.support.terminal import Terminal, open_terminal

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        token = opened.create_token("write")
        universal = opened.get("/api/beszel/universal-token", token, enable=1, permanent=1)["token"]
        for name in NAMES.values():
            condition = {"target": "memory.usage_percent", "value": 0, "window_seconds": 0}
            rule = {"name": name[:100], "conditions": [condition], "severity": "warning"}
            opened.post("/api/collections/alert_rules/records", token, rule)
        with hostile_hosts(opened.url, universal):
            yield opened


@pytest.fixture(name="terminal")
def open_on_the_fleet(site: Site, tmp_path: Path) -> Iterator[Terminal]:
    environment = clean_environment(tmp_path, BESZEL_HUB=site.url, BESZEL_TOKEN=site.create_token("write"))
    command = [program("beszel-tui")]
    with open_terminal(command, environment, columns=80, rows=24, is_recorded=True) as terminal:
        wait_until("everybody is up", lambda: f"{len(NAMES)} ● " in terminal.text())
        yield terminal
        told = terminal.received
        assert not [text for text in FORBIDDEN if text.encode() in told]
        assert "owned" not in terminal.title


def places(row: list[str], character: str) -> list[int]:
    return [x for x, cell in enumerate(row) if cell == character]


def stand_below_each_other(terminal: Terminal, character: str, count: int) -> bool:
    """Whether so many rows have this character behind their name, each where the others have it."""
    columns = [tuple(places(row[24:], character)) for row in terminal.cells()[2:-1]]
    told = [column for column in columns if column]
    return len(told) == count and len(set(told)) == 1


def command(terminal: Terminal, line: str) -> None:
    terminal.send(":")
    terminal.wait_for("esc cancel")
    terminal.send(f"{line}\r")


def test_the_fleet(terminal: Terminal) -> None:
    wait_until("a line each, in columns", lambda: stand_below_each_other(terminal, "%", len(NAMES)))
    assert "[red]x" in terminal.text()
    for columns, rows in ((160, 45), (60, 16), (80, 24)):
        terminal.resize(columns, rows)
        wait_until("a line each, in columns", lambda: stand_below_each_other(terminal, "%", len(NAMES)))


def test_the_fleet_as_cards(terminal: Terminal) -> None:
    terminal.send("v")
    terminal.wait_for("╭")
    wait_until("whole frames", lambda: all(len(places(row, "╭")) == len(places(row, "╮")) for row in terminal.cells()))


@pytest.mark.parametrize("tab", ["overview", "disks", "sensors", "containers", "processes", "services", "alerts"])
def test_the_tabs_of_a_system(terminal: Terminal, tab: str) -> None:
    terminal.send("\r")
    terminal.wait_for("Overview")
    command(terminal, f"tab {tab}")
    if tab in {"processes", "services"}:
        wait_until("a line each, in columns", lambda: stand_below_each_other(terminal, "%", len(NAMES)))
    terminal.wait_for("esc back")
    assert terminal.text().splitlines()[0].startswith(" beszel")
    for columns, rows in ((160, 45), (60, 16)):
        terminal.resize(columns, rows)
        wait_until("the footer is the last line", lambda: "? help" in terminal.text().splitlines()[-1])


def test_containers_and_what_they_write(terminal: Terminal) -> None:
    terminal.send("c")
    terminal.wait_for("Containers of all systems")
    terminal.resize(160, 45)
    wait_until("lines in columns", lambda: stand_below_each_other(terminal, "%", 41))
    terminal.send("\r")
    terminal.wait_for("[red]x[/red][@click=app.quit]y[/]\\[b]\n")
    terminal.wait_for("aevilz")


def test_alerts(terminal: Terminal) -> None:
    terminal.send("a")
    terminal.wait_for("firing")
    terminal.send("3")
    terminal.wait_for("Memory >")
    wait_until("a line each, in columns", lambda: stand_below_each_other(terminal, ">", len(NAMES)))


def test_the_palette_and_a_question(terminal: Terminal) -> None:
    terminal.send("\x10")
    terminal.wait_for("Search")
    terminal.send("[red]")
    terminal.wait_for("open the system")
    terminal.send("\x1b")
    wait_until("the palette is gone", lambda: "open the system" not in terminal.text())
    terminal.send("D")
    terminal.wait_for("y yes")
    terminal.send("\x1b")
    terminal.wait_for("⏎ open")
