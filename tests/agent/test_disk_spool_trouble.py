"""The spool in files on a disk that is slow, hangs, is full or cannot be used."""

import asyncio
import os
from pathlib import Path

import pytest

from beszel_agent.host import Boot
from beszel_agent.settings import SpoolLimit
from beszel_agent.spool import disk
from beszel_agent.spool.memory import MemorySpool
from beszel_agent.spool.opening import open_spool
from beszel_agent.spool.syncing import SyncJob
from tests.support.diskspool import (
    NOON_MS,
    data,
    fill,
    full_disk,
    kept,
    opened,
    run,
    segments,
    slow_disk,
)


def test_a_sample_never_waits_for_a_sync_and_is_not_sent_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        release = slow_disk(monkeypatch)
        spool = opened(tmp_path)
        before = fill(spool, 3)
        sync = asyncio.create_task(spool.sync())
        await asyncio.sleep(0)
        during = fill(spool, 2, start_ms=3000)
        assert kept(spool) == before
        assert spool.newest() == before[-1]
        assert len(spool) == 5
        release.set()
        await sync
        assert kept(spool) == before + during
        assert spool.newest() == during[-1]

    run(main())


def test_a_disk_that_hangs_is_left_for_memory_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "DISK_TIMEOUT_SECONDS", 0.1)

    async def main() -> None:
        release = slow_disk(monkeypatch)
        spool = opened(tmp_path)
        made = fill(spool, 3)
        sync = asyncio.create_task(spool.sync())
        await asyncio.sleep(0)
        made += fill(spool, 1, start_ms=3000)
        await sync
        made += fill(spool, 1, start_ms=4000)
        assert kept(spool) == made
        assert spool.report().problem == "the disk has not answered for 0.1 s"
        await spool.return_to_disk()
        assert spool.report().problem == "the disk still does not answer"
        release.set()
        while spool.report().kind == "memory":
            await asyncio.sleep(0.01)
            await spool.return_to_disk()
        assert spool.report().problem is None
        assert kept(spool) == made
        assert data(kept(opened(tmp_path))) == data(made)

    run(main())


def test_a_full_disk_is_left_for_memory_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        left = full_disk(monkeypatch)
        spool = opened(tmp_path)
        made = fill(spool, 10)
        left.append(30)
        made += fill(spool, 200, start_ms=10_000)
        assert kept(spool) == made
        assert spool.newest() == made[-1]
        report = spool.report()
        assert (report.kind, report.records, report.problem) == ("memory", 210, "No space left on device")
        left[:] = [4000]  # now there is room for some
        await spool.return_to_disk()
        assert spool.report().kind == "memory"
        assert kept(spool) == made
        assert len(segments(tmp_path)) == 2
        spool.drop([(1, 5), (100, 110)])
        left.clear()
        await spool.return_to_disk()
        made += fill(spool, 3, start_ms=300_000)
        assert [item.sequence for item in kept(spool)] == [*range(6, 100), *range(111, 214)]
        assert len(spool) == len(kept(spool)) == len(kept(opened(tmp_path))) - 5  # of which nothing was saved
        assert spool.report().kind == "disk"

    run(main())


@pytest.mark.parametrize("hangs", [False, True], ids=["full", "hangs"])
def test_what_was_written_before_the_disk_failed_is_synced_once_it_is_back(
    hangs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "DISK_TIMEOUT_SECONDS", 0.1)
    synced: set[int] = set()

    def note(job: SyncJob) -> None:
        synced.update(os.fstat(descriptor).st_ino for descriptor in job.descriptors)
        synced.update(path.stat().st_ino for path in job.paths)

    async def main() -> None:
        left = full_disk(monkeypatch)
        spool = opened(tmp_path)
        fill(spool, 3)
        if hangs:
            release = slow_disk(monkeypatch)
            await spool.sync()
            release.set()
        else:
            left.append(0)
        fill(spool, 1, start_ms=3000)
        assert spool.report().kind == "memory"
        left.clear()
        while spool.report().kind == "memory":
            await asyncio.sleep(0.01)
            await spool.return_to_disk()
        monkeypatch.setattr(SyncJob, "run", note)
        await spool.sync()
        assert len(segments(tmp_path)) == 2
        assert synced == {segment.stat().st_ino for segment in segments(tmp_path)}

    run(main())


def test_after_a_time_in_memory_no_sequence_is_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = full_disk(monkeypatch)
    spool = opened(tmp_path)
    fill(spool, 3)
    left.append(0)
    fill(spool, 100, start_ms=3000)
    left.clear()
    assert fill(opened(tmp_path), 1)[0].sequence > 103


def test_a_directory_that_cannot_be_used_leaves_memory(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    spool = open_spool(tmp_path / "spool", Boot("boot-1", 0), SpoolLimit(), NOON_MS)
    assert isinstance(spool, MemorySpool)
    report = spool.report()
    assert report.kind == "memory"
    assert report.problem is not None
    assert "spool" in report.problem


def test_a_frame_that_did_not_fit_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = full_disk(monkeypatch)
    spool = opened(tmp_path)
    fill(spool, 1)
    (segment,) = segments(tmp_path)
    size = segment.stat().st_size
    left.append(10)
    fill(spool, 1)
    assert segment.stat().st_size == size
