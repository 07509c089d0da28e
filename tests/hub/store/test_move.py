"""What is moved from one database to another is the same there, or nobody can use it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import peewee
import pytest

from beszel_hub.cli.tables import TABLES
from beszel_hub.errors import CommandFailed, StartError
from beszel_hub.metrics.tables import ChunkRow, HistoryFloor, HotSample, RollupRow
from beszel_hub.store import postgresql, rows
from beszel_hub.store.database import Database, dialect_at
from beszel_hub.store.dialect import Place
from beszel_hub.store.migrate import UNFINISHED, migrate
from beszel_hub.store.migrations import MIGRATIONS, Migration
from beszel_hub.store.move import Step, move
from beszel_hub.store.partitions import DAY_MS
from beszel_hub.store.rows import read_batches
from beszel_hub.store.tables import Table
from beszel_hub.systems.tables import SystemRow
from tests.support.databases import Server, empty_database, small_server
from tests.support.samples import NOON_MS

pytestmark = pytest.mark.sqlite  # both kinds are used here, whichever the other tests run on

Contents = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with small_server() as started:
        yield started


@pytest.fixture
def url(server: Server, request: pytest.FixtureRequest) -> str:
    """An empty database of this test's own."""
    return empty_database(server, request.node.nodeid)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Rows of every shape: counted, named, of several keys, with and without values, small and large, of many days."""
    with opened(tmp_path / "source.db") as database:
        database.write_now(fill)
    return tmp_path / "source.db"


@contextmanager
def opened(place: Place) -> Iterator[Database]:
    database = Database(place)
    database.open()
    try:
        yield database
    finally:
        database.close()


def fill() -> None:
    for number in range(30):
        SystemRow.insert(
            id=f"system{number:09}", name=f"Höst ☃ {number}", host="", port="", status="up", status_since=NOON_MS,
            info={"cpu": number / 7}, tags=["a"], interval_seconds=-0.0 if number else 1.5, retention={},
            created=NOON_MS, updated=NOON_MS,
        ).execute()  # fmt: skip
        HistoryFloor.insert(system_id=f"system{number % 3:09}", tier=number, instant=NOON_MS).execute()
    for number in range(40):
        first = NOON_MS + number * DAY_MS // 4
        ChunkRow.insert(
            system_id="system000000001", first=first, last=first + 1, samples=1, readings=1, data=os.urandom(40_000)
        ).execute()
        RollupRow.insert(
            system_id="system000000001", tier=(60, 600, 28_800)[number % 3], first=first, last=first + 1, numbers=1,
            data=b"\x00\xff" * number,
        ).execute()  # fmt: skip
    for number in range(500):
        HotSample.insert(id=number * 3 + 1, system_id="s", instant=number, mark=0, document=b"{}").execute()


def everything(place: Place) -> Contents:
    with opened(place) as database:
        dialect = database._dialect

        def read() -> Contents:
            return {
                table.shape().name: [row for batch in read_batches(dialect.reading, table) for row in batch]
                for table in TABLES
            }

        return database.read_now(read)


def relocate(source: Place, target: Place, steps: list[Step] | None = None) -> None:
    move(dialect_at(source), dialect_at(target), TABLES, (lambda _: None) if steps is None else steps.append)


def test_every_table_of_the_schema_is_moved_and_parents_come_first(tmp_path: Path) -> None:
    connection = peewee.SqliteDatabase(str(tmp_path / "data.db"))
    with closing(connection):
        migrate(connection)
        names = [table.shape().name for table in TABLES]
        assert sorted([*names, "migrations"]) == sorted(connection.get_tables())
        assert {shape.__name__ for shape in Table.__subclasses__() if shape not in TABLES} >= {
            "Fingerprint",
            "BeszelAlert",
        }
        for table in TABLES:
            name, fields, key = table.shape()
            assert {field.column_name for field in fields} == {column.name for column in connection.get_columns(name)}
            assert {field.column_name for field in key} == set(connection.get_primary_keys(name))
            parents = {reference.dest_table for reference in connection.get_foreign_keys(name)}
            assert parents <= set(names[: names.index(name)]), name


def test_a_database_is_the_same_there_and_back_again(source: Path, url: str, tmp_path: Path) -> None:
    before = everything(source)
    steps: list[Step] = []
    relocate(source, url, steps)
    assert everything(source) == everything(url) == before
    relocate(url, tmp_path / "back.db")
    assert everything(tmp_path / "back.db") == before
    assert next((step.rows, step.of_rows) for step in steps if step.table == "systems") == (0, 30)
    last = {(step.table, step.is_checking): (step.rows, step.of_rows) for step in steps}
    assert last["hot_samples", False] == last["hot_samples", True] == (500, 500)


def test_new_rows_come_after_the_moved_ones_and_history_lies_in_its_partitions(source: Path, url: str) -> None:
    relocate(source, url)
    with opened(url) as database:

        def insert() -> list[int]:
            hot = HotSample.insert(system_id="s", instant=1, mark=0, document=b"").execute()
            chunk = ChunkRow.insert(system_id="s", first=0, last=1, samples=1, readings=1, data=b"").execute()
            return [hot, chunk[0] if isinstance(chunk, tuple) else chunk]

        assert database.write_now(insert) == [499 * 3 + 2, 41]
        count = "SELECT (SELECT count(*) FROM ONLY chunks_rest), (SELECT count(*) FROM ONLY rollups_rest)"
        reading: peewee.Database = database._dialect.reading
        assert database.read_now(lambda: reading.execute_sql(count).fetchone()) == (1, 0), "one has just been put there"


def test_batches_are_bounded_by_their_bytes(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_BYTES", 100_000)
    monkeypatch.setattr(rows, "BATCH_ROWS", 200)
    with opened(source) as database:
        reading = database._dialect.reading

        def count(table: type[Table]) -> list[int]:
            return [len(batch) for batch in read_batches(reading, table)]

        assert database.read_now(lambda: [count(table) for table in (ChunkRow, HotSample, SystemRow)]) == [
            [2] * 20,
            [200, 200, 100],
            [30],
        ]
        monkeypatch.setattr(rows, "BATCH_BYTES", 10_000)
        assert database.read_now(lambda: count(ChunkRow)) == [1] * 40


KILLED = """
import os, signal, sys
from pathlib import Path
from beszel_hub.cli.tables import TABLES
from beszel_hub.store.database import dialect_at
from beszel_hub.store.move import move
source, target, table, is_checking = sys.argv[1:]
place = target if "://" in target else Path(target)
def tell(step):
    if step.table == table and step.is_checking == bool(is_checking) and step.rows:
        os.kill(os.getpid(), signal.SIGKILL)
move(dialect_at(Path(source)), dialect_at(place), TABLES, tell)
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("table", "is_checking"), [("systems", ""), ("chunks", ""), ("hot_samples", "1")])
def test_half_of_a_site_is_no_site(
    source: Path, url: str, tmp_path: Path, kind: str, table: str, is_checking: str
) -> None:
    target: Place = url if kind == "postgresql" else tmp_path / "target.db"
    argv = [sys.executable, "-c", KILLED, str(source), str(target), table, is_checking]
    ended = subprocess.run(argv, timeout=60, check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with pytest.raises(StartError, match="part of a move that was cut off"):
        Database(target).open(is_serving=True)
    with opened(source) as database:  # a hub went on with what it had

        def go_on() -> None:
            SystemRow.update(name="renamed").where(SystemRow.id == "system000000001").execute()
            HotSample.delete().where(HotSample.id < 100).execute()
            ChunkRow.delete().where(ChunkRow.id == 40).execute()

        database.write_now(go_on)
    before = everything(source)
    relocate(source, target)
    assert everything(target) == before


def test_what_is_not_the_same_afterwards_is_not_used(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store_others(table: type[Table], batch: list[rows.Row]) -> None:
        rows.store_batch(table, [(*row[:-1], row[-1] + 1) for row in batch] if table is HistoryFloor else batch)

    monkeypatch.setattr("beszel_hub.store.move.store_batch", store_others)
    with pytest.raises(CommandFailed, match="history_floors is not the same"):
        relocate(source, tmp_path / "target.db")
    with pytest.raises(StartError, match="cut off"):
        Database(tmp_path / "target.db").open()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_in_use_is_no_target(source: Path, url: str, server: Server, tmp_path: Path, kind: str) -> None:
    target: Place = url if kind == "postgresql" else tmp_path / "target.db"
    with opened(target) as database:
        database.write_now(fill)
    before = everything(target)
    with pytest.raises(StartError, match="not empty"):
        relocate(source, target)
    assert everything(target) == before
    with pytest.raises(StartError, match="not empty"):
        relocate(source, source)


def test_tables_of_somebody_else_are_left_alone(source: Path, url: str, tmp_path: Path) -> None:
    other = peewee.SqliteDatabase(str(tmp_path / "other.db"))
    other.execute_sql("CREATE TABLE recipes (id INTEGER)")
    other.close()
    image = (tmp_path / "other.db").read_bytes()
    with pytest.raises(StartError, match="'recipes'"):
        relocate(source, tmp_path / "other.db")
    assert (tmp_path / "other.db").read_bytes() == image
    (tmp_path / "text").write_text("no database at all" * 100)
    with pytest.raises(StartError, match="cannot be used"):
        relocate(source, tmp_path / "text")
    with pytest.raises(StartError, match="cannot be used"):
        relocate(source, url + "&port=1")


def test_only_this_versions_schema_is_moved(tmp_path: Path) -> None:
    newer = Migration(MIGRATIONS[-1].number + 1, "future", ("CREATE TABLE future (id INTEGER)",))
    complaints = {"older": "older version", "newer": "this version knows", "cut": "cut off", "none": "not the database"}
    schemas = {"older": MIGRATIONS[:-1], "newer": (*MIGRATIONS, newer), "cut": (UNFINISHED, *MIGRATIONS), "none": ()}
    for name, migrations in schemas.items():
        connection = peewee.SqliteDatabase(str(tmp_path / name))
        migrate(connection, migrations)
        connection.close()
        with pytest.raises(StartError, match=complaints[name]):
            relocate(tmp_path / name, tmp_path / "target.db")
        assert not (tmp_path / "target.db").exists()


def test_a_hub_that_serves_keeps_its_database(
    source: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relocate(source, url)
    serving = Database(url)
    serving.open(is_serving=True)
    try:
        monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_SECONDS", 0.1)
        with pytest.raises(StartError, match="another hub"):
            relocate(url, tmp_path / "back.db")
    finally:
        serving.close()


def test_a_text_that_the_target_cannot_hold_is_named_by_its_table(source: Path, url: str) -> None:
    with opened(source) as database:
        database.write_now(lambda: SystemRow.update(host="a\0b").where(SystemRow.id == "system000000001").execute())
    with pytest.raises(CommandFailed, match=r"broke off in the table systems: .*NUL"):
        relocate(source, url)
    with opened(source) as database:
        database.write_now(lambda: SystemRow.update(host="ab").where(SystemRow.id == "system000000001").execute())
    relocate(source, url)
    assert everything(url) == everything(source)
