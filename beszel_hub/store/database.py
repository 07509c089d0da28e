"""SQLite in WAL mode: one thread that writes, a few that read, and a file nobody else can open.

`write` runs a function in a transaction on the writer thread. Writes that wait at the same moment share one commit,
each in a savepoint of its own, so `synchronous=FULL` costs one fsync a batch. Other processes may write too (the
command line beside a running server): `changed_elsewhere` tells.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import peewee

from beszel_hub.errors import Conflict, HubError, StartError, Unavailable
from beszel_hub.store.files import make_private_file
from beszel_hub.store.migrate import migrate
from beszel_hub.store.tables import bind_thread
from beszel_hub.store.worker import Job, Workers

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS: Final = 10.0
READ_TIMEOUT_SECONDS: Final = 20.0
"""A read that takes longer is broken off: no filter may keep a reader for ever."""
WAIT_TIMEOUT_SECONDS: Final = 60.0
READERS: Final = 3
QUEUE_CAPACITY: Final = 1024
WRITE_BATCH: Final = 64
_OPCODES_BETWEEN_CHECKS: Final = 20_000

_COMMON_PRAGMAS: Final = {"foreign_keys": 1, "trusted_schema": 0, "cache_size": -8192, "temp_store": 2}
_INCREMENTAL: Final = 2
# `auto_vacuum` comes first: it is decided with the first page of a new file.
_WRITER_PRAGMAS: Final = {
    "auto_vacuum": _INCREMENTAL, "journal_mode": "wal", "synchronous": "full", "journal_size_limit": 64 << 20,
}  # fmt: skip
_READER_PRAGMAS: Final = {"query_only": 1}

_PASSING_ERRORS: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})


class FileSize(NamedTuple):
    """Of the database, in bytes."""

    whole: int
    free: int
    """Room that deleted rows have left, for others or to be given back."""


class Database:
    """The store of one hub; safe to use from any thread and any event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = _connections(path, _COMMON_PRAGMAS | _WRITER_PRAGMAS)
        self._reading = _connections(path, _COMMON_PRAGMAS | _READER_PRAGMAS)
        self._writer: Workers | None = None
        self._readers: Workers | None = None
        self._data_version: int | None = None

    def open(self) -> None:
        """Create or upgrade the file and start the threads.

        Raises `StartError` if the file cannot be used or has a newer schema than this version knows.
        """
        try:
            make_private_file(self.path)
            with self._writing.connection_context():
                migrate(self._writing)
        except (peewee.PeeweeException, sqlite3.Error, OSError) as error:
            raise StartError(f"the database {self.path} cannot be used: {error}") from error
        self._writer = Workers(
            "hub-writer", count=1, batch=WRITE_BATCH, capacity=QUEUE_CAPACITY, run=self._run_writes,
            start=lambda: _attach(self._writing), stop=lambda: _detach(self._writing),
        )  # fmt: skip
        self._readers = Workers(
            "hub-reader", count=READERS, batch=1, capacity=QUEUE_CAPACITY, run=self._run_reads,
            start=lambda: _attach(self._reading), stop=lambda: _detach(self._reading),
        )  # fmt: skip

    def close(self) -> None:
        """Finish queued work and close the connections; the last one folds the log into the file."""
        for workers in (self._readers, self._writer):
            if workers is not None:
                workers.close(BUSY_TIMEOUT_SECONDS)
        self._readers = self._writer = None

    async def read(self, call: Callable[[], T]) -> T:
        """Run `call` on a reader thread; all its queries see one and the same commit."""
        return await _wait(_submit(self._readers, Job(call)))

    async def write(self, call: Callable[[], T]) -> T:
        """Run `call` on the writer thread in a transaction; returns once that is on disk.

        What `call` raises rolls its own changes back and comes out here.
        """
        return await _wait(_submit(self._writer, Job(call)))

    def read_now(self, call: Callable[[], T]) -> T:
        """`read` for callers without an event loop."""
        return _submit(self._readers, Job(call)).future.result(WAIT_TIMEOUT_SECONDS)

    def write_now(self, call: Callable[[], T]) -> T:
        """`write` for callers without an event loop."""
        return _submit(self._writer, Job(call)).future.result(WAIT_TIMEOUT_SECONDS)

    async def changed_elsewhere(self) -> bool:
        """Whether another process has committed since this was last asked; False the first time."""
        return await _wait(_submit(self._writer, Job(self._compare_data_version, own_transaction=True)))

    async def measure(self) -> FileSize:
        return await self.read(lambda: _measure(self._reading))

    async def reclaim(self, pages: int) -> bool:
        """Give up to `pages` free pages back to the filesystem; whether there were any."""
        return await _wait(_submit(self._writer, Job(lambda: self._reclaim(pages), own_transaction=True)))

    def _reclaim(self, pages: int) -> bool:
        before = _measure(self._writing)
        self._writing.execute_sql(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
        return _measure(self._writing).whole < before.whole

    def _compare_data_version(self) -> bool:
        before, self._data_version = self._data_version, int(self._writing.data_version)
        return before is not None and before != self._data_version

    def _run_reads(self, jobs: Sequence[Job[Any]]) -> None:
        for job in jobs:
            deadline = time.monotonic() + READ_TIMEOUT_SECONDS
            connection: sqlite3.Connection = self._reading.connection()
            connection.set_progress_handler(_breaker(deadline), _OPCODES_BETWEEN_CHECKS)
            _resolve(job, self._reading, "DEFERRED")

    def _run_writes(self, jobs: Sequence[Job[Any]]) -> None:
        for job in jobs:
            if job.own_transaction:
                _resolve(job, self._writing, None)
        shared = [job for job in jobs if not job.own_transaction]
        if len(shared) == 1:
            _resolve(shared[0], self._writing, "IMMEDIATE")
        elif shared:
            self._commit_together(shared)

    def _commit_together(self, jobs: Sequence[Job[Any]]) -> None:
        outcomes: list[_Outcome] = []
        try:
            with self._writing.atomic("IMMEDIATE"):
                for job in jobs:
                    outcomes.append(self._run_in_savepoint(job))  # noqa: PERF401  # stays readable with the raise below
        except Exception as error:  # noqa: BLE001  # nothing of the batch is on disk, so everybody must hear of it
            for job in jobs:
                job.future.set_exception(_translate(error))
            return
        for job, outcome in zip(jobs, outcomes, strict=True):
            outcome.deliver(job)

    def _run_in_savepoint(self, job: Job[Any]) -> "_Outcome":
        try:
            with self._writing.atomic():
                return _Outcome(job.call(), None)
        except Exception as error:
            if not self._writing.connection().in_transaction:
                raise  # a full disk or a broken file rolls back the whole batch
            return _Outcome(None, _translate(error))


class _Outcome:
    """How one of several writes ended, kept until their common commit."""

    __slots__ = ("_error", "_result")

    def __init__(self, result: Any, error: Exception | None) -> None:
        self._result = result
        self._error = error

    def deliver(self, job: Job[Any]) -> None:
        if self._error is None:
            job.future.set_result(self._result)
        else:
            job.future.set_exception(self._error)


def _measure(database: peewee.SqliteDatabase) -> FileSize:
    page, pages, free = (database.pragma(name) for name in ("page_size", "page_count", "freelist_count"))
    return FileSize(page * pages, page * free)


def _connections(path: Path, pragmas: dict[str, Any]) -> peewee.SqliteDatabase:
    """Peewee's SQLite, one connection a thread, opened by its workers only."""
    return peewee.SqliteDatabase(str(path), pragmas=pragmas, timeout=BUSY_TIMEOUT_SECONDS, autoconnect=False)


def _attach(connections: peewee.SqliteDatabase) -> None:
    connections.connect()
    bind_thread(connections)


def _detach(connections: peewee.SqliteDatabase) -> None:
    bind_thread(None)
    connections.close()


def _submit(workers: Workers | None, job: Job[T]) -> Job[T]:
    if workers is None:
        raise Unavailable("The database is not open.")
    workers.submit(job)
    return job


async def _wait(job: Job[T]) -> T:
    import asyncio  # noqa: PLC0415  # commands without an event loop start a tenth faster

    try:
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            return await asyncio.wrap_future(job.future)
    except TimeoutError as error:
        raise Unavailable from error


def _resolve(job: Job[Any], database: peewee.SqliteDatabase, lock: str | None) -> None:
    """Run the job, in a transaction that takes `lock` if one is given, and tell its future."""
    try:
        with database.atomic(lock) if lock is not None else nullcontext():
            result = job.call()
    except Exception as error:  # noqa: BLE001  # comes out where the job was submitted
        job.future.set_exception(_translate(error))
    else:
        job.future.set_result(result)


def _breaker(deadline: float) -> Callable[[], int]:
    return lambda: int(time.monotonic() > deadline)


def _translate(error: Exception) -> Exception:
    """What passes by itself (a lock, a full disk, a slow read) becomes `Unavailable`, a broken rule `Conflict`."""
    if isinstance(error, peewee.IntegrityError):
        return _because(Conflict(), error)
    cause, code = _find_cause(error)
    if code is None:
        return error
    if code & 0xFF == sqlite3.SQLITE_INTERRUPT:
        return _because(Unavailable("The query took too long; narrow it down."), cause)
    return _because(Unavailable(), cause) if code & 0xFF in _PASSING_ERRORS else cause


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
