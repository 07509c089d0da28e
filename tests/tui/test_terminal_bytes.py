"""What reaches the terminal byte by byte: colours of which it has few, and a copy for its clipboard."""

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.pilotapp import running_client
from tests.support.programs import clean_environment, program, wait_until
from tests.support.terminal import Terminal, open_terminal

_COPY: Final = re.compile(rb"\x1b\]52;([^;]*);([^\x07\x1b]*)(?:\x07|\x1b\\)")


def colours(told: bytes) -> set[str]:
    """The parameters of SGR that choose a colour, one by one; those of 256 colours or of any begin with 38 or 48."""
    found = set()
    for sequence in re.findall(rb"\x1b\[([\d;:]*)m", told):
        parts = sequence.decode().replace(":", ";").split(";")
        while parts:
            part = parts.pop(0)
            if part in {"38", "48"}:
                found.add(f"{part};{parts[0]}")
                del parts[: 2 if parts[0] == "5" else 4]
            elif part.isdecimal() and int(part) >= 30:
                found.add(part)
    return found


def visit(terminal: Terminal) -> None:
    """The fleet, a system with its charts, the themes with their previews, and back."""
    terminal.wait_for("gpu-box")
    terminal.wait_for("? help")
    terminal.send("\r")
    terminal.wait_for("Load average")
    terminal.send("\x1b")
    terminal.wait_for("NAME")
    terminal.send("T")
    terminal.wait_for("Midnight")
    terminal.send("\x1b")
    wait_until("the fleet", lambda: "Midnight" not in terminal.text())


@pytest.mark.parametrize("term", ["xterm-16color", "screen", "linux", "xterm", "vt100"])
def test_a_terminal_of_sixteen_colours_is_sent_no_others(tmp_path: Path, term: str) -> None:
    environment = clean_environment(tmp_path, TERM=term)
    del environment["COLORTERM"]
    with open_terminal([program("beszel-tui"), "--demo"], environment, is_recorded=True) as terminal:
        visit(terminal)
        seen = colours(terminal.received)
    bright = {str(code) for base in (30, 40, 90, 100) for code in range(base, base + 10)}
    assert seen <= bright - {"38", "48"}
    assert len(seen) > 4, "it is coloured"


@pytest.mark.parametrize(("settings", "kinds"), [({"COLORTERM": ""}, {"38;5", "48;5"}), ({}, {"38;2", "48;2"})])
def test_one_of_more_is_sent_as_many_as_it_has(tmp_path: Path, settings: dict[str, str], kinds: set[str]) -> None:
    environment = clean_environment(tmp_path, **settings)
    with open_terminal([program("beszel-tui"), "--demo"], environment, is_recorded=True) as terminal:
        visit(terminal)
        assert {colour for colour in colours(terminal.received) if ";" in colour} == kinds


def test_without_colours_all_is_grey(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path, NO_COLOR="1")
    with open_terminal([program("beszel-tui"), "--demo"], environment, is_recorded=True) as terminal:
        visit(terminal)
        told = terminal.received
    shades = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", told)
    assert shades
    assert all(len(set(shade)) == 1 for shade in shades)
    assert colours(told) <= {"38;2", "48;2", "39", "49"}


def test_a_copy_reaches_the_clipboard_as_text_alone(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    with open_terminal([program("beszel-tui"), "--demo"], environment, is_recorded=True) as terminal:
        terminal.wait_for("gpu-box")
        terminal.wait_for("? help")
        terminal.send("c")
        terminal.wait_for("buildkit")
        terminal.send("i")
        terminal.wait_for("{")
        terminal.send("y")
        terminal.wait_for("copied: it")
        ((selection, copied),) = _COPY.findall(terminal.received)
    assert selection == b"c"
    text = base64.b64decode(copied, validate=True).decode()
    assert isinstance(json.loads(text), dict)


def test_a_long_copy_is_cut_before_the_terminal_drops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            sent: list[str] = []
            driver = client.app._driver
            assert driver is not None
            monkeypatch.setattr(driver, "write", sent.append)
            client.app.copy("a\x1b[2Jb" + "日" * 1_000_000)
            await client.until_text("copied the beginning")
            ((_, copied),) = _COPY.findall("".join(sent).encode())
            assert len(copied) < 100_000
            assert base64.b64decode(copied, validate=True).decode().startswith("a[2Jb日")

    asyncio.run(main())
