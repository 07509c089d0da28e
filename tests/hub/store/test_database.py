"""One writer, group commits, readers that cannot write, and who else has written."""

import asyncio
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from beszel_hub.accounts.tables import User
from beszel_hub.clock import system_clock
from beszel_hub.errors import Conflict, StartError, Unavailable
from beszel_hub.store import database as database_module
from beszel_hub.store.database import QUEUE_CAPACITY, Database
from beszel_hub.store.tables import bound_database
from tests.support.databases import place_at, provide


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(place_at(tmp_path / "data.db"))
    opened.open()
    yield opened
    opened.close()


def insert(name: str) -> str:
    User.insert(
        id=name, email=f"{name}@example.org", username=name, role="user", verified=True, email_visibility=False,
        password_hash="", token_key="", created=system_clock(), updated=system_clock(),
    ).execute()  # fmt: skip
    return name


def names() -> set[str]:
    return {user.id for user in User.select()}


def insert_and_fail(name: str) -> str:
    insert(name)
    raise RuntimeError("after the insert")


def test_what_is_written_is_read(database: Database) -> None:
    assert database.write_now(lambda: insert("ann")) == "ann"
    assert database.read_now(names) == {"ann"}


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        database.write_now(lambda: insert_and_fail("ann"))
    assert database.read_now(names) == set()


@pytest.mark.sqlite
def test_writes_that_wait_share_a_commit_and_fail_alone(database: Database) -> None:
    statements: list[str] = []
    gate = threading.Event()

    def hold() -> None:
        gate.wait(5)
        bound_database().connection().set_trace_callback(statements.append)

    async def write_together() -> list[str | BaseException]:
        held = asyncio.ensure_future(database.write(hold))
        await asyncio.sleep(0)
        waiting = [
            asyncio.ensure_future(database.write(lambda: insert("ann"))),
            asyncio.ensure_future(database.write(lambda: insert_and_fail("bob"))),
            asyncio.ensure_future(database.write(lambda: insert("ann"))),
            asyncio.ensure_future(database.write(lambda: insert("cyd"))),
        ]
        await asyncio.sleep(0)
        gate.set()
        await held
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, failed, taken, last = asyncio.run(write_together())
    assert (first, last) == ("ann", "cyd")
    assert isinstance(failed, RuntimeError)
    assert isinstance(taken, Conflict)
    assert database.read_now(names) == {"ann", "cyd"}
    assert statements.count("COMMIT") <= 2, "one for the write that held them up, one for the four"


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        database.read_now(lambda: insert("ann"))


def test_a_read_sees_one_commit(database: Database) -> None:
    def read_twice() -> tuple[set[str], set[str]]:
        before = names()
        database.write_now(lambda: insert("ann"))
        return before, names()

    assert database.read_now(read_twice) == (set(), set())


def test_models_work_on_database_threads_only(database: Database) -> None:
    with pytest.raises(AttributeError):
        names()
    with pytest.raises(RuntimeError):
        bound_database()
    assert database.read_now(names) == set()


def test_two_databases_live_side_by_side(database: Database, tmp_path: Path) -> None:
    other = Database(place_at(tmp_path / "other.db"))
    other.open()
    try:
        database.write_now(lambda: insert("ann"))
        other.write_now(lambda: insert("bob"))
        assert database.read_now(names) == {"ann"}
        assert other.read_now(names) == {"bob"}
    finally:
        other.close()


def test_an_endless_query_is_broken_off(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "READ_TIMEOUT_SECONDS", 0.05)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(Unavailable, match="too long"):
        database.read_now(lambda: bound_database().execute_sql(endless).fetchall())
    assert database.read_now(names) == set()


def test_a_full_queue_refuses(database: Database) -> None:
    async def flood() -> int:
        gate = threading.Event()
        waiting = [asyncio.ensure_future(database.write(lambda: gate.wait(10)))]
        await asyncio.sleep(0)
        waiting += [asyncio.ensure_future(database.write(lambda: False)) for _ in range(QUEUE_CAPACITY + 300)]
        await asyncio.sleep(0)
        gate.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        return sum(isinstance(result, Unavailable) for result in results)

    assert 200 < asyncio.run(flood()) <= 301, "those in the queue, and a batch that the writer has taken, go through"
    database.write_now(lambda: insert("ann"))


def test_a_closed_database_refuses(database: Database) -> None:
    database.close()
    database.close()
    with pytest.raises(Unavailable):
        database.write_now(lambda: insert("ann"))


def test_a_cancelled_write_does_not_break_the_writer(database: Database) -> None:
    async def cancel() -> None:
        taken, gate = threading.Event(), threading.Event()

        def hold() -> None:
            taken.set()
            gate.wait(5)

        held = asyncio.ensure_future(database.write(hold))
        assert await asyncio.to_thread(taken.wait, 5), "or the writer may take both at once"
        given_up = asyncio.ensure_future(database.write(lambda: insert("ann")))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        gate.set()
        await held
        await database.write(lambda: insert("bob"))

    asyncio.run(cancel())
    assert database.read_now(names) == {"bob"}


def test_a_write_that_waits_for_a_write_is_told_at_once(database: Database) -> None:
    with pytest.raises(RuntimeError, match="own thread"):
        database.write_now(lambda: database.write_now(lambda: insert("ann")))


def test_it_notices_another_process(database: Database, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from beszel_hub.config import HubConfig;"
        "from beszel_hub.store.database import Database; from beszel_hub.store.tables import bound_database;"
        "d = Database(HubConfig(data_dir=Path(sys.argv[1])).database); d.open();"
        "d.write_now(lambda: bound_database().execute_sql('CREATE TABLE elsewhere (id INTEGER)')); d.close()"
    )

    async def watch() -> list[bool]:
        seen = [await database.changed_elsewhere()]
        await database.write(lambda: insert("ann"))
        seen.append(await database.changed_elsewhere())
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, str(provide(tmp_path))], check=True)
        return [*seen, await database.changed_elsewhere(), await database.changed_elsewhere()]

    assert asyncio.run(watch()) == [False, False, True, False]


@pytest.mark.sqlite
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        opened = Database(place_at(tmp_path / "data.db"))
        opened.open()
        opened.write_now(lambda: insert("ann"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    opened.close()
    assert modes == {"data.db": 0o600, "data.db-wal": 0o600, "data.db-shm": 0o600}


@pytest.mark.sqlite
def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    path.write_bytes(b"certainly no database" * 100)
    with pytest.raises(StartError, match="cannot be used"):
        Database(place_at(path)).open()
    assert path.read_bytes().startswith(b"certainly"), "it stays as it was"
    with pytest.raises(StartError):
        Database(tmp_path / "missing" / "data.db").open()
