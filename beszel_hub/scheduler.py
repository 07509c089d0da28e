"""Periodic jobs: each in its own task, never two runs of one at a time, and one that fails runs again all the same."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

import msgspec

from beszel_hub.errors import HubError

log = logging.getLogger(__name__)


class Job(NamedTuple):
    name: str
    interval_seconds: float
    """Between the starts of two runs; a run that takes longer is followed by the next at once."""
    run: Callable[[], Awaitable[object]]


class JobReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a job is."""

    name: str
    interval_seconds: float
    runs: int = 0
    failures_in_row: int = 0
    last_seconds: float | None = None
    """How long the newest run took; None before the first has ended."""
    last_error: str = ""
    """The sort of the newest run's failure; empty if that went well."""


class JobBoard:
    """What the jobs of a hub last did."""

    def __init__(self) -> None:
        self._reports: dict[str, JobReport] = {}

    def note(self, job: Job, seconds: float, error: Exception | None) -> None:
        before = self._reports.get(job.name) or JobReport(name=job.name, interval_seconds=job.interval_seconds)
        self._reports[job.name] = msgspec.structs.replace(
            before,
            runs=before.runs + 1,
            failures_in_row=0 if error is None else before.failures_in_row + 1,
            last_seconds=round(seconds, 4),
            last_error="" if error is None else type(error).__name__,
        )

    def reports(self) -> list[JobReport]:
        return [self._reports[name] for name in sorted(self._reports)]

    def failing(self) -> list[str]:
        """Names of jobs whose newest run failed."""
        return [report.name for report in self.reports() if report.failures_in_row]


async def run_jobs(jobs: Iterable[Job], board: JobBoard | None = None) -> None:
    """Run all jobs until cancelled."""
    board = board or JobBoard()
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_repeat(job, board), name=f"job {job.name}")


async def _repeat(job: Job, board: JobBoard) -> None:
    due = time.monotonic()
    while True:
        started = time.monotonic()
        try:
            await job.run()
        except HubError as error:
            reason = error.__cause__ or error
            log.error(
                "the job %r could not be done, and is tried again in %g s: %s", job.name, job.interval_seconds, reason
            )
            board.note(job, time.monotonic() - started, error)
        except Exception as error:
            log.exception("the job %r failed; it runs again in %g s", job.name, job.interval_seconds)
            board.note(job, time.monotonic() - started, error)
        else:
            board.note(job, time.monotonic() - started, None)
        due = max(due + job.interval_seconds, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
