"""Commands run on one data directory, in this process."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from beszel_hub.cli.commands import run_command_line
from tests.support.databases import provide

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"


class Shell:
    """Runs commands on one data directory in this process."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = provide(directory)
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str, stdin: bytes = b"", status: int = 0) -> str:
        """Standard output, or standard error of a command that must fail with `status`."""
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        ended = run_command_line([*arguments, "--dir", str(self.directory)])
        printed = self._capsys.readouterr()
        assert ended == status, printed.out + printed.err
        assert "Traceback" not in printed.err
        return printed.err if status else printed.out

    def json(self, *arguments: str, stdin: bytes = b"") -> Any:
        return json.loads(self.run(*arguments, "--json", stdin=stdin))

    def create_user(self, email: str = EMAIL, role: str = "admin") -> Any:
        return self.json("user", "create", email, "--role", role, "--password-file", "-", stdin=PASSWORD.encode())
