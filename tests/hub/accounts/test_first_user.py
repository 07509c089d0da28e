"""The administrator of the settings: made while there is nobody, and never again."""

from pathlib import Path

import pytest

from beszel_hub.accounts.desk import make_mailer
from beszel_hub.accounts.queries import list_accounts
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import InvalidSetting
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


@pytest.mark.parametrize("sender", ["hub", "hub@example.org\r\nBcc: eve@example.org", "a@b@c, d"])
def test_a_sender_that_cannot_be_stops_the_start(tmp_path: Path, sender: str) -> None:
    config = HubConfig(data_dir=tmp_path, smtp_host="mail.lan", smtp_from=sender)
    with pytest.raises(InvalidSetting, match="SMTP_FROM"):
        make_mailer(config, system_clock)
