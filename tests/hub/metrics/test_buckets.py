from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics.buckets import (
    RESOLUTIONS_SECONDS,
    Aggregate,
    Grid,
    Run,
    choose_resolution,
    phase_of,
    spacing_of,
)
from beszel_hub.metrics.rollup import fold
from beszel_hub.metrics.strands import Strand
from beszel_hub.metrics.summaries import Bucket
from beszel_hub.metrics.tier_codec import seal_tier, unseal_tier
from beszel_hub.metrics.tier_columns import join_columns
from beszel_protocol.metrics import Rollup

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("span_ms", "points", "spacing_ms", "expected"),
    [
        (HOUR, 3600, None, 1),
        (HOUR, 3600, 1000.0, 1),
        (HOUR, 3600, 1004.0, 1),
        (HOUR, 300, None, 15),
        (HOUR, 60, None, 60),
        (DAY, 300, None, 300),
        (7 * DAY, 300, None, 3600),
        (30 * DAY, 300, None, 10800),
        (HOUR, 3600, 60_000.0, 60),
        (HOUR, 3600, 10_000.0, 10),
        (3650 * DAY, 1, None, 522 * 604800),
    ],
)
def test_choose_resolution(span_ms: int, points: int, spacing_ms: float | None, expected: int) -> None:
    assert choose_resolution(span_ms, points, spacing_ms) == expected


def test_buckets_start_at_multiples_of_their_length() -> None:
    grid = Grid(HOUR + 1234, HOUR + 61_000, 15)
    assert grid.timestamps_ms == [HOUR, HOUR + 15_000, HOUR + 30_000, HOUR + 45_000, HOUR + 60_000]
    assert (grid.from_ms, grid.to_ms) == (HOUR, HOUR + 75_000)


def strand(readings: dict[int, float], places: int | None = None) -> Strand:
    return Strand(list(readings), list(readings.values()), places, is_counter=False)


def test_an_aggregate_has_least_mean_and_greatest_and_leaves_gaps_open() -> None:
    aggregate = Aggregate(Grid(10_000, 40_000, 10), Rollup.MEAN)
    aggregate.add_strand(strand({9_999: 99.0, 10_000: 1.0, 19_999: 3.0, 35_000: 7.0, 40_000: 99.0}))
    assert aggregate.least == [1.0, None, 7.0]
    assert aggregate.main == [2.0, None, 7.0]
    assert aggregate.greatest == [3.0, None, 7.0]


@pytest.mark.parametrize(
    ("rollup", "expected"), [(Rollup.MEAN, 2.5), (Rollup.MAX, 4.0), (Rollup.LAST, 1.5), (Rollup.SUM, 7.5)]
)
def test_the_main_value_is_what_the_declaration_says(rollup: Rollup, expected: float) -> None:
    aggregate = Aggregate(Grid(0, 10_000, 10), rollup)
    aggregate.add_strand(strand({0: 200, 1000: 400, 2000: 150}, places=2))
    assert aggregate.main == [expected]


@given(st.dictionaries(st.integers(0, 599), st.integers(0, 10**6), min_size=1), st.sampled_from(list(Rollup)))
def test_buckets_of_a_tier_give_what_their_samples_give(readings: dict[int, int], rollup: Rollup) -> None:
    samples = Strand(
        [1000 * second for second in sorted(readings)], [readings[second] for second in sorted(readings)], 2,
        rollup is Rollup.LAST,
    )  # fmt: skip
    sealed = unseal_tier(seal_tier(fold({"x": samples}, 60_000)).data).columns("x")
    assert sealed is not None
    grid = Grid(0, 600_000, 300)
    from_samples, from_tier, from_both = (Aggregate(grid, rollup) for _ in range(3))
    from_samples.add_strand(samples)
    from_tier.add_columns(sealed, 60_000)
    assert from_tier.buckets == from_samples.buckets
    late = samples.cut(240_000, 600_000)
    from_both.add_columns(sealed._replace(numbers=[number for number in sealed.numbers if number < 4]), 60_000)
    if late is not None:
        from_both.add_strand(late)
    assert [bucket.readings for bucket in from_both.buckets] == [bucket.readings for bucket in from_samples.buckets]
    assert from_both.greatest == from_samples.greatest


sparse = st.dictionaries(st.integers(0, 86_399), st.integers(0, 10**6), min_size=1, max_size=60)
steady = st.builds(  # one reading every few seconds for some hours
    lambda begin, hours, step, top: {second: second * 7 % top for second in range(begin, begin + 3600 * hours, step)},
    st.integers(0, 43_200), st.integers(1, 6), st.sampled_from([20, 60, 90]), st.integers(1, 10**6),
)  # fmt: skip


@given(
    sparse | steady, st.sampled_from([2, 0, None]), st.sampled_from(list(Rollup)),
    st.sampled_from([60, 180, 300, 1200, 3600, 28_800]), st.lists(st.integers(0, 1440), max_size=5),
    st.tuples(st.integers(0, 86_400), st.integers(0, 86_400)),
)  # fmt: skip
def test_pieces_of_history_give_what_the_samples_give(
    readings: dict[int, int], places: int | None, rollup: Rollup, step_seconds: int, borders: list[int],
    span: tuple[int, int],
) -> None:  # fmt: skip
    samples = Strand(
        [1000 * second for second in sorted(readings)],
        [readings[second] if places is not None else float(readings[second]) for second in sorted(readings)],
        places, rollup is Rollup.LAST,
    )  # fmt: skip
    begin, end = sorted(span)
    grid = Grid(1000 * begin, 1000 * end, step_seconds)
    from_samples, from_pieces = (Aggregate(grid, rollup) for _ in range(2))
    from_samples.add_strand(samples)
    whole = fold({"x": samples}, 60_000)["x"]
    wanted = range(grid.from_ms // 60_000, grid.to_ms // 60_000)
    pieces = [whole.cut(first, last) for first, last in pairwise([0, *sorted(borders), 1440])]
    columns = [unseal_tier(seal_tier({"x": piece}).data).columns("x", wanted) for piece in pieces if piece is not None]
    for joined in join_columns(part for part in columns if part is not None):
        from_pieces.add_columns(joined, 60_000)
    assert [_rounded(bucket) for bucket in from_pieces.buckets] == [_rounded(b) for b in from_samples.buckets]
    assert [from_pieces.bucket_at(index) for index in range(grid.count)] == from_pieces.buckets


def _rounded(bucket: Bucket) -> Bucket:
    """Numbers that come from two pieces of different units are scaled before they are added."""
    return Bucket(bucket.readings, *(round(number, 3) for number in bucket[1:]))


@given(sparse, st.tuples(st.integers(-10, 1500), st.integers(-10, 1500)))
def test_only_the_buckets_asked_for_are_unpacked(readings: dict[int, int], span: tuple[int, int]) -> None:
    samples = Strand([1000 * second for second in sorted(readings)], [readings[s] for s in sorted(readings)], 0, False)
    chunk = unseal_tier(seal_tier(fold({"x": samples}, 60_000)).data)
    wanted = range(min(span), max(span))
    whole, part = chunk.columns("x"), chunk.columns("x", wanted)
    assert whole is not None
    assert part is not None
    kept = [index for index, number in enumerate(whole.numbers) if number in wanted]
    assert [*part.numbers] == [whole.numbers[index] for index in kept]
    assert [*part.totals()] == [whole.totals()[index] for index in kept]
    for name in ("counts", "lows", "highs", "lasts"):
        assert [*getattr(part, name)] == [getattr(whole, name)[index] for index in kept]


def test_readings_before_and_after_a_gap_and_moved_ones_are_told_apart() -> None:
    grid = Grid(0, 60_000, 10)
    aggregate = Aggregate(grid, Rollup.MEAN)
    for _ in range(2):  # the same instants again, as with the next series of a system
        assert grid.runs([1, 9_999, 12_000, 51_000]) == [Run(0, [0, 2, 3]), Run(5, [3, 4])]
    grid.phase_ms = 5_000
    assert grid.runs([1, 9_999, 12_000, 51_000]) == [Run(0, [1, 3]), Run(4, [3, 4])]
    aggregate.add_strand(strand({9_999: 1.0, 12_000: 3.0}))
    assert aggregate.main == [2.0, None, None, None, None, None]


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50))
def test_the_mean_lies_between_least_and_greatest(readings: list[float]) -> None:
    aggregate = Aggregate(Grid(0, 1, 1), Rollup.MEAN)
    aggregate.add_strand(Strand([0] * len(readings), readings, None, is_counter=False))
    least, mean, greatest = aggregate.least[0], aggregate.main[0], aggregate.greatest[0]
    assert least is not None
    assert mean is not None
    assert greatest is not None
    assert least <= mean <= greatest


@given(st.integers(0, 999), st.lists(st.integers(-8, 8), min_size=120, max_size=120))
def test_a_steady_stream_fills_every_bucket_once_wherever_in_the_second_it_falls(
    offset_ms: int, jitter_ms: list[int]
) -> None:
    start = 1_795_348_800_000
    instants = [start + 1000 * index + offset_ms + jitter for index, jitter in enumerate(jitter_ms)]
    grid = Grid(start - 5_000, start + 130_000, 1, phase_of(instants, 1))
    aggregate = Aggregate(grid, Rollup.MEAN)
    aggregate.add_strand(Strand(instants, list(range(120)), 0, is_counter=False))
    filled = [index for index, reading in enumerate(aggregate.main) if reading is not None]
    assert [aggregate.main[index] for index in filled] == list(range(120))
    assert filled == list(range(filled[0], filled[0] + 120))
    assert abs(grid.timestamps_ms[filled[0]] - instants[0]) <= 1_500


def test_instants_without_a_beat_are_not_moved() -> None:
    assert phase_of([index * 1000 + index * 100 for index in range(100)], 1) == 0


def test_spacing_is_the_usual_step() -> None:
    assert spacing_of([]) is None
    assert spacing_of([5]) is None
    assert spacing_of([0, 1000, 2000, 90_000, 91_000]) == 1000


def test_resolutions_rise() -> None:
    assert sorted(set(RESOLUTIONS_SECONDS)) == list(RESOLUTIONS_SECONDS)


@pytest.mark.parametrize(
    ("span_ms", "points", "finest", "expected"),
    [(DAY, 500, 60, 300), (DAY, 500, 600, 600), (10 * DAY, 1000, 600, 1200), (DAY, 500, 28_800, 28_800),
     (3650 * DAY, 1, 28_800, 522 * 604_800)],
)  # fmt: skip
def test_only_multiples_of_a_tier_come_from_it(span_ms: int, points: int, finest: int, expected: int) -> None:
    assert choose_resolution(span_ms, points, None, finest) == expected
