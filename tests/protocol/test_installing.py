"""The table is held to what the project has, and its lines to what a shell makes of them."""

import shlex
import subprocess
from pathlib import Path

import pytest

from beszel_protocol.installing import WAYS, Credentials, Way, command_lines

ROOT = Path(__file__).parents[2]
PLAIN = Credentials("ssh-ed25519 AAAA+/= hub", "6f1ed002-ab1c", "https://hub.example.net/beszel")
HOSTILE = Credentials("k'; touch pwned; '", "$(touch pwned)`touch pwned`", "https://h/{key}\\n%s")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_shell_reads_the_lines_whatever_the_values_hold(way: Way) -> None:
    for credentials in (PLAIN, HOSTILE):
        lines = command_lines(way, credentials)
        subprocess.run(["sh", "-n"], input="\n".join(lines), text=True, check=True, timeout=10)
        words = [word for line in lines for word in shlex.split(line)]
        for value in credentials:
            assert any(word.endswith(value) for word in words), value


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_files_are_there(way: Way) -> None:
    for name in way.files:
        assert (ROOT / name).is_file(), name


def test_names_are_different() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)


def test_the_settings_of_the_service_are_where_its_unit_reads_them(tmp_path: Path) -> None:
    way = next(way for way in WAYS if way.name == "service")
    text = "\n".join(command_lines(way, PLAIN))
    unit = (ROOT / way.files[0]).read_text()
    environment = next(line.partition("=-")[2] for line in unit.splitlines() if line.startswith("EnvironmentFile="))
    program = next(line.partition("=")[2].split()[0] for line in unit.splitlines() if line.startswith("ExecStart="))
    assert environment in text
    assert program in text
    line = next(line for line in command_lines(way, PLAIN) if line.startswith("printf"))
    written = subprocess.run(
        ["sh", "-c", line.partition(" | ")[0]], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=10
    )
    assert written.stdout == f"KEY={PLAIN.key}\nTOKEN={PLAIN.token}\nHUB_URL={PLAIN.hub_url}\n"
