"""Periodic jobs: each in its own task, never two runs of one at a time, and one that fails runs again all the same."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from beszel_hub.errors import HubError

log = logging.getLogger(__name__)


class Job(NamedTuple):
    name: str
    interval_seconds: float
    """Between the starts of two runs; a run that takes longer is followed by the next at once."""
    run: Callable[[], Awaitable[None]]


async def run_jobs(jobs: Iterable[Job]) -> None:
    """Run all jobs until cancelled."""
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_repeat(job), name=f"job {job.name}")


async def _repeat(job: Job) -> None:
    due = time.monotonic()
    while True:
        try:
            await job.run()
        except HubError as error:
            reason = error.__cause__ or error
            log.error(
                "the job %r could not be done, and is tried again in %g s: %s", job.name, job.interval_seconds, reason
            )
        except Exception:
            log.exception("the job %r failed; it runs again in %g s", job.name, job.interval_seconds)
        due = max(due + job.interval_seconds, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
