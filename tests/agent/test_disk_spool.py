"""The spool in files: what it promises, however its process or its host ends."""

import os
from pathlib import Path

import pytest

from beszel_agent.spool.recovery import JUMP, discard_spool
from beszel_protocol.ranges import SequenceRanges
from tests.support.diskspool import ALL_BYTES, NOTHING, data, fill, gaps, kept, opened, run, segments


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


def test_its_files_are_private_and_can_be_discarded(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    fill(opened(directory), 1)
    assert directory.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in directory.iterdir())
    discard_spool(directory)
    discard_spool(directory)
    assert not directory.exists()
