"""How much the spool in files keeps, how long, and the gaps that stand for the rest."""

from pathlib import Path

from tests.support.diskspool import NOON_MS, fill, gaps, kept, opened, record, run, segments, span


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
