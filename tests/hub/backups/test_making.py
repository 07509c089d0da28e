"""A backup is of one commit, keeps no writer waiting, and is there whole or not at all."""

import stat
import zipfile
from pathlib import Path

import msgspec
import pytest

from beszel_hub.backups import making
from beszel_hub.backups.archive import open_archive
from beszel_hub.backups.making import make_backup
from beszel_hub.backups.names import check_name
from beszel_hub.backups.restoring import check_backup, restore
from beszel_hub.backups.shelf import Shelf
from beszel_hub.config import HubConfig
from beszel_hub.errors import BackupFailed, BadRequest, InvalidBackup, NotFound, Unavailable
from beszel_hub.store.locks import hold
from tests.support.backups import MANY, add_systems, make_site, needs_file, opened, run_child, system_names
from tests.support.samples import NOON_MS

pytestmark = needs_file

KEY = "one.zip"
EXITS_HALF_WAY = """
import os, sys
from pathlib import Path
from beszel_hub.backups.making import make_backup
from beszel_hub.config import HubConfig

left = iter(range(int(sys.argv[2])))
config = HubConfig(data_dir=Path(sys.argv[1]))
make_backup(config, "one.zip", lambda: 0, lambda: next(left, None) is None and os._exit(9))
"""


def now() -> int:
    return NOON_MS


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_it_has_all_that_a_hub_needs_and_is_private(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data", "web-1")
    config.systems_file_path.write_text("systems: []\n")
    made = make_backup(config, KEY, now)
    path = config.backups_path / KEY
    assert [member.name for member in made.members] == ["data.db", "secret.key", "id_ed25519", "config.yml"]
    assert made.created == "2026-11-22T12:00:00.000Z"
    with open_archive(path) as archive:
        assert archive.manifest == made
    with zipfile.ZipFile(path) as archive:  # with what people have at hand
        assert archive.testzip() is None
        assert archive.read("secret.key") == config.secret_path.read_bytes()
        assert {info.external_attr >> 16 & 0o777 for info in archive.infolist()} == {0o600}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert names_in(config.backups_path) == [".lock", KEY]
    assert check_backup(path) == made


def test_writers_go_on_and_the_copy_is_of_one_commit(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data", *MANY)
    written: list[str] = []
    with opened(config) as database:

        def write_meanwhile() -> bool:
            written.append(f"meanwhile-{len(written)}")
            add_systems(database, written[-1])
            return False

        make_backup(config, KEY, now, write_meanwhile)
    assert len(written) > 5
    assert set(written) < set(system_names(config))
    other = HubConfig(data_dir=tmp_path / "other")
    other.data_dir.mkdir()
    restore(other, config.backups_path / KEY, now)
    assert system_names(other) == sorted(MANY)


def test_a_hub_that_stops_leaves_nothing_of_it(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data", *MANY)
    for last in range(6):
        steps = iter(range(last))
        with pytest.raises(Unavailable):
            make_backup(config, KEY, now, lambda steps=steps: next(steps, None) is None)  # type: ignore[misc]
        assert names_in(config.backups_path) == [".lock"]


@pytest.mark.parametrize("steps", [0, 2, 5])
def test_one_that_is_killed_leaves_nothing_that_looks_whole(tmp_path: Path, steps: int) -> None:
    config = make_site(tmp_path / "data", *MANY)
    assert run_child(EXITS_HALF_WAY, config.data_dir, steps) == 9
    assert len(names_in(config.backups_path)) > 1
    assert Shelf(config.backups_path).files() == []
    make_backup(config, KEY, now)
    assert names_in(config.backups_path) == [".lock", KEY]


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_site(tmp_path / "data")
    monkeypatch.setattr(making, "SPARE_BYTES", 1 << 60)
    with pytest.raises(BackupFailed, match="not enough room"):
        make_backup(config, KEY, now)
    assert names_in(config.backups_path) == [".lock"]


def test_one_at_a_time_whoever_makes_it(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data")
    config.backups_path.mkdir()
    with hold(config.backups_path / ".lock"), pytest.raises(BackupFailed, match="Another backup"):
        make_backup(config, KEY, now)
    make_backup(config, KEY, now)
    with pytest.raises(BadRequest) as refused:
        make_backup(config, KEY, now)
    assert refused.value.data["name"].code == "validation_backup_name_exists"


def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data", *MANY)
    content = bytearray(config.database_path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200_000] = b"\xff" * 200_000
    config.database_path.write_bytes(content)
    with pytest.raises((InvalidBackup, BackupFailed), match=r"damaged|malformed"):
        make_backup(config, KEY, now)
    assert names_in(config.backups_path) == [".lock"]


def test_where_no_hub_was_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="No hub has served"):
        make_backup(HubConfig(data_dir=tmp_path / "nowhere"), KEY, now)
    assert names_in(tmp_path) == []


def test_postgresql_has_a_tool_of_its_own(tmp_path: Path) -> None:
    config = HubConfig(data_dir=tmp_path, database_url="postgresql://hub@db.example.org/beszel")
    with pytest.raises(BackupFailed, match="pg_dump"):
        make_backup(config, KEY, now)


@pytest.mark.parametrize("name", ["a.zip", "nightly_2026-11-22.zip"])
def test_names_that_can_be_chosen(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".zip", "A.zip", "a.tar", "../a.zip", "a/b.zip", "@auto_a.zip", "a.zip\n", "ä.zip", "a" * 150 + ".zip"]
)
def test_names_that_cannot(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_name(name)
    assert refused.value.data["name"].code.startswith("validation_")


def test_only_files_with_names_of_backups_are_listed(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data")
    make_backup(config, KEY, now)
    for name in (".hidden.zip", "notes.txt", "a b.zip", "-.zip.part"):
        (config.backups_path / name).write_bytes(b"x")
    (config.backups_path / "directory.zip").mkdir()
    (config.backups_path / "link.zip").symlink_to(config.secret_path)
    (config.backups_path / "By-Hand_1.0.zip").write_bytes(b"x")
    shelf = Shelf(config.backups_path)
    assert sorted(file.key for file in shelf.files()) == ["By-Hand_1.0.zip", KEY]
    assert msgspec.to_builtins(shelf.files()[0]).keys() == {"key", "bytes", "modified_ms"}
    for key in ("link.zip", "../secret.key", ".lock", "", "none.zip"):
        with pytest.raises(NotFound):
            shelf.find(key)
