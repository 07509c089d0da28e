"""PostgreSQL, for sites too large for one file: many processes may read, one transaction at a time writes.

Writers wait for each other, as they do in SQLite, by a lock that every one of them takes first: what one has looked up
cannot have changed when it writes. A second lock belongs to the one hub that serves the database.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import peewee

from beszel_hub.errors import BadRequest, Conflict, HubError, StartError, Unavailable
from beszel_hub.store.dialect import FileSize
from beszel_hub.store.migrate import Spelling, migrate
from beszel_hub.store.migrations import MIGRATIONS, Migration
from beszel_hub.store.migrations.spelling import to_postgresql
from beszel_hub.store.partitions import Partitions
from beszel_hub.store.urls import without_password

try:
    import psycopg
except ImportError as error:
    raise StartError("a PostgreSQL database needs its driver: pip install 'beszel-suite[postgres]'") from error

from beszel_hub.store.connections import Connections

LOCK_TIMEOUT_SECONDS: Final = 10.0
_LOCKS: Final = 0x62737A6C
"""The first number of the hub's advisory locks, of which a database has a single set for everybody."""
_WRITING, _SERVING = 1, 2
_CHANNEL: Final = "beszel_hub_changes"
_NEXT_ID: Final = "SELECT setval(pg_get_serial_sequence(%s, %s), %s, %s)"
_PASSING_CLASSES: Final = frozenset({"08", "40", "53", "55", "57", "58"})
"""Connection, serialization, resources, locks, the operator, the system: what another time may go well."""


class Postgresql:
    name = "postgresql"
    failures: tuple[type[Exception], ...] = (peewee.PeeweeException, psycopg.Error)

    def __init__(self, url: str) -> None:
        self.place = without_password(url)
        self._is_serving = False
        self._is_listening = False
        self._has_news = False
        self._read_timeout_ms = 0
        self._partitions = Partitions()
        self.writing = Connections(url, self._writing_prelude, self._prepare_writer)
        self.reading = Connections(url, self._reading_prelude, _prepare_reader)

    def prepare(self, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        try:
            with self.writing.connection_context():
                migrate(self.writing, migrations, Spelling("postgresql", to_postgresql))
        except self.failures as error:
            raise StartError(f"the database {self.place} cannot be used: {_first_line(error)}") from error

    def claim(self) -> None:
        self._is_serving = True
        try:
            self.writing.ensure()  # a first connection, which takes the lock as every later one does
        except self.failures as error:
            is_taken = isinstance(_find_cause(error), psycopg.errors.LockNotAvailable)
            complaint = "is served by another hub" if is_taken else f"cannot be used: {_first_line(error)}"
            raise StartError(f"the database {self.place} {complaint}") from error

    def attach(self, connections: peewee.Database) -> None:
        """Connections are made when they are needed."""

    def detach(self, connections: peewee.Database) -> None:
        if not connections.is_closed():
            connections.close()

    def read_transaction(self, timeout_seconds: float) -> AbstractContextManager[Any]:
        self._read_timeout_ms = round(timeout_seconds * 1000)
        transaction: AbstractContextManager[Any] = self.reading.atomic()
        return transaction

    def write_transaction(self) -> AbstractContextManager[Any]:
        transaction: AbstractContextManager[Any] = self.writing.atomic()
        return transaction

    def can_go_on(self) -> bool:
        return self.writing.can_go_on()

    def changed_elsewhere(self) -> bool:
        """A lost connection has missed what others had to tell, so that counts as news."""
        connection = self.writing.ensure()
        if not self._is_listening:
            connection.execute(f"LISTEN {_CHANNEL}")
            self._is_listening = True
            self._has_news = False
            return False
        connection.execute("")  # what others have told comes with the answer
        had_news, self._has_news = self._has_news, False
        return had_news

    def measure(self) -> FileSize:
        """`free` is what tables of history take and do not need; whole ones are given back as they empty."""
        whole, history = self._partitions.measure(self.reading)
        return FileSize(whole, max(0, history.taken - history.needed))

    def reclaim(self, _: int) -> bool:
        """Its own vacuum does that."""
        return False

    def provide_partition(self, table: str, instant_ms: int, tier: int | None = None) -> None:
        self._partitions.provide(self.writing, table, instant_ms, tier)

    def drop_partitions(self, table: str, before_ms: int, tier: int | None = None) -> None:
        self._partitions.drop(self.writing, table, before_ms, tier)

    def adopt(self, table: str, key: str | None, newest: int | None) -> None:
        """The planner knows at once, too, what it would know when autovacuum had been there."""
        database: peewee.Database = self.writing
        if key is not None:
            database.execute_sql(_NEXT_ID, (table, key, 1 if newest is None else newest, newest is not None))
        database.execute_sql(f'ANALYZE "{table}"')

    def translate(self, error: Exception) -> Exception:
        if isinstance(error, peewee.IntegrityError):
            return _because(Conflict(), error)
        cause = _find_cause(error) if isinstance(error, self.failures) else None
        if cause is None:
            return error
        refusal = _refusal_for(cause)
        return cause if refusal is None else _because(refusal, cause)

    def _writing_prelude(self) -> str:
        """Who serves is the only one who wants to know that others have written."""
        telling = "" if self._is_serving else f"; NOTIFY {_CHANNEL}"
        return f"BEGIN; SELECT pg_advisory_xact_lock({_LOCKS}, {_WRITING}){telling}"

    def _reading_prelude(self) -> str:
        timeout = f"SET LOCAL statement_timeout = {self._read_timeout_ms}"
        return f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {timeout}"

    def _prepare_writer(self, connection: "psycopg.Connection[Any]") -> None:
        """What is told to be stored is on disk, whatever the server thinks of that by itself."""
        connection.execute(f"SET lock_timeout = {round(LOCK_TIMEOUT_SECONDS * 1000)}")
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.add_notify_handler(lambda note: self._hear(note.pid == connection.info.backend_pid))
        if self._is_listening:
            connection.execute(f"LISTEN {_CHANNEL}")
            self._has_news = True
        if self._is_serving:
            # Waits for a while: the server may not have noticed yet that a killed hub is gone.
            connection.execute(f"SELECT pg_advisory_lock({_LOCKS}, {_SERVING})")

    def _hear(self, is_own: bool) -> None:
        self._has_news = self._has_news or not is_own


def _prepare_reader(_: "psycopg.Connection[Any]") -> None:
    """Every transaction of a reader says itself that it only reads."""


def _find_cause(error: Exception) -> "psycopg.Error | None":
    """What went wrong first: a lost connection also fails to roll back."""
    cause: BaseException | None = error
    found = None
    while isinstance(cause, Exception):
        original = getattr(cause, "orig", cause)
        if isinstance(original, psycopg.Error):
            found = original
        cause = cause.__context__
    return found


def _refusal_for(cause: "psycopg.Error") -> HubError | None:
    """None for what is a mistake of the hub."""
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return Unavailable("The query took too long; narrow it down.")
    if isinstance(cause, psycopg.DataError):
        return BadRequest("The database cannot hold this value, or work with it.")
    if isinstance(cause, psycopg.IntegrityError):
        return Conflict()
    # What the driver finds by itself, such as a lost connection, has no code.
    is_passing = cause.sqlstate is None or cause.sqlstate[:2] in _PASSING_CLASSES
    return Unavailable() if is_passing and isinstance(cause, psycopg.OperationalError) else None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _because(refusal: HubError, cause: Exception) -> HubError:
    refusal.__cause__ = cause
    return refusal
