"""The command line as a user meets it."""

import subprocess
import sys
from pathlib import Path

import pytest

from beszel_protocol.version import VERSION

ROOT = Path(__file__).parents[2]


def run(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "beszel_tui", *arguments],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def modules_after(code: str) -> set[str]:
    """The names that `code` prints in a fresh interpreter."""
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout.split())


def test_version_and_help(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"beszel-tui {VERSION}\n"
    text = run(tmp_path, "--help").stdout
    for word in ("local", "status", "watch", "chart", "screenshot", "--read-only", "BESZEL_HUB"):
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["dance"], 2, "No such command"),
        (["status"], 2, "which hub"),
        (["--demo", "status"], 2, "--demo is for the screen"),
        (["--hub", "ftp://x", "status"], 2, "not the address of a hub"),
        (["--token-file", "/nowhere", "status"], 2, "the token file /nowhere"),
        (["--symbols", "runes"], 2, "braille, block or ascii"),
        (["status", "--json", "--plain"], 2, "either --json or --plain"),
        (["chart", "web", "cpu.usage_percent"], 2, "which hub"),
        (["chart", "web", "cpu.usage_percent", "--range", "live"], 2, "a range is one of"),
        (["chart", "web", "cpu.usage_percent", "--size", "9x9"], 2, "at least 30x8"),
        (["chart", "web", "cpu.usage_percent", "--size", "9999x20"], 2, "at most 1000x500"),
    ],
)
def test_mistakes_are_told_in_a_sentence(tmp_path: Path, arguments: list[str], status: int, says: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path, "status", "--json", BESZEL_HUB="http://127.0.0.1:9", BESZEL_TOKEN="x")
    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
    assert done.stdout == ""


def test_the_picture_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        assert run(tmp_path, "screenshot", str(tmp_path / name), "--size", "100x20", TZ="UTC").returncode == 0
    one, two = ((tmp_path / name).read_text() for name in ("one.svg", "two.svg"))
    assert "db-1" in one
    assert one == two


def test_without_its_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError(name='textual')")
    done = run(tmp_path, "--demo", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.returncode == 2
    assert done.stderr == "beszel-tui: textual is not installed: pip install 'beszel-suite[tui]'\n"


def test_a_start_loads_only_what_the_first_picture_needs() -> None:
    """The library for HTTP, the parser of the command line and the demonstration come later, or not at all."""
    code = "import sys, beszel_tui.launch, beszel_tui.client.hub, beszel_tui.app; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert "textual.app" in loaded
    assert not loaded & {"httpx2", "typer", "plotext", "beszel_tui.state.demo", "beszel_hub", "beszel_agent"}


def test_state_and_client_load_no_textual() -> None:
    code = (
        "import sys, beszel_tui.cli, beszel_tui.plain.containers, beszel_tui.plain.logs,"
        " beszel_tui.client.hub, beszel_tui.client.demo,"
        " beszel_tui.client.session, beszel_tui.state.reduce, beszel_tui.state.selectors, beszel_tui.local.stack;"
        " print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert "textual" not in done.stdout.split()
