"""The units of systemd that are deployed: valid, and no more exposed than they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.services import need_program

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
MOST_EXPOSED = {"beszel-agent.service": 2.5, "beszel-hub.service": 2.0}
"""Of ten, as `systemd-analyze security` counts."""


@pytest.fixture(params=UNITS, ids=lambda path: path.name)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit with a program that is there."""
    source: Path = request.param
    copy = tmp_path / source.name
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    copy.write_text(
        "".join(f"ExecStart={sys.executable}\n" if line.startswith("ExecStart=") else line for line in lines)
    )
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [need_program("systemd-analyze"), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_every_unit_has_a_bound() -> None:
    assert [path.name for path in UNITS] == sorted(MOST_EXPOSED)


def test_it_is_valid(unit: Path) -> None:
    finished = analyze("verify", "--man=no", "--recursive-errors=no", str(unit))
    assert (finished.returncode, finished.stdout + finished.stderr) == (0, "")


def test_it_is_hardened(unit: Path) -> None:
    threshold = str(round(10 * MOST_EXPOSED[unit.name]))
    finished = analyze("security", "--offline=yes", f"--threshold={threshold}", "--no-pager", str(unit))
    assert finished.returncode == 0, finished.stdout
