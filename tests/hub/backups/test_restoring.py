"""What was there gives way to a backup and is kept; what is no sound backup changes nothing."""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import peewee
import pytest

from beszel_hub.backups.making import make_backup
from beszel_hub.backups.restoring import alone, check_backup, refuse_half_restored, restore
from beszel_hub.config import HubConfig
from beszel_hub.errors import BackupFailed, InvalidBackup, StartError
from beszel_hub.store.locks import hold
from beszel_hub.store.migrate import migrate
from beszel_hub.store.migrations import MIGRATIONS
from tests.support.backups import (
    add_systems,
    make_site,
    needs_file,
    opened,
    read_members,
    rewrite,
    run_child,
    system_names,
    write_members,
)
from tests.support.samples import NOON_MS

pytestmark = needs_file

KEY = "one.zip"
NEWEST = max(migration.number for migration in MIGRATIONS)
EXITS_BETWEEN_MOVES = """
import os, sys
from pathlib import Path
from beszel_hub.backups.restoring import restore
from beszel_hub.config import HubConfig

rename, left = Path.rename, iter(range(int(sys.argv[3])))
Path.rename = lambda self, target: rename(self, target) if next(left, None) is not None else os._exit(9)
restore(HubConfig(data_dir=Path(sys.argv[1])), Path(sys.argv[2]), lambda: 0)
"""


def now() -> int:
    return NOON_MS


@pytest.fixture
def site(tmp_path: Path) -> HubConfig:
    """With the system `then` in its backup, and `later` besides now, and a file that came later too."""
    config = make_site(tmp_path / "data", "then")
    make_backup(config, KEY, now)
    with opened(config) as database:
        add_systems(database, "later")
    config.systems_file_path.write_text("systems: []\n")
    return config


def backup_of(config: HubConfig) -> Path:
    return config.backups_path / KEY


def files_of(config: HubConfig) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in config.data_dir.iterdir() if path.is_file()}


def test_what_was_there_is_moved_aside(site: HubConfig) -> None:
    config = site
    before = files_of(config)
    restored = restore(config, backup_of(config), now)
    assert restored.aside == config.data_dir / "before-restore-20261122120000"
    assert {path.name: path.read_bytes() for path in restored.aside.iterdir()} == before
    assert files_of(config).keys() == {"data.db", "secret.key", "id_ed25519"}
    assert system_names(config) == ["then"]
    assert system_names(HubConfig(data_dir=restored.aside)) == ["later", "then"]
    assert restore(config, backup_of(config), now).aside.name == "before-restore-20261122120000-1"


def test_an_empty_directory_becomes_the_hub_that_was(site: HubConfig, tmp_path: Path) -> None:
    other = HubConfig(data_dir=tmp_path / "other")
    other.data_dir.mkdir()
    restore(other, backup_of(site), now)
    assert system_names(other) == ["then"]
    assert other.key_path.read_bytes() == site.key_path.read_bytes()
    assert other.secret_path.stat().st_mode & 0o777 == 0o600


def change_manifest(**changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        manifest = msgspec.json.decode(read_members(path)["manifest.json"])
        rewrite(path, manifest_json=msgspec.json.encode(manifest | changes))

    return change


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def spoil_name(path: Path) -> None:
    """In the directory of the archive, with the flag that says it is UTF-8."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 9] |= 0x08
    content[entry + 46] = 0xFF
    path.write_bytes(content)


def announce(name: str, content: bytes) -> Callable[[Path], None]:
    """Have the archive hold a member with all that the manifest says about it."""

    def change(path: Path) -> None:
        members = read_members(path)
        members[name] = content
        manifest = msgspec.json.decode(members["manifest.json"])
        kept = [member for member in manifest["members"] if member["name"] != name]
        added = {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        members["manifest.json"] = msgspec.json.encode(manifest | {"members": [*kept, added]})
        write_members(path, members)

    return change


def migrate_to_the_future(path: Path) -> None:
    database = path.with_name("future.db")
    database.write_bytes(read_members(path)["data.db"])
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO migrations VALUES (999, 'future', 1)")
    announce("data.db", database.read_bytes())(path)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no archive": (lambda path: path.write_bytes(b"PK not really"), "damaged"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "cut off": (cut, "damaged"),
    "a flipped bit": (flip, "damaged"),
    "a name in no encoding": (spoil_name, "damaged"),
    "no manifest": (lambda path: rewrite(path, manifest_json=None), "no backup"),
    "a manifest of something else": (lambda path: rewrite(path, manifest_json=b'{"a": 1}'), "no backup"),
    "another format": (change_manifest(format=2), "format 2"),
    "a newer schema": (change_manifest(schema=NEWEST + 1, version="9.9"), "version 9.9"),
    "a newer schema that the manifest hides": (migrate_to_the_future, "schema 999"),
    "a member that is not announced": (lambda path: rewrite(path, evil=b"x"), "members"),
    "a member out of the directory": (announce("../evil", b"x"), "members"),
    "a member that is no file of a hub": (announce("authorized_keys", b"x"), "members"),
    "other content": (lambda path: rewrite(path, secret_key=b"y" * 32), "secret.key"),
    "more content": (lambda path: rewrite(path, secret_key=b"y" * (8 << 20)), "secret.key"),
    "less content": (lambda path: rewrite(path, id_ed25519=b""), "id_ed25519"),
    "no database": (change_manifest(members=[]), "members"),
    "a database that is none": (announce("data.db", b"SQLite format 3\0" * 1000), "damaged"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_sound_backup_changes_nothing(site: HubConfig, kind: str) -> None:
    spoil, reason = BAD[kind]
    spoil(backup_of(site))
    before = files_of(site)
    with pytest.raises(InvalidBackup, match=reason):
        check_backup(backup_of(site))
    with pytest.raises(InvalidBackup, match=reason):
        restore(site, backup_of(site), now)
    assert files_of(site) == before
    assert not list(site.data_dir.glob("before-restore-*"))
    assert not list(site.data_dir.glob(".unpacked-*"))


def test_an_older_schema_is_brought_up_at_the_next_start(tmp_path: Path) -> None:
    config = make_site(tmp_path / "data")
    config.database_path.unlink()
    old = peewee.SqliteDatabase(str(config.database_path))
    migrate(old, MIGRATIONS[:3])
    old.close()
    made = make_backup(config, KEY, now)
    assert made.schema == 3
    restore(config, backup_of(config), now)
    assert system_names(config) == []  # every table of this version is there


@pytest.mark.parametrize("moves", range(6))
def test_no_hub_starts_on_half_a_restore_and_the_next_one_ends_it(site: HubConfig, moves: int) -> None:
    assert run_child(EXITS_BETWEEN_MOVES, site.data_dir, backup_of(site), moves) == 9
    with pytest.raises(StartError, match="did not end"):
        refuse_half_restored(site)
    restore(site, backup_of(site), now)
    refuse_half_restored(site)
    assert system_names(site) == ["then"]
    assert not list(site.data_dir.glob(".unpacked-*"))
    kept = [path.read_bytes() for path in site.data_dir.glob("before-restore-*/config.yml")]
    assert kept == [b"systems: []\n"]


def test_what_cannot_be_moved_stays_with_all_the_rest(site: HubConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file that something is mounted on, in a container."""
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self == site.systems_file_path:
            raise OSError(16, "Device or resource busy")
        return rename(self, target)

    before = files_of(site)
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(BackupFailed, match="busy"):
        restore(site, backup_of(site), now)
    assert files_of(site) == before
    refuse_half_restored(site)


def test_a_restore_that_fails_on_half_of_another_leaves_the_mark_of_that(
    site: HubConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a hub would start on whatever the first has left, such as no database at all."""
    assert run_child(EXITS_BETWEEN_MOVES, site.data_dir, backup_of(site), 2) == 9
    rename, before = Path.rename, files_of(site)

    def refuse(self: Path, target: Path) -> Path:
        if target == site.key_path and self.parent.name.startswith(".unpacked-"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(BackupFailed, match="No space"):
            restore(site, backup_of(site), now)
    assert files_of(site) == before
    with pytest.raises(StartError, match="did not end"):
        refuse_half_restored(site)


def test_a_directory_of_backups_that_cannot_be_used_is_told(site: HubConfig, tmp_path: Path) -> None:
    kept = backup_of(site).rename(tmp_path / KEY)
    shutil.rmtree(site.backups_path)
    site.backups_path.write_text("in the way")
    with pytest.raises(BackupFailed, match="cannot be used"):
        restore(site, kept, now)


def test_never_beside_a_running_hub(site: HubConfig) -> None:
    with hold(site.lock_path), pytest.raises(BackupFailed, match="stop it first"), alone(site):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files that are somebody else's")
def test_what_root_makes_is_the_hubs(tmp_path: Path) -> None:
    nobody = 65534
    config = make_site(tmp_path / "data", "then")
    for path in (config.data_dir, *config.data_dir.iterdir()):
        os.chown(path, nobody, nobody)
    make_backup(config, KEY, now)
    with alone(config):
        restored = restore(config, backup_of(config), now)
    assert system_names(config) == ["then"]
    found = [config.backups_path, *config.backups_path.iterdir(), restored.aside, *config.data_dir.iterdir()]
    assert [path.name for path in found if path.stat().st_uid != nobody] == []
