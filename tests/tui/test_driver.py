"""The driver in a real pseudo-terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import driverprobe
from tests.support.programs import wait_until
from tests.support.terminal import Terminal, open_terminal

_PROGRAM = str(Path(driverprobe.__file__))


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with _open() as opened:
        yield opened


@contextmanager
def _open(**variables: str) -> Iterator[Terminal]:
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(sys.path)}
    with open_terminal([sys.executable, _PROGRAM], environment | variables) as opened:
        opened.wait_for("size 160x45")
        yield opened


def test_the_last_of_many_sizes_counts_however_slowly_it_is_measured(terminal: Terminal) -> None:
    for _storm in range(4):
        for number in range(60):
            terminal.resize(60 + number * 7 % 130, 10 + number * 5 % 40)
        terminal.resize(100, 30)
        terminal.wait_for("size 100x30")


def test_no_thread_waits_for_keys(terminal: Terminal) -> None:
    terminal.wait_for("threads MainThread textual-output.")


def test_an_escape_is_a_key_once_nothing_follows(terminal: Terminal) -> None:
    terminal.send("\x1b[Aa\x1b")
    terminal.wait_for("keys up a escape.")
    terminal.send("[B")  # too late to belong to it
    terminal.wait_for("keys up a escape left_square_bracket B.")


def test_what_comes_in_pieces_is_one() -> None:
    with _open(ESCDELAY="3600000") as terminal:  # as slow as this machine may be, the pieces still belong together
        terminal.send("\x1b")
        terminal.send("[A")
        terminal.write(b"\xc3")
        terminal.write(b"\xa4")
        wait_until("both keys", lambda: "keys up ä." in _line(terminal))


def test_a_letter_that_comes_in_two_reads_is_one(terminal: Terminal) -> None:
    for number, byte in enumerate("ä".encode(), 1):
        terminal.write(bytes([byte]))
        wait_until("it is read", lambda number=number: f"reads {number}." in _line(terminal))  # type: ignore[misc]
    terminal.send("b")
    wait_until("both keys", lambda: "keys ä b." in _line(terminal))


def test_bytes_that_are_no_text_end_nothing(terminal: Terminal) -> None:
    terminal.write(b"\xff\xfe")
    terminal.send("a")
    wait_until("the key after them", lambda: " a. threads" in _line(terminal))


def _line(terminal: Terminal) -> str:
    """What is shown, however it is wrapped."""
    return "".join(line.ljust(160) for line in terminal.text().splitlines())
