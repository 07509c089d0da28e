"""What the shell completes, and that it never waits for it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from beszel_tui.config import Flags, find_paths, load_settings
from beszel_tui.plain.completion import system_names
from tests.tui.client.test_http import answering

ROOT = Path(__file__).parents[3]


def complete(home: Path, words: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "beszel_tui"],
        env={
            "HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8",
            "_BESZEL_TUI_COMPLETE": "complete_bash", "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1), **environment,
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_commands_and_systems_are_completed_and_remembered(tmp_path: Path) -> None:
    assert complete(tmp_path, "beszel-tui wat") == ["watch"]
    items = [{"name": "web-1"}, {"name": "web-2"}, {"name": "db\x1b[2J"}]
    with answering(200, {"items": items}) as server:
        settings = load_settings(Flags(), {"HOME": str(tmp_path), "BESZEL_HUB": server.url, "BESZEL_TOKEN": "x"})
        while not settings.paths.names_file.exists():
            system_names(settings)  # on a machine that is busy an answer may come too late for one attempt
    names = complete(tmp_path, "beszel-tui watch w", BESZEL_HUB=server.url, BESZEL_TOKEN="x")
    assert names == ["web-1", "web-2"], "the hub is gone; what it told is not"
    assert "\x1b" not in settings.paths.names_file.read_text()


def test_a_hub_that_says_nothing_holds_nobody_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes connections, and never says a word
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert complete(tmp_path, "beszel-tui watch w", BESZEL_HUB=url, BESZEL_TOKEN="x") == []


def test_mistakes_complete_to_nothing(tmp_path: Path) -> None:
    assert complete(tmp_path, "beszel-tui watch w", BESZEL_HUB="ftp://x") == []
    assert complete(tmp_path, "beszel-tui watch w") == []
    assert not find_paths({"HOME": str(tmp_path)}).names_file.exists()
