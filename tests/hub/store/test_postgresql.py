"""PostgreSQL as it is: a server that goes and comes back, a second hub, partitions, and what must not be seen."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import peewee
import pytest

from beszel_hub.cli.opening import open_database
from beszel_hub.config import HubConfig
from beszel_hub.errors import BadRequest, StartError, Unavailable
from beszel_hub.metrics.series import SealedWindow, insert_chunk
from beszel_hub.metrics.tables import ChunkRow
from beszel_hub.store import postgresql
from beszel_hub.store.connections import Connections
from beszel_hub.store.database import Database
from beszel_hub.store.migrate import Spelling, migrate
from beszel_hub.store.migrations import MIGRATIONS, Migration
from beszel_hub.store.migrations.spelling import to_postgresql
from beszel_hub.store.partitions import DAY_MS
from beszel_hub.store.postgresql import Postgresql
from beszel_hub.store.tables import Table, bound_database, bound_dialect
from beszel_hub.store.urls import without_password
from tests.support.databases import Server
from tests.support.programs import wait_until

_COUNT = "SELECT count(*) FROM {}"
SPELLING = Spelling("postgresql", to_postgresql)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    options = {"listen_addresses": "", "shared_buffers": "16MB", "max_connections": "40", "fsync": "off"}
    with closing(Server(options)) as started:
        started.execute("CREATE DATABASE migrated")
        with opened(started.url("migrated")):
            pass
        yield started


@pytest.fixture
def url(server: Server, request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own."""
    name = f"hub_{abs(hash(request.node.nodeid)):x}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
    return server.url(name)


@contextmanager
def opened(url: str, *, is_serving: bool = False) -> Iterator[Database]:
    database = Database(url)
    database.open(is_serving=is_serving)
    try:
        yield database
    finally:
        database.close()


def test_a_server_that_is_away_is_waited_for_by_nobody_and_taken_up_again(server: Server, url: str) -> None:
    with opened(url, is_serving=True) as database:
        assert database.read_now(count_removals) == 0
        database.write_now(lambda: remove("a"))
        asyncio.run(database.changed_elsewhere())
        server.stop(signal.SIGQUIT)
        try:
            for attempt in (lambda: database.read_now(count_removals), lambda: database.write_now(lambda: remove("b"))):
                with pytest.raises(Unavailable):
                    attempt()
        finally:
            server.start()
        database.write_now(lambda: remove("c"))
        assert database.read_now(count_removals) == 2
        assert asyncio.run(database.changed_elsewhere()), "who was away may have missed something"


def test_a_connection_that_is_lost_in_a_transaction_is_replaced_after_it(url: str) -> None:
    with opened(url) as database:
        with pytest.raises(Unavailable):
            database.write_now(remove_and_be_cut_off)
        database.write_now(lambda: remove("b"))
        assert database.read_now(count_removals) == 1


def test_one_hub_serves_and_others_may_write_beside_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(url, is_serving=True) as serving:
        assert not asyncio.run(serving.changed_elsewhere())
        monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_SECONDS", 0.1)
        with pytest.raises(StartError, match="another hub"):
            Database(url).open(is_serving=True)
        serving.write_now(lambda: remove("own"))
        assert not asyncio.run(serving.changed_elsewhere())
        with opened(url) as beside:
            beside.write_now(lambda: remove("other"))
        assert asyncio.run(serving.changed_elsewhere())
        assert not asyncio.run(serving.changed_elsewhere())
    with opened(url, is_serving=True):
        pass


def test_writers_of_two_processes_wait_for_each_other(url: str) -> None:
    with opened(url) as first, opened(url) as second:
        has_read, may_write = Event(), Event()

        def count_then_remove() -> int:
            count = count_removals()
            has_read.set()
            assert may_write.wait(10)
            remove(f"after {count}")
            return count

        counts: list[int] = []
        holder = Thread(target=lambda: counts.append(first.write_now(count_then_remove)))
        holder.start()
        assert has_read.wait(10)
        waiter = Thread(target=lambda: counts.append(second.write_now(count_removals)))
        waiter.start()
        wait_until("the second waits for the lock", lambda: first.read_now(count_waiting) == 1)
        may_write.set()
        holder.join(10)
        waiter.join(10)
        assert sorted(counts) == [0, 1], "the second has seen what the first wrote"


def test_a_writer_that_waits_too_long_gives_up_and_goes_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(url) as first:
        monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_SECONDS", 0.1)
        holds, may_end = Event(), Event()

        def hold() -> None:
            holds.set()
            may_end.wait(10)

        holder = Thread(target=lambda: first.write_now(hold))
        with opened(url) as second:
            holder.start()
            assert holds.wait(10)
            with pytest.raises(Unavailable):
                second.write_now(lambda: remove("a"))
            may_end.set()
            holder.join(10)
            second.write_now(lambda: remove("b"))
            assert second.read_now(count_removals) == 1


def test_what_cannot_be_reached_is_told_without_its_password(server: Server, tmp_path: Path) -> None:
    url = f"postgresql://hub:s3cr3t@/missing?host={server.directory}"
    with pytest.raises(StartError, match="missing") as refusal:
        Database(url).open()
    assert "s3cr3t" not in str(refusal.value)
    config = HubConfig(data_dir=tmp_path, database_url=url)
    with pytest.raises(StartError), open_database(config):
        pass
    assert not (tmp_path / "data.db").exists()


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "beszel_hub.store.postgresql")
    with pytest.raises(StartError, match=r"pip install 'beszel-suite\[postgres\]'"):
        Database("postgresql://db/beszel")


def test_flags_are_booleans_in_every_table(url: str) -> None:
    """SQLite would not mind."""
    query = "SELECT data_type FROM information_schema.columns WHERE (table_name, column_name) = (%s, %s)"

    def find_wrong() -> list[str]:
        found = []
        for table in Table.__subclasses__():
            for field in table._meta.sorted_fields:
                place = (table._meta.table_name, field.column_name)
                kind = bound_database().execute_sql(query, place).fetchone()
                if kind is not None and (kind[0] == "boolean") is not isinstance(field, peewee.BooleanField):
                    found.append(".".join(place))
        return found

    with opened(url) as database:
        assert database.read_now(find_wrong) == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://hub:pass@db:5433/beszel?sslmode=verify-full", "postgresql://hub@db:5433/beszel?sslmode=verify-full"),
        ("postgres://db/beszel?password=pass&user=hub", "postgres://db/beszel?user=hub"),
        ("postgresql:///beszel?host=/run/postgresql", "postgresql:///beszel?host=/run/postgresql"),
    ],
)  # fmt: skip
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_a_text_that_it_cannot_hold_is_refused(url: str) -> None:
    with opened(url) as database, pytest.raises(BadRequest):
        database.write_now(lambda: remove("nul \x00"))


def test_an_older_schema_comes_to_the_newest(server: Server) -> None:
    for name in ("fresh", "old"):
        server.execute(f"CREATE DATABASE {name}")
    fresh, old = Postgresql(server.url("fresh")).writing, Postgresql(server.url("old")).writing
    with fresh.connection_context(), old.connection_context():
        migrate(fresh, spelling=SPELLING)
        migrate(old, MIGRATIONS[:6], SPELLING)
        ran = migrate(old, spelling=SPELLING)
        assert [migration.number for migration in ran] == [migration.number for migration in MIGRATIONS[6:]]
        assert migrate(old, spelling=SPELLING) == []
        assert schema(old) == schema(fresh)
        newer = Migration(MIGRATIONS[-1].number + 1, "future", ("CREATE TABLE future (id INTEGER)",))
        migrate(old, (*MIGRATIONS, newer), SPELLING)
    with pytest.raises(StartError, match="schema"):
        Database(server.url("old")).open()


def test_history_lies_in_partitions_that_go_when_they_are_empty(url: str) -> None:
    days = [20_000 * DAY_MS, 20_000 * DAY_MS + 1, 20_001 * DAY_MS]
    with opened(url) as database:
        for first in days:
            database.write_now(lambda first=first: insert_chunk(chunk_at(first)))  # type: ignore[misc]
        assert database.read_now(partitions) == {"chunks_20000": 2, "chunks_20001": 1, "chunks_rest": 0}
        before = asyncio.run(database.measure())

        def drop(until_ms: int) -> None:
            ChunkRow.delete().where(ChunkRow.first < days[1]).execute()
            bound_dialect().drop_partitions("chunks", until_ms)

        database.write_now(lambda: drop(days[2]))
        assert "chunks_20000" in database.read_now(partitions), "something is in it"
        after = asyncio.run(database.measure())
        assert after.whole - after.free < before.whole - before.free, "what is deleted counts as free"

        def drop_day() -> None:
            ChunkRow.delete().where(ChunkRow.first < days[2]).execute()
            bound_dialect().drop_partitions("chunks", days[2])

        database.write_now(drop_day)
        assert database.read_now(partitions) == {"chunks_20001": 1, "chunks_rest": 0}
        assert asyncio.run(database.measure()).whole < before.whole


def test_a_partition_that_somebody_reads_stays_until_another_time(url: str) -> None:
    with opened(url) as database:
        database.write_now(lambda: insert_chunk(chunk_at(DAY_MS)))
        is_reading, may_end = Event(), Event()

        def read_for_long() -> None:
            ChunkRow.select().count()
            is_reading.set()
            may_end.wait(10)

        reader = Thread(target=lambda: database.read_now(read_for_long))
        reader.start()
        assert is_reading.wait(10)

        def delete_and_drop() -> None:
            ChunkRow.delete().execute()
            bound_dialect().drop_partitions("chunks", 9 * DAY_MS)

        database.write_now(delete_and_drop)
        assert database.read_now(partitions) == {"chunks_1": 0, "chunks_rest": 0}
        may_end.set()
        reader.join(10)
        database.write_now(delete_and_drop)
        assert database.read_now(partitions) == {"chunks_rest": 0}


def chunk_at(first: int) -> SealedWindow:
    return SealedWindow("a system", first, first, 1, 1, os.urandom(100_000), [])


def partitions() -> dict[str, int]:
    """Rows by table."""
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'chunks'::regclass"
    names = [name for (name,) in bound_database().execute_sql(query).fetchall()]
    return {name: bound_database().execute_sql(_COUNT.format(name)).fetchone()[0] for name in names}


def remove(name: str) -> None:
    bound_database().execute_sql("INSERT INTO history_removals VALUES (%s, 0)", (name,))


def remove_and_be_cut_off() -> None:
    remove("a")
    bound_database().execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")


def schema(database: Connections) -> set[tuple[str, ...]]:
    """Columns in any order, indexes and triggers."""
    queries = (
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"  # noqa: ISC004
        " WHERE table_schema = 'public'",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT trigger_name, event_object_table FROM information_schema.triggers",
    )
    return {row for query in queries for row in database.ensure().execute(query).fetchall()}


def count_removals() -> int:
    return int(bound_database().execute_sql("SELECT count(*) FROM history_removals").fetchone()[0])


def count_waiting() -> int:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return int(bound_database().execute_sql(query).fetchone()[0])
