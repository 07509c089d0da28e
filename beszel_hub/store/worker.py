"""Threads that own the connections: jobs go in through one bounded queue, results come out as futures.

A full queue refuses the job with `Unavailable`; nothing is silently put off.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from beszel_hub.errors import Unavailable

T = TypeVar("T")


class Job(Generic[T]):
    """A call and the future of its result; whoever runs it resolves the future."""

    __slots__ = ("call", "future", "own_transaction")

    def __init__(self, call: Callable[[], T], *, own_transaction: bool = False) -> None:
        self.call = call
        self.future: Future[T] = Future()
        self.own_transaction = own_transaction
        """Set for what must run outside the transaction that the writer wraps around a batch."""


class Workers:
    """`count` threads that take up to `batch` waiting jobs at a time and hand them to `run`, which must not raise."""

    def __init__(
        self, name: str, *, count: int, batch: int, capacity: int, run: Callable[[Sequence[Job[Any]]], None],
        start: Callable[[], None], stop: Callable[[], None],
    ) -> None:  # fmt: skip
        self._queue: queue.Queue[Job[Any] | None] = queue.Queue(capacity)
        self._batch = batch
        self._run = run
        self._start = start
        self._stop = stop
        self._closed = False
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job[Any]) -> None:
        """Raise `Unavailable` if the queue is full or the workers have been closed.

        A job that waits for another of the same workers would wait for ever: RuntimeError.
        """
        if threading.current_thread() in self._threads:
            raise RuntimeError("a job cannot wait for another one on its own thread")
        with self._lock:
            if self._closed:
                raise Unavailable("The hub is shutting down.")
            try:
                self._queue.put_nowait(job)
            except queue.Full as error:
                raise Unavailable from error

    def close(self, timeout_seconds: float) -> None:
        """Finish what is queued, then end the threads."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for _ in self._threads:
            self._queue.put(None, timeout=timeout_seconds)
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _work(self) -> None:
        self._start()
        try:
            stopping = False
            while not stopping:
                jobs, stopping = self._take()
                if jobs:
                    self._run(jobs)
        finally:
            self._stop()

    def _take(self) -> tuple[list[Job[Any]], bool]:
        """The next jobs that somebody still waits for, and whether this thread ends after them."""
        jobs: list[Job[Any]] = []
        while len(jobs) < self._batch:
            try:
                job = self._queue.get(block=not jobs)
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            if job.future.set_running_or_notify_cancel():
                jobs.append(job)
        return jobs, False
