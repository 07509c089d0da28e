import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_hub.metrics.buckets import RESOLUTIONS_SECONDS, Aggregate, Grid, choose_resolution, phase_of, spacing_of

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
    assert grid.indices([HOUR, HOUR + 14_999, HOUR + 15_000, HOUR + 75_000, HOUR - 1]) == [0, 0, 1, 5, -1]


def test_an_aggregate_has_least_mean_and_greatest_and_leaves_gaps_open() -> None:
    aggregate = Aggregate(3)
    aggregate.add([0, 0, 2, 2, 5, -1], [1.0, 3.0, None, 7.0, 99.0, 99.0])
    assert aggregate.least == [1.0, None, 7.0]
    assert aggregate.mean == [2.0, None, 7.0]
    assert aggregate.greatest == [3.0, None, 7.0]


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50))
def test_the_mean_lies_between_least_and_greatest(readings: list[float]) -> None:
    aggregate = Aggregate(1)
    aggregate.add([0] * len(readings), list(readings))
    least, mean, greatest = aggregate.least[0], aggregate.mean[0], aggregate.greatest[0]
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
    indices = grid.indices(instants)
    assert indices == list(range(indices[0], indices[0] + 120))
    assert abs(grid.timestamps_ms[indices[0]] - instants[0]) <= 1_500


def test_instants_without_a_beat_are_not_moved() -> None:
    assert phase_of([index * 1000 + index * 100 for index in range(100)], 1) == 0


def test_spacing_is_the_usual_step() -> None:
    assert spacing_of([]) is None
    assert spacing_of([5]) is None
    assert spacing_of([0, 1000, 2000, 90_000, 91_000]) == 1000


def test_resolutions_rise() -> None:
    assert sorted(set(RESOLUTIONS_SECONDS)) == list(RESOLUTIONS_SECONDS)
