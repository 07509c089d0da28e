"""From every older version to the newest; never from a newer one."""

import multiprocessing
import re
from pathlib import Path

import peewee
import pytest

from beszel_hub.errors import StartError
from beszel_hub.store.database import Database
from beszel_hub.store.migrate import migrate
from beszel_hub.store.migrations import MIGRATIONS, Migration

FOLDER = Path(__file__).parents[3] / "beszel_hub" / "store" / "migrations"


def _schema(path: Path) -> set[str]:
    connection = peewee.SqliteDatabase(str(path))
    rows = connection.execute_sql("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {" ".join(re.sub(r"\s+", " ", str(part)) for part in row) for row in rows}


def _migrate(path: Path, migrations: tuple[Migration, ...]) -> list[int]:
    connection = peewee.SqliteDatabase(str(path))
    try:
        return [migration.number for migration in migrate(connection, migrations)]
    finally:
        connection.close()


def _open(path: str) -> None:
    database = Database(Path(path))
    database.open()
    database.close()


def test_numbers_rise_and_each_has_its_module() -> None:
    assert [migration.number for migration in MIGRATIONS] == sorted({migration.number for migration in MIGRATIONS})
    modules = {path.stem for path in FOLDER.glob("m[0-9]*.py")}
    assert modules == {f"m{migration.number:04d}_{migration.name}" for migration in MIGRATIONS}


@pytest.mark.parametrize("older", range(len(MIGRATIONS)))
def test_every_older_version_comes_to_the_newest(tmp_path: Path, older: int) -> None:
    _migrate(tmp_path / "fresh.db", MIGRATIONS)
    if older:
        _migrate(tmp_path / "old.db", MIGRATIONS[:older])
    ran = _migrate(tmp_path / "old.db", MIGRATIONS)
    assert ran == [migration.number for migration in MIGRATIONS[older:]]
    assert _schema(tmp_path / "old.db") == _schema(tmp_path / "fresh.db")
    assert _migrate(tmp_path / "old.db", MIGRATIONS) == []


BUILT_UPON = {11, 12}
"""What later ones change; no database has seen those without it."""


@pytest.mark.parametrize("late", [one.number for one in MIGRATIONS if one.number > 5 and one.number not in BUILT_UPON])
def test_one_that_is_added_below_others_still_runs(tmp_path: Path, late: int) -> None:
    """Two branches of development number theirs independently, and a database may have seen only one of them."""
    _migrate(tmp_path / "data.db", tuple(migration for migration in MIGRATIONS if migration.number != late))
    assert _migrate(tmp_path / "data.db", MIGRATIONS) == [late]
    assert _migrate(tmp_path / "data.db", MIGRATIONS) == []
    _migrate(tmp_path / "fresh.db", MIGRATIONS)
    assert _schema(tmp_path / "data.db") == _schema(tmp_path / "fresh.db")


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    newer = Migration(MIGRATIONS[-1].number + 1, "future", ("CREATE TABLE future (id)",))
    _migrate(tmp_path / "data.db", (*MIGRATIONS, newer))
    with pytest.raises(StartError, match="schema"):
        Database(tmp_path / "data.db").open()


def test_a_failed_migration_leaves_the_version_before(tmp_path: Path) -> None:
    broken = Migration(MIGRATIONS[-1].number + 1, "broken", ("CREATE TABLE half (id)", "no SQL at all"))
    _migrate(tmp_path / "data.db", MIGRATIONS)
    before = _schema(tmp_path / "data.db")
    with pytest.raises(peewee.OperationalError):
        _migrate(tmp_path / "data.db", (*MIGRATIONS, broken))
    assert _schema(tmp_path / "data.db") == before


def test_several_processes_may_start_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.map(_open, [str(tmp_path / "data.db")] * 4)
    assert _migrate(tmp_path / "data.db", MIGRATIONS) == []
