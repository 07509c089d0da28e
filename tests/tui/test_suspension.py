"""The client as the job of a shell: stopped by `^z`, brought back by `fg`, in a real terminal."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.support.programs import clean_environment, program, wait_until
from tests.support.terminal import Terminal, open_terminal

_SHELL: Final = (
    sys.executable, "-c",
    "import fcntl, os, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv('/bin/sh', ['sh', '-i'])",
)  # fmt: skip
"""One that controls its terminal, and with it which job reads keys."""
_PROMPT: Final = "shell>"
_ASKED: Final = {25: True, 7: True, 1049: False, 1000: False, 1003: False, 1006: False, 1004: False, 2004: False}
"""Modes of the terminal that a shell expects: cursor, wrapping; no other screen, mouse, focus nor marks of pastes."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    environment = clean_environment(tmp_path, PS1=_PROMPT, LANG="C.UTF-8")
    with open_terminal(_SHELL, environment, is_recorded=True) as opened:
        opened.wait_for(_PROMPT)
        opened.send(f"{program('beszel-tui')} --demo\r")
        opened.wait_for("gpu-box")
        opened.wait_for("? help")
        yield opened


def modes(terminal: Terminal) -> dict[int, bool]:
    """What the programs have switched on and off so far."""
    told = re.findall(rb"\x1b\[\?(\d+)([hl])", terminal.received)
    return {int(mode): switch == b"h" for mode, switch in told}


def is_for_a_shell(terminal: Terminal) -> bool:
    return modes(terminal).items() >= _ASKED.items() and terminal.shows_what_is_typed


def suspend(terminal: Terminal) -> None:
    terminal.send("\x1a")
    wait_until("the terminal is the shell's", lambda: is_for_a_shell(terminal))


def resume(terminal: Terminal, enter: str = "\r") -> None:
    before = len(terminal.received)
    terminal.send(f"fg{enter}")
    wait_until("the other screen", lambda: b"\x1b[?1049h" in terminal.received[before:])
    wait_until("keys are the client's", lambda: not terminal.shows_what_is_typed)


def test_the_shell_has_its_terminal_back_and_keys_are_its_own(terminal: Terminal) -> None:
    suspend(terminal)
    terminal.send("echo $((6 * 7))q\r")
    terminal.wait_for("42q")
    assert terminal.received.rindex(b"\x1b[<u") < terminal.received.rindex(b"\x1b[?1049l")


def test_back_it_is_painted_whole_and_takes_keys(terminal: Terminal) -> None:
    for _time in range(2):
        suspend(terminal)
        terminal.send("clear\r")
        wait_until("an empty screen", lambda: terminal.text().strip() == _PROMPT)
        resume(terminal)
        terminal.wait_for("gpu-box")
        terminal.wait_for("? help")
        terminal.send("?")
        terminal.wait_for("This table")
        terminal.send("\x1b")
        wait_until("the fleet", lambda: "This table" not in terminal.text() and "gpu-box" in terminal.text())


def test_sizes_reach_it_again(terminal: Terminal) -> None:
    suspend(terminal)
    terminal.resize(100, 30)
    resume(terminal)
    wait_until("the size of meanwhile", lambda: "? help" in terminal.text().splitlines()[29])
    terminal.resize(80, 24)
    wait_until("the next one", lambda: "? help" in terminal.text().splitlines()[23])
    terminal.send("q")
    wait_until("the terminal is the shell's", lambda: is_for_a_shell(terminal))


def test_a_stop_from_elsewhere_is_one_like_the_key(terminal: Terminal) -> None:
    os.killpg(terminal.foreground, signal.SIGTSTP)
    wait_until("the terminal is the shell's", lambda: is_for_a_shell(terminal))
    resume(terminal)
    terminal.wait_for("? help")


def test_one_that_was_stopped_unasked_leaves_a_terminal_in_order(terminal: Terminal) -> None:
    client = terminal.foreground
    os.killpg(client, signal.SIGSTOP)
    wait_until("the shell is back", lambda: terminal.foreground != client)
    resume(terminal, "\n")
    terminal.send("?")
    terminal.wait_for("This table")
    terminal.send("\x1b")
    wait_until("the fleet", lambda: "This table" not in terminal.text())
    terminal.send("q")
    wait_until("the terminal is the shell's", lambda: is_for_a_shell(terminal))
    wait_until("it has ended", lambda: terminal.foreground != client)


def test_in_the_background_it_writes_nothing_and_waits(terminal: Terminal) -> None:
    client = psutil.Process(terminal.foreground)
    suspend(terminal)
    before = len(terminal.received)
    for number in (6, 7):
        terminal.send(f"bg; echo $(({number} * 7))q\r")
        terminal.wait_for(f"{number * 7}q")  # by now it has gone on
        wait_until("it is stopped again", lambda: client.status() == psutil.STATUS_STOPPED)
    assert b"\x1b[?1049h" not in terminal.received[before:]
    assert is_for_a_shell(terminal)
    resume(terminal)
    terminal.wait_for("? help")
    terminal.send("q")
    wait_until("the terminal is the shell's", lambda: is_for_a_shell(terminal))
