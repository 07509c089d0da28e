"""The store of one hub: one thread that writes, a few that read, over SQLite or PostgreSQL.

`write` runs a function in a transaction on the writer thread. Writes that wait at the same moment share one commit,
each in a savepoint of its own, so a commit that is on disk costs one fsync a batch. Other processes may write too (the
command line beside a running server): `changed_elsewhere` tells.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

import peewee

from beszel_hub.errors import Unavailable
from beszel_hub.store.dialect import Dialect, FileSize, Place
from beszel_hub.store.sqlite import Sqlite
from beszel_hub.store.tables import bind_thread
from beszel_hub.store.worker import Job, Workers

T = TypeVar("T")

READ_TIMEOUT_SECONDS: Final = 20.0
"""A read that takes longer is broken off: no filter may keep a reader for ever."""
WAIT_TIMEOUT_SECONDS: Final = 60.0
CLOSE_TIMEOUT_SECONDS: Final = 10.0
READERS: Final = 3
QUEUE_CAPACITY: Final = 1024
WRITE_BATCH: Final = 64


class Database:
    """The store of one hub; safe to use from any thread and any event loop."""

    def __init__(self, place: Place) -> None:
        self._dialect = dialect_at(place)
        self._writer: Workers | None = None
        self._readers: Workers | None = None

    @property
    def place(self) -> str:
        """Where it is, as people may see it."""
        return self._dialect.place

    def open(self, *, is_serving: bool = False) -> None:
        """Create or upgrade the database and start the threads; with `is_serving` no other hub may serve it.

        Raises `StartError` if the database cannot be used or has a newer schema than this version knows.
        """
        self._dialect.prepare()
        writing, reading = self._dialect.writing, self._dialect.reading
        self._writer = Workers(
            "hub-writer", count=1, batch=WRITE_BATCH, capacity=QUEUE_CAPACITY, run=self._run_writes,
            start=lambda: self._attach(writing), stop=lambda: self._detach(writing),
        )  # fmt: skip
        self._readers = Workers(
            "hub-reader", count=READERS, batch=1, capacity=QUEUE_CAPACITY, run=self._run_reads,
            start=lambda: self._attach(reading), stop=lambda: self._detach(reading),
        )  # fmt: skip
        if is_serving:
            self._claim()

    def close(self) -> None:
        """Finish queued work and close the connections."""
        for workers in (self._readers, self._writer):
            if workers is not None:
                workers.close(CLOSE_TIMEOUT_SECONDS)
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
        return await _wait(_submit(self._writer, Job(self._dialect.changed_elsewhere, own_transaction=True)))

    async def measure(self) -> FileSize:
        return await self.read(self._dialect.measure)

    async def reclaim(self, pages: int) -> bool:
        """Give up to `pages` free pages back to the filesystem; whether there were any."""
        return await _wait(_submit(self._writer, Job(lambda: self._dialect.reclaim(pages), own_transaction=True)))

    def _claim(self) -> None:
        try:
            _submit(self._writer, Job(self._dialect.claim, own_transaction=True)).future.result(WAIT_TIMEOUT_SECONDS)
        except BaseException:
            self.close()
            raise

    def _attach(self, connections: peewee.Database) -> None:
        self._dialect.attach(connections)
        bind_thread(connections, self._dialect)

    def _detach(self, connections: peewee.Database) -> None:
        bind_thread(None)
        self._dialect.detach(connections)

    def _run_reads(self, jobs: Sequence[Job[Any]]) -> None:
        for job in jobs:
            self._resolve(job, lambda: self._dialect.read_transaction(READ_TIMEOUT_SECONDS))

    def _run_writes(self, jobs: Sequence[Job[Any]]) -> None:
        for job in jobs:
            if job.own_transaction:
                self._resolve(job, nullcontext)
        shared = [job for job in jobs if not job.own_transaction]
        if len(shared) == 1:
            self._resolve(shared[0], self._dialect.write_transaction)
        elif shared:
            self._commit_together(shared)

    def _resolve(self, job: Job[Any], begin: Callable[[], AbstractContextManager[Any]]) -> None:
        """Run the job in a transaction and tell its future."""
        try:
            with begin():
                result = job.call()
        except Exception as error:  # noqa: BLE001  # comes out where the job was submitted
            job.future.set_exception(self._dialect.translate(error))
        else:
            job.future.set_result(result)

    def _commit_together(self, jobs: Sequence[Job[Any]]) -> None:
        outcomes: list[_Outcome] = []
        try:
            with self._dialect.write_transaction():
                for job in jobs:
                    outcomes.append(self._run_in_savepoint(job))  # noqa: PERF401  # stays readable with the raise below
        except Exception as error:  # noqa: BLE001  # nothing of the batch is on disk, so everybody must hear of it
            for job in jobs:
                job.future.set_exception(self._dialect.translate(error))
            return
        for job, outcome in zip(jobs, outcomes, strict=True):
            outcome.deliver(job)

    def _run_in_savepoint(self, job: Job[Any]) -> "_Outcome":
        try:
            with self._dialect.writing.atomic():
                return _Outcome(job.call(), None)
        except Exception as error:
            if not self._dialect.can_go_on():
                raise
            return _Outcome(None, self._dialect.translate(error))


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


def dialect_at(place: Place) -> Dialect:
    """What knows the kind of database at a place; raise `StartError` if its driver is missing."""
    if isinstance(place, Path):
        return Sqlite(place)
    from beszel_hub.store.postgresql import Postgresql  # noqa: PLC0415  # needs a driver that not everybody has

    return Postgresql(place)


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
