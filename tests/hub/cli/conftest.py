from pathlib import Path

import pytest

from beszel_hub.accounts import passwords
from tests.support.runninghub import FAST_COST
from tests.support.shell import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A data directory that does not exist yet; hashes cost next to nothing."""
    fast = (FAST_COST,)
    monkeypatch.setattr(passwords.hash_password, "__defaults__", fast)
    return Shell(tmp_path / "data", monkeypatch, capsys)
