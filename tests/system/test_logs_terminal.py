"""What a real container writes, on the real screen of the installed terminal client."""

from collections.abc import Iterator

import pytest

from tests.support.engines import Engine, docker_engine
from tests.support.programs import clean_environment, program, wait_until
from tests.support.site import Site, open_site
from tests.support.terminal import Terminal, open_terminal

pytestmark = pytest.mark.system

NAME = "shop"
SCRIPT = r"""
i=0; while [ $i -lt 60 ]; do echo "line $i of the shop"; i=$((i+1)); done
printf '[bold]markup[/] \\[b]\n'
printf 'before\033]0;owned\007\033[2J\033[6n\033[31mred\033[0mafter\n'
exec sleep 600
"""


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    with docker_engine() as engine:
        engine.run(NAME, ["sh", "-c", SCRIPT])
        yield engine


@pytest.fixture(scope="module")
def site(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        opened.start_agent(opened.enrol("dock"), DOCKER_HOST=f"unix://{docker.socket}", CONTAINER_DETAILS="true")
        yield opened


@pytest.fixture(name="terminal")
def open_on_the_log(site: Site) -> Iterator[Terminal]:
    environment = clean_environment(site.directory, BESZEL_HUB=site.url, BESZEL_TOKEN=site.create_token())
    with open_terminal([program("beszel-tui")], environment, columns=80, rows=24, is_recorded=True) as terminal:
        terminal.wait_for("1 ● ")
        terminal.send("c")
        terminal.wait_for(NAME)
        terminal.send("\r")
        terminal.wait_for(f"{NAME} on dock")
        terminal.wait_for("● following")
        yield terminal


def write(docker: Engine, text: str, stream: int = 1) -> None:
    """As the container's own program would."""
    code, _ = docker.client.containers.get(NAME).exec_run(["sh", "-c", f"echo '{text}' > /proc/1/fd/{stream}"])
    assert code == 0


def test_its_lines_come_up_and_go_on(docker: Engine, terminal: Terminal) -> None:
    terminal.wait_for("line 59 of the shop")
    write(docker, "something new")
    terminal.wait_for(" something new")
    write(docker, "trouble", stream=2)
    terminal.wait_for("▏trouble")
    terminal.send("g")
    terminal.wait_for("line 0 of the shop")
    terminal.wait_for("held, G follows")
    write(docker, "while held")
    wait_until("it is counted", lambda: "65 lines" in terminal.text())
    assert "while held" not in terminal.text()
    terminal.send("G")
    terminal.wait_for("while held")
    terminal.wait_for("● following")


def test_what_would_move_the_terminal_is_text_or_gone(terminal: Terminal) -> None:
    terminal.wait_for("[bold]markup[/] \\[b]")
    terminal.wait_for("beforeredafter")
    terminal.wait_for("line 59 of the shop")
    assert "owned" not in terminal.title
    assert b"\x1b[6n" not in terminal.received
    assert b"owned" not in terminal.received


def test_a_line_is_found(terminal: Terminal) -> None:
    terminal.wait_for("line 59 of the shop")
    terminal.send("/")
    terminal.wait_for("esc cancel")
    terminal.send("LINE 7 OF\r")
    terminal.wait_for("'LINE 7 OF' 1/1")
    terminal.wait_for("line 7 of the shop")
    assert "line 59" not in terminal.text()
    terminal.send("\x1b")
    wait_until("the search is over", lambda: "1/1" not in terminal.text())


def test_how_it_is_configured(terminal: Terminal) -> None:
    terminal.send("\x1b")
    terminal.wait_for("Containers of all systems")
    terminal.send("i")
    terminal.wait_for('"Image"')
    terminal.send("/")
    terminal.wait_for("esc cancel")
    terminal.send("Status\r")
    terminal.wait_for("'Status' 1/")
    assert "of the shop" not in terminal.text(), "what a command is given may be a secret"
