"""The spool in files: what it promises, however its process, its host or its disk ends."""

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beszel_agent.host import Boot
from beszel_agent.settings import SpoolLimit
from beszel_agent.spool import disk
from beszel_agent.spool.disk import DiskSpool
from beszel_agent.spool.frames import MAGIC
from beszel_agent.spool.interface import SpooledRecord
from beszel_agent.spool.memory import MemorySpool
from beszel_agent.spool.opening import open_spool
from beszel_agent.spool.recovery import JUMP, discard_spool
from beszel_agent.spool.syncing import SyncJob
from beszel_protocol.messages import Gap, decode_record
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.timestamps import format_timestamp, parse_timestamp

NOTHING = SequenceRanges()
ALL_BYTES = 1 << 30
NOON_MS = 1_795_348_800_000


def opened(
    directory: Path, *, boot_id: str = "boot-1", max_age_ms: int = 86_400_000, max_bytes: int = 64 << 20,
    boot_ms: int = 0,
) -> DiskSpool:  # fmt: skip
    return DiskSpool(
        directory, boot_id=boot_id, instant_ms=NOON_MS, boot_ms=boot_ms, max_age_ms=max_age_ms, max_bytes=max_bytes
    )


def record(sequence: int, size: int = 10, *, at_ms: int = 0) -> bytes:
    """Padding that does not compress."""
    return msgspec.json.encode(
        {
            "type": "sample",
            "sequence": sequence,
            "timestamp": format_timestamp(NOON_MS + at_ms),
            "boot_ms": at_ms,
            "metrics": {},
            "pad": os.urandom(size // 2).hex(),
        }
    )


def fill(spool: DiskSpool, count: int, *, size: int = 10, start_ms: int = 0) -> list[SpooledRecord]:
    """A record a second."""
    return [
        spool.append(
            lambda sequence, at_ms=at_ms: record(sequence, size, at_ms=at_ms),  # type: ignore[misc]
            instant_ms=NOON_MS + at_ms,
            boot_ms=at_ms,
        )
        for at_ms in range(start_ms, start_ms + 1000 * count, 1000)
    ]


def kept(spool: DiskSpool) -> list[SpooledRecord]:
    """Everything, whatever boot it is of."""
    found: list[SpooledRecord] = []
    skip = SequenceRanges()
    while batch := spool.oldest(ALL_BYTES, skip):
        for item in batch:
            skip.add(item.sequence)
        found.extend(batch)
    return found


def data(records: list[SpooledRecord]) -> list[bytes]:
    return [item.data for item in records]


def gaps(spool: DiskSpool) -> list[Gap]:
    decoded = [decode_record(item.data) for item in kept(spool) if b'"type":"gap"' in item.data]
    return [gap for gap in decoded if isinstance(gap, Gap)]


def span(gap: Gap) -> tuple[int, int]:
    """In milliseconds since noon."""
    return parse_timestamp(gap.from_) - NOON_MS, parse_timestamp(gap.to) - NOON_MS


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.segment"))


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(bounded())


def test_a_killed_process_loses_nothing_and_the_next_goes_on(tmp_path: Path) -> None:
    first = opened(tmp_path)
    made = fill(first, 3000)  # several segments; nothing is closed or synced
    first.drop([(1, 10)])
    second = opened(tmp_path)
    assert second.id == first.id
    assert data(kept(second))[-2990:] == data(made)[10:]
    (following,) = fill(second, 1)
    assert following.sequence == 3001
    assert data(kept(opened(tmp_path)))[-1] == following.data


def test_what_was_said_to_be_stored_is_remembered(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    fill(spool, 100)
    spool.drop([(1, 40), (50, 60)])
    spool.close()
    assert [item.sequence for item in kept(opened(tmp_path))] == [*range(41, 50), *range(61, 101)]


def test_batches_go_through_everything_without_reading_it_again(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    made = fill(spool, 2500, size=100)
    sent, found = SequenceRanges(), []
    while batch := spool.oldest(10_000, sent):
        assert sum(len(item.data) + 1 for item in batch) <= 10_000
        found.extend(batch)
        sent.add_range(batch[0].sequence, batch[-1].sequence)
    assert found == made
    (large,) = spool.oldest(10, NOTHING)  # one that is larger than the limit goes alone, and from the start again
    assert large.sequence == 1


def test_records_of_an_earlier_boot_say_so_and_share_no_batch_with_later_ones(tmp_path: Path) -> None:
    fill(opened(tmp_path, boot_id="boot-1"), 5)
    spool = opened(tmp_path, boot_id="boot-2")
    fill(spool, 3)
    old = spool.oldest(ALL_BYTES, NOTHING)
    assert {item.boot_id for item in old} == {"boot-1"}
    new = spool.oldest(ALL_BYTES, SequenceRanges([(1, 5)]))
    assert [item.boot_id for item in new] == ["", "", ""]


def test_no_sequence_is_given_twice_though_a_power_cut_took_the_last(tmp_path: Path) -> None:
    fill(opened(tmp_path), 50)
    (segment,) = segments(tmp_path)
    os.truncate(segment, segment.stat().st_size // 2)
    spool = opened(tmp_path, boot_id="boot-2")
    (following,) = fill(spool, 1)
    assert following.sequence > JUMP
    assert gaps(spool) == []  # the hub may well have them
    assert len(spool) == len(kept(spool))


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_torn_tail_is_cut_off_and_its_sequence_is_given_again(cut: int, tmp_path: Path) -> None:
    """In the same boot only what was being written can be torn, and nobody has heard of that."""
    made = fill(opened(tmp_path), 20)
    (segment,) = segments(tmp_path)
    os.truncate(segment, segment.stat().st_size - cut)
    spool = opened(tmp_path)
    whole = data(kept(spool))
    assert whole == data(made)[: len(whole)]
    fill(spool, 5)
    assert [item.sequence for item in kept(opened(tmp_path))] == list(range(1, len(whole) + 6))


def damage(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))


def test_a_damaged_segment_costs_its_rest_and_a_gap_stands_for_it(tmp_path: Path) -> None:
    made = fill(opened(tmp_path), 3000)
    middle = segments(tmp_path)[1]
    damage(middle, middle.stat().st_size // 2)
    spool = opened(tmp_path)
    found = {item.sequence for item in kept(spool)}
    lost = [item.sequence for item in made if item.sequence not in found]
    assert lost == list(range(lost[0], 2049))  # to the end of its segment
    (gap,) = gaps(spool)
    begin, end = span(gap)
    assert begin <= 1000 * (lost[0] - 1) <= 1000 * (lost[-1] - 1) <= end
    assert gaps(opened(tmp_path)) == [gap]  # told once, and not again by the next process


def test_damage_in_the_last_segment_does_not_make_sequences_return(tmp_path: Path) -> None:
    fill(opened(tmp_path), 100)
    (segment,) = segments(tmp_path)
    damage(segment, segment.stat().st_size // 2)
    spool = opened(tmp_path)
    assert fill(spool, 1)[0].sequence > 100
    assert len(gaps(spool)) == 1


def test_damage_that_comes_while_it_runs(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    fill(spool, 2500)
    oldest, _, last = segments(tmp_path)
    damage(oldest, oldest.stat().st_size // 2)
    last.unlink()
    found = kept(spool)
    assert len(gaps(spool)) == 2
    assert len(found) == len(spool)
    fill(spool, 1)
    assert len(kept(opened(tmp_path))) == len(spool)


@pytest.mark.parametrize("content", [b"", bytes(4096), b"somebody else's", MAGIC])
def test_a_file_that_is_no_segment_costs_only_itself(content: bytes, tmp_path: Path) -> None:
    fill(opened(tmp_path), 2000)
    first, second = segments(tmp_path)
    first.write_bytes(content)
    spool = opened(tmp_path)
    assert [item.sequence for item in kept(spool)][:-1] == list(range(1025, 2001))
    assert len(gaps(spool)) == 1
    assert second.exists()


def test_a_last_segment_that_cannot_be_read_takes_no_sequence_with_it(tmp_path: Path) -> None:
    first = opened(tmp_path)
    fill(first, 2000)
    segments(tmp_path)[-1].write_bytes(b"?")
    spool = opened(tmp_path)
    assert spool.id == first.id
    assert fill(spool, 1)[0].sequence > 2000


def test_a_spool_of_a_later_version_is_set_aside(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    first = opened(directory)
    fill(first, 3)
    (segment,) = segments(directory)
    segment.write_bytes(MAGIC + b"\2" + segment.read_bytes()[8:])
    for _ in range(2):
        spool = opened(directory)
        assert (len(spool), spool.id == first.id) == (0, False)
        assert len(segments(tmp_path / "spool.aside")) == 1


def test_another_spool_copied_here_does_not_mix(tmp_path: Path) -> None:
    fill(opened(tmp_path / "other"), 3)
    spool = opened(tmp_path / "spool")
    fill(spool, 1500)
    shutil.copy(segments(tmp_path / "other")[0], tmp_path / "spool" / f"{700:016d}.segment")
    again = opened(tmp_path / "spool")
    assert again.id == spool.id
    assert [item.sequence for item in kept(again)][:1500] == list(range(1, 1501))


def test_what_is_too_old_goes_and_a_gap_stands_for_it(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_age_ms=240_000)
    fill(spool, 1000)
    (gap,) = gaps(spool)
    held = [item.data for item in kept(spool) if b'"gap"' not in item.data]
    assert 240 <= len(held) <= 240 + 20  # old ones go by the segment
    assert span(gap) == (0, 1000 * (1000 - len(held) - 1))
    assert len(spool) == len(kept(spool))


def test_what_is_too_much_goes_and_one_gap_stands_for_it(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_bytes=100_000)
    fill(spool, 5000, size=200)
    assert spool.report().size_bytes <= 100_000 + 20_000
    (gap,) = gaps(spool)
    assert span(gap)[0] == 0
    run(spool.sync())
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 100_000 + 20_000


def test_gaps_stay_few_however_often_they_are_sent_in_vain(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_bytes=100_000)
    for round_ in range(100):
        fill(spool, 50, size=200, start_ms=50_000 * round_)
        gaps(spool)
    found = gaps(spool)
    assert len(found) <= 30
    assert min(span(gap)[0] for gap in found) == 0  # the first loss is still told


def test_while_the_host_is_off_nothing_ages(tmp_path: Path) -> None:
    fill(opened(tmp_path, boot_id="boot-1", max_age_ms=240_000), 100)
    spool = opened(tmp_path, boot_id="boot-2", max_age_ms=240_000, boot_ms=50_000)
    fill(spool, 50, start_ms=50_000)
    assert (len(spool), gaps(spool)) == (150, [])
    fill(spool, 300, start_ms=100_000)
    assert all(item.boot_id == "" for item in kept(spool))
    assert span(gaps(spool)[0])[0] == 0


def test_a_wall_clock_that_is_set_ages_nothing(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_age_ms=240_000)
    for step, offset_ms in enumerate((0, -NOON_MS, 365 * 86_400_000)):
        for at_ms in range(70_000 * step, 70_000 * (step + 1), 1000):
            instant_ms = NOON_MS + offset_ms + at_ms
            spool.append(record, instant_ms=instant_ms, boot_ms=at_ms)
    assert (len(spool), gaps(spool)) == (210, [])


def test_what_a_laptop_slept_away_is_told_with_the_times_of_its_records(tmp_path: Path) -> None:
    """CLOCK_BOOTTIME goes on while it sleeps; the gap covers what was lost, and not the sleep."""
    spool = opened(tmp_path, max_age_ms=240_000)
    fill(spool, 100)
    fill(spool, 1, start_ms=8 * 3_600_000)
    (gap,) = gaps(spool)
    assert span(gap) == (0, 99_000)
    assert len(spool) == 2


def test_segments_of_which_all_is_stored_are_deleted_but_the_last(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    fill(spool, 3000)
    spool.drop([(1, 3000)])
    run(spool.sync())
    assert len(segments(tmp_path)) == 1
    assert len(spool) == 0
    assert opened(tmp_path).id == spool.id


def test_what_the_hub_has_is_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    spool = opened(tmp_path)
    fill(spool, 10)
    spool.drop([(1, 10)])
    run(spool.sync())
    assert synced == []
    fill(spool, 1)
    run(spool.sync())
    assert len(synced) == 2  # the segment and its directory


def test_what_a_killed_process_did_not_sync_the_next_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    fill(opened(tmp_path), 2000)
    run(opened(tmp_path).sync())
    assert len(synced) == 4  # the one that is written to, both that were found, and the directory


def test_files_that_went_back_in_time_do_not_give_sequences_twice(tmp_path: Path) -> None:
    """As after a snapshot of a virtual machine was restored: the hub knows more than they do."""
    spool = opened(tmp_path)
    fill(spool, 10)
    spool.drop([(1, 5000)])
    assert fill(spool, 1)[0].sequence == 5001
    spool.drop([(1, 2**53 - 1)])  # what no hub can have
    assert fill(spool, 1)[0].sequence == 5002
    spool.close()
    assert data(kept(spool)) == data(kept(opened(tmp_path)))


def slow_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Syncs wait for the event."""
    release = threading.Event()
    original: Callable[[SyncJob], None] = SyncJob.run

    def wait(job: SyncJob) -> None:
        release.wait(20)
        original(job)

    monkeypatch.setattr(SyncJob, "run", wait)
    return release


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


def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Writes fail after some bytes as long as the list holds how many."""
    left: list[int] = []
    original = os.write

    def write(descriptor: int, frame: bytes) -> int:
        if not left:
            return original(descriptor, frame)
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = min(left[0], len(frame))
        left[0] -= taken
        return original(descriptor, bytes(frame)[:taken])

    monkeypatch.setattr("beszel_agent.spool.segments.os.write", write)
    return left


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


def test_its_files_are_private_and_can_be_discarded(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    fill(opened(directory), 1)
    assert directory.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in directory.iterdir())
    discard_spool(directory)
    discard_spool(directory)
    assert not directory.exists()


def test_a_frame_that_did_not_fit_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = full_disk(monkeypatch)
    spool = opened(tmp_path)
    fill(spool, 1)
    (segment,) = segments(tmp_path)
    size = segment.stat().st_size
    left.append(10)
    fill(spool, 1)
    assert segment.stat().st_size == size
