import asyncio
import logging

import pytest

from beszel_hub.scheduler import Job, JobBoard, run_jobs


def test_a_job_that_fails_runs_again_and_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    runs = {"broken": 0, "sound": 0}

    async def broken() -> None:
        runs["broken"] += 1
        raise RuntimeError("as expected")

    async def sound() -> None:
        runs["sound"] += 1

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await run_jobs([Job("broken", 0.01, broken), Job("sound", 0.01, sound)])

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert runs["broken"] > 3
    assert runs["sound"] > 3
    assert "the job 'broken' failed" in caplog.text


def test_a_slow_job_never_runs_twice_at_a_time() -> None:
    running = most = 0

    async def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.03)
        running -= 1

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await run_jobs([Job("slow", 0.001, slow)])

    asyncio.run(run())
    assert most == 1


def test_jobs_tell_how_they_went() -> None:
    board = JobBoard()
    runs: list[int] = []

    async def fail_once() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise OSError

    async def run() -> None:
        task = asyncio.create_task(run_jobs((Job("flaky", 0.01, fail_once),), board))
        while not board.failing():  # noqa: ASYNC110 - a job has no event to wait for
            await asyncio.sleep(0.001)
        (failed,) = board.reports()
        assert (failed.last_error, failed.failures_in_row) == ("OSError", 1)
        while board.failing():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(run())
    (report,) = board.reports()
    assert (report.name, report.last_error, report.failures_in_row) == ("flaky", "", 0)
    assert report.last_seconds is not None
