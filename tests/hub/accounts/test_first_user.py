"""The administrator of the settings: made while there is nobody, and never again."""

from pathlib import Path

import pytest

from beszel_hub.accounts.queries import list_accounts
from tests.support.runninghub import PASSWORD, RunningHub, running_hub


def accounts(hub: RunningHub) -> list[tuple[str, str]]:
    return [(account.email, account.role) for account in hub.hub.database.read_now(list_accounts)]


def test_the_user_of_the_settings_is_an_administrator(tmp_path: Path) -> None:
    with running_hub(tmp_path, user_email="ada@example.org", user_password=PASSWORD) as hub:
        assert accounts(hub) == [("ada@example.org", "admin")]
    with running_hub(tmp_path, user_email="eve@example.org", user_password=PASSWORD) as hub:
        assert accounts(hub) == [("ada@example.org", "admin")]


def test_a_user_that_cannot_be_is_told_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_hub(tmp_path, user_email="ada@example.org", user_password="short") as hub:
        assert accounts(hub) == []
    assert "at least 8 characters" in caplog.text
    assert "short" not in caplog.text
