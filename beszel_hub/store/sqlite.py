"""SQLite in WAL mode: one file, private to its owner, for a hub alone."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import peewee

from beszel_hub.errors import Conflict, HubError, StartError, Unavailable
from beszel_hub.store.dialect import FileSize
from beszel_hub.store.files import make_private_file
from beszel_hub.store.migrate import migrate
from beszel_hub.store.migrations import MIGRATIONS, Migration

BUSY_TIMEOUT_SECONDS: Final = 10.0
_OPCODES_BETWEEN_CHECKS: Final = 20_000
_COMMON_PRAGMAS: Final = {"foreign_keys": 1, "trusted_schema": 0, "cache_size": -8192, "temp_store": 2}
_INCREMENTAL: Final = 2
# `auto_vacuum` comes first: it is decided with the first page of a new file.
_WRITER_PRAGMAS: Final = {
    "auto_vacuum": _INCREMENTAL, "journal_mode": "wal", "synchronous": "full", "journal_size_limit": 64 << 20,
}  # fmt: skip
_READER_PRAGMAS: Final = {"query_only": 1}
_PASSING_ERRORS: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})


class Sqlite:
    name = "sqlite"
    failures: tuple[type[Exception], ...] = (peewee.PeeweeException, sqlite3.Error, OSError)

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)
        self.writing = _connections(path, _COMMON_PRAGMAS | _WRITER_PRAGMAS)
        self.reading = _connections(path, _COMMON_PRAGMAS | _READER_PRAGMAS)
        self._data_version: int | None = None

    def prepare(self, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        try:
            make_private_file(self._path)
            with self.writing.connection_context():
                migrate(self.writing, migrations)
        except self.failures as error:
            raise StartError(f"the database {self._path} cannot be used: {error}") from error

    def claim(self) -> None:
        """Commands write beside a hub, and two hubs would need the same data directory."""

    def attach(self, connections: peewee.Database) -> None:
        connections.connect()

    def detach(self, connections: peewee.Database) -> None:
        """The last one folds the log into the file."""
        connections.close()

    def read_transaction(self, timeout_seconds: float) -> AbstractContextManager[Any]:
        connection: sqlite3.Connection = self.reading.connection()
        connection.set_progress_handler(_breaker(time.monotonic() + timeout_seconds), _OPCODES_BETWEEN_CHECKS)
        transaction: AbstractContextManager[Any] = self.reading.atomic("DEFERRED")
        return transaction

    def write_transaction(self) -> AbstractContextManager[Any]:
        transaction: AbstractContextManager[Any] = self.writing.atomic("IMMEDIATE")
        return transaction

    def can_go_on(self) -> bool:
        """A full disk or a broken file rolls everything back."""
        return bool(self.writing.connection().in_transaction)

    def changed_elsewhere(self) -> bool:
        before, self._data_version = self._data_version, int(self.writing.data_version)
        return before is not None and before != self._data_version

    def measure(self) -> FileSize:
        return _measure(self.reading)

    def reclaim(self, pages: int) -> bool:
        before = _measure(self.writing)
        self.writing.execute_sql(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
        return _measure(self.writing).whole < before.whole

    def provide_partition(self, table: str, instant_ms: int, tier: int | None = None) -> None:
        """Tables are whole."""

    def drop_partitions(self, table: str, before_ms: int, tier: int | None = None) -> None:
        """Tables are whole."""

    def adopt(self, table: str, key: str | None, newest: int | None) -> None:
        """Ids count up from the greatest there is."""

    def translate(self, error: Exception) -> Exception:
        if isinstance(error, peewee.IntegrityError):
            return _because(Conflict(), error)
        cause, code = _find_cause(error)
        if code is None:
            return error
        if code & 0xFF == sqlite3.SQLITE_INTERRUPT:
            return _because(Unavailable("The query took too long; narrow it down."), cause)
        return _because(Unavailable(), cause) if code & 0xFF in _PASSING_ERRORS else cause


def _connections(path: Path, pragmas: dict[str, Any]) -> peewee.SqliteDatabase:
    """Peewee's SQLite, one connection a thread, opened by its workers only."""
    return peewee.SqliteDatabase(str(path), pragmas=pragmas, timeout=BUSY_TIMEOUT_SECONDS, autoconnect=False)


def _measure(database: peewee.SqliteDatabase) -> FileSize:
    page, pages, free = (database.pragma(name) for name in ("page_size", "page_count", "freelist_count"))
    return FileSize(page * pages, page * free)


def _breaker(deadline: float) -> Callable[[], int]:
    return lambda: int(time.monotonic() > deadline)


def _find_cause(error: Exception) -> tuple[Exception, int | None]:
    """What went wrong in SQLite, with its code; None for what has none.

    A full disk ends the transaction by itself, and what is told then is that there is none to be rolled back.
    """
    told = _code_of(error)
    cause: BaseException | None = error
    while told == sqlite3.SQLITE_ERROR and isinstance(cause, Exception):
        code = _code_of(cause)
        if code is not None and code != sqlite3.SQLITE_ERROR:
            return cause, code
        cause = cause.__context__
    return error, told


def _code_of(error: Exception) -> int | None:
    code: int | None = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return code


def _because(refusal: HubError, cause: Exception) -> HubError:
    refusal.__cause__ = cause
    return refusal
