"""Completion, installed into real shells and used in them."""

from pathlib import Path

import pytest

from beszel_tui.config import Flags, load_settings
from beszel_tui.plain.completion import remember
from tests.support.programs import PROGRAMS, clean_environment
from tests.support.services import need_program
from tests.support.terminal import Terminal, open_terminal

pytestmark = pytest.mark.system

HUB = "http://127.0.0.1:1"
"""Nobody answers there: what it told before is completed."""
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """A command that starts it, its terminal its own, and with a file of settings as its users have one."""
    name: str = request.param
    path = need_program(name)
    settings = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[name]
    prompt = {"bash": "PS1='ready> '", "zsh": "PROMPT='ready> '", "fish": "function fish_prompt; echo 'ready> '; end"}
    (tmp_path / settings).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / settings).write_text(prompt[name] + "\n")
    return [need_program("setsid"), "--ctty", "--wait", path, "-i"]


def say(terminal: Terminal, line: str) -> None:
    terminal.wait_for("ready>")
    terminal.send(line)


def leave(terminal: Terminal) -> None:
    """As people do; the shell of a terminal that is only closed would be waited for."""
    terminal.send("\x15exit\n")
    terminal.wait(10)


def test_a_shell_completes_commands_options_and_systems(shell: list[str], tmp_path: Path) -> None:
    environment = clean_environment(tmp_path, BESZEL_HUB=HUB, BESZEL_TOKEN="x", SHELL=shell[-2])
    environment["PATH"] = f"{PROGRAMS}:{environment['PATH']}"
    paths = load_settings(Flags(), {"HOME": str(tmp_path)}).paths
    remember(paths.names_file, HUB, ["kestrel", "wren"])
    with open_terminal(shell, environment) as terminal:
        say(terminal, "beszel-tui --install-completion\n")
        terminal.wait_for("Completion will take effect")
        leave(terminal)
    with open_terminal(shell, environment) as terminal:
        say(terminal, "beszel-tui wat\t")
        terminal.wait_for("beszel-tui watch")
        terminal.send("kes\t")
        terminal.wait_for("beszel-tui watch kestrel")
        terminal.send("--pl\t")
        terminal.wait_for("beszel-tui watch kestrel --plain")
        leave(terminal)
