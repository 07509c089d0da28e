import asyncio
import logging

import pytest

from beszel_hub.scheduler import Job, run_jobs


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
