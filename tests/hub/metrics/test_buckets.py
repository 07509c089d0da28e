import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics.buckets import RESOLUTIONS_SECONDS, Aggregate, Grid, choose_resolution, phase_of, spacing_of
from beszel_hub.metrics.rollup import fold
from beszel_hub.metrics.strands import Strand
from beszel_hub.metrics.tier_codec import seal_tier, unseal_tier
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
