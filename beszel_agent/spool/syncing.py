"""Waiting for a disk, away from the event loop: one job at a time, and none that hangs holds anybody up."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from beszel_agent.errors import SpoolError


class DiskWorker:
    """Runs one job in a daemon thread, so that a disk that never answers does not keep the agent from ending."""

    def __init__(self) -> None:
        self._is_busy = False

    async def run(self, job: Callable[[], None], timeout_seconds: float) -> None:
        """Raise what the job raises, or `SpoolError` if the disk does not answer."""
        if self._is_busy:
            raise SpoolError("the disk still does not answer")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def tell(error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def work() -> None:
            error: Exception | None = None
            try:
                job()
            except OSError as failed:
                error = failed
            self._is_busy = False
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(tell, error)

        self._is_busy = True
        self.leave(work)
        try:
            async with asyncio.timeout(timeout_seconds):
                await done
        except TimeoutError as error:
            raise SpoolError(f"the disk has not answered for {timeout_seconds:g} s") from error

    @staticmethod
    def leave(job: Callable[[], None]) -> None:
        """Have a job done that nobody waits for, and that may never come to an end."""
        threading.Thread(target=job, name="spool", daemon=True).start()


class SyncJob(NamedTuple):
    """Makes what was written outlive a power cut; then takes away what nobody needs any more."""

    descriptors: Sequence[int]
    paths: Sequence[Path]
    """Of files that an earlier process wrote and may not have synced."""
    directory: Path
    """Synced too, since new segments stand in it."""
    doomed: Sequence[Path]

    def run(self) -> None:
        """Raise OSError."""
        for descriptor in self.descriptors:
            os.fsync(descriptor)
        for path in self.paths:
            with contextlib.suppress(FileNotFoundError):
                _sync(path, os.O_RDONLY)
        _sync(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        for path in self.doomed:
            path.unlink(missing_ok=True)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
