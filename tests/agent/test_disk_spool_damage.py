"""The spool in files, when some of them are torn, damaged, gone or somebody else's."""

import os
import shutil
from pathlib import Path

import pytest

from beszel_agent.spool.frames import MAGIC
from tests.support.diskspool import damage, data, fill, gaps, kept, opened, segments, span


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


def test_damage_that_looks_like_a_later_version_while_it_runs(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    fill(spool, 1025)
    damage(segments(tmp_path)[0], len(MAGIC))
    assert [item.sequence for item in kept(spool)] == [1025, 1026]
    assert [gap.sequence for gap in gaps(spool)] == [1026]


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
