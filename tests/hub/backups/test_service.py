"""Backups that the hub makes by itself: when they are due, which are kept, and that a stop does not wait for one."""

import asyncio
import logging
from pathlib import Path

import msgspec
import pytest

from beszel_hub.audit.journal import Journal
from beszel_hub.backups import making
from beszel_hub.backups.restoring import request_restore
from beszel_hub.backups.service import Backups
from beszel_hub.config import HubConfig, load_config
from beszel_hub.errors import BackupFailed, InvalidSetting, Unavailable
from beszel_hub.permissions import ANONYMOUS
from tests.support.backups import make_site, needs_file, opened
from tests.support.runninghub import running_hub
from tests.support.samples import NOON_MS

pytestmark = needs_file

HOUR_MS = 3_600_000
CHOSEN = "mine.zip"


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms


def automatic(config: HubConfig) -> list[str]:
    return sorted(path.name for path in config.backups_path.glob("@auto_*.zip"))


def test_one_is_made_when_it_is_due_and_the_oldest_go(tmp_path: Path) -> None:
    config = msgspec.structs.replace(make_site(tmp_path / "data"), backup_every_seconds=3600, backup_keep=2)
    clock = Clock()
    with opened(config) as database:
        backups = Backups(config, database, clock, Journal(clock, str))
        (job,) = backups.jobs()
        asyncio.run(backups.create(ANONYMOUS, CHOSEN, ""))

        def names_after(hours: float) -> list[str]:
            clock.now_ms = NOON_MS + round(hours * HOUR_MS)
            asyncio.run(backups.keep_up())
            return [name.removeprefix("@auto_beszel_backup_") for name in automatic(config)]

        assert job.name == "backups"
        assert names_after(0) == ["20261122120000.zip"]
        assert names_after(0.9) == ["20261122120000.zip"]
        assert names_after(1) == ["20261122120000.zip", "20261122130000.zip"]
        assert names_after(1.5) == ["20261122120000.zip", "20261122130000.zip"]
        assert names_after(2.5) == ["20261122130000.zip", "20261122143000.zip"]
        request_restore(config, "@auto_beszel_backup_20261122130000.zip")
        assert names_after(9) == ["20261122130000.zip", "20261122143000.zip", "20261122210000.zip"]
        assert names_after(3) == ["20261122130000.zip", "20261122143000.zip", "20261122210000.zip"]  # a clock put back
    assert (config.backups_path / CHOSEN).exists()


def test_backups_of_a_time_when_the_clock_was_ahead_do_not_push_out_the_newest(tmp_path: Path) -> None:
    config = msgspec.structs.replace(make_site(tmp_path / "data"), backup_every_seconds=3600, backup_keep=2)
    clock = Clock()
    with opened(config) as database:
        backups = Backups(config, database, clock, Journal(clock, str))
        for hours in (24_000, 24_001, 0):
            clock.now_ms = NOON_MS + hours * HOUR_MS
            asyncio.run(backups.keep_up())
        assert "@auto_beszel_backup_20261122120000.zip" in automatic(config)
        assert len(automatic(config)) == 2


def test_one_that_fails_deletes_none_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = msgspec.structs.replace(make_site(tmp_path / "data"), backup_every_seconds=3600, backup_keep=1)
    clock = Clock()
    with opened(config) as database:
        backups = Backups(config, database, clock, Journal(clock, str))
        asyncio.run(backups.keep_up())
        before = automatic(config)
        clock.now_ms += HOUR_MS
        monkeypatch.setattr(making, "SPARE_BYTES", 1 << 60)
        with pytest.raises(BackupFailed, match="not enough room"):
            asyncio.run(backups.keep_up())
        assert automatic(config) == before


def test_a_running_hub_makes_them_and_says_how_it_went(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "beszel_hub"), running_hub(tmp_path / "data", backup_every_seconds=600) as hub:

        async def until_made() -> None:
            async with asyncio.timeout(10):
                while not any(report.name == "backups" for report in hub.hub.job_board.reports()):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

        hub.call(until_made())
        (made,) = hub.call(hub.hub.backups.list())
        assert hub.hub.job_board.failing() == []
    assert made.key.startswith("@auto_beszel_backup_")
    assert f"made the backup {made.key}" in caplog.text


def test_a_hub_that_stops_gives_up_what_is_being_made(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data")
    with opened(config) as database:
        backups = Backups(config, database, Clock(), Journal(Clock(), str))
        backups.close()
        with pytest.raises(Unavailable):
            asyncio.run(backups.create(ANONYMOUS, "", ""))


@pytest.mark.parametrize(
    ("name", "text"), [("BACKUP_EVERY", "9m"), ("BACKUP_EVERY", "daily"), ("BACKUP_KEEP", "0"), ("BACKUP_KEEP", "x")]
)
def test_settings_that_make_no_sense(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        load_config({}, {name: text})


def test_settings() -> None:
    config = load_config({}, {"BACKUP_EVERY": "1d", "BACKUP_KEEP": "30"}).config
    assert (config.backup_every_seconds, config.backup_keep) == (86400, 30)
    with pytest.raises(InvalidSetting, match="pg_dump"):
        load_config({}, {"BACKUP_EVERY": "1d", "DATABASE_URL": "postgresql://hub@db.example.org/beszel"})
