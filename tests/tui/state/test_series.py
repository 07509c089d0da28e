import pytest

from beszel_tui.state.series import (
    BUCKET_MS,
    LIVE_POINTS,
    TRAIL_BUCKETS,
    Columns,
    Lane,
    Trail,
    append_readings,
    bucket_means,
    extend_trail,
    join_columns,
    join_trails,
    trail_cells,
    trail_from,
    typical_step_ms,
)

START = 1_000_000 * BUCKET_MS


def fill(values: list[tuple[int, float]]) -> Trail:
    trail: Trail | None = None
    for seconds, value in values:
        trail = extend_trail(trail, START + seconds * 1000, value)
    assert trail is not None
    return trail


@pytest.mark.parametrize(
    ("values", "now_seconds", "width", "expected"),
    [
        pytest.param([(0, 10)], 0, 3, (None, None, 10), id="a new system shows the bucket that fills"),
        pytest.param([(0, 10), (1, 20), (5, 30)], 5, 2, (None, 15), id="whole buckets are means"),
        pytest.param([(0, 10), (5, 30), (10, 50)], 10, 4, (None, None, 10, 30), id="the filling one is not shown"),
        pytest.param([(0, 10), (20, 50)], 20, 5, (None, 10, None, None, None), id="silence is a gap"),
        pytest.param([(0, 10), (5, 20)], 20, 4, (10, 20, None, None), id="time goes on without readings"),
        pytest.param([(0, 10), (5, 20)], 10, 0, (), id="no room"),
    ],
)
def test_trail_cells(
    values: list[tuple[int, float]], now_seconds: int, width: int, expected: tuple[float | None, ...]
) -> None:
    assert trail_cells(fill(values), START + now_seconds * 1000, width) == expected


def test_a_trail_of_nothing_is_all_gaps() -> None:
    assert trail_cells(None, START, 3) == (None, None, None)


def test_a_trail_ignores_a_reading_of_a_bucket_that_was_drawn() -> None:
    trail = fill([(0, 10), (5, 20)])
    assert extend_trail(trail, START, 99) is trail


def test_a_trail_is_bounded() -> None:
    trail = fill([(5 * number, float(number)) for number in range(3 * TRAIL_BUCKETS)])
    assert len(trail.means) == TRAIL_BUCKETS


def test_history_stands_in_front_of_what_was_seen_live() -> None:
    live = fill([(0, 50), (5, 60), (10, 70)])
    history = trail_from(START // BUCKET_MS, [1.0, 2.0, 3.0])
    joined = join_trails(history, live)
    assert joined.means[-5:] == (1.0, 2.0, 3.0, 50, 60)
    assert joined.running_mean == 70
    assert join_trails(history, None) is history


def test_history_fills_the_gap_of_a_live_trail() -> None:
    live = fill([(0, 50), (20, 60)])
    history = trail_from(START // BUCKET_MS + 4, [9.0, 8.0, 7.0, 6.0])
    assert join_trails(history, live).means[-4:] == (50, 8.0, 7.0, 6.0)


def test_bucket_means_leaves_gaps() -> None:
    end = START // BUCKET_MS
    means = bucket_means([START - 9000, START - 8000, START - 1000, START], (1.0, 3.0, None, 99.0), end)
    assert len(means) == TRAIL_BUCKETS
    assert means[-2:] == (2.0, None)


def test_appended_readings_line_up() -> None:
    columns = append_readings(Columns(resolution_ms=1000), 1000, {"a": 1.0})
    columns = append_readings(columns, 2000, {"a": 2.0, "b": 5.0})
    columns = append_readings(columns, 3000, {"b": 6.0})
    assert columns.timestamps_ms == (1000, 2000, 3000)
    assert columns.lanes["a"].mean == (1.0, 2.0, None)
    assert columns.lanes["b"].mean == (None, 5.0, 6.0)
    assert append_readings(columns, 3000, {"a": 9.0}) is columns


def test_live_columns_are_bounded() -> None:
    columns = Columns(resolution_ms=1000)
    for number in range(2 * LIVE_POINTS):
        columns = append_readings(columns, number * 1000, {"a": float(number)})
        assert len(columns.timestamps_ms) <= LIVE_POINTS
    assert columns.lanes["a"].mean[-1] == 2 * LIVE_POINTS - 1
    assert len(columns.lanes["a"].mean) == len(columns.timestamps_ms)


def test_join_columns_takes_history_as_far_as_it_goes() -> None:
    history = Columns(
        resolution_ms=1000,
        timestamps_ms=(1000, 2000, 3000, 4000),
        lanes={"a": Lane((1.0, None, 3.0, None), (0.0, None, 2.0, None), (2.0, None, 4.0, None))},
    )
    live = Columns(
        resolution_ms=1000, timestamps_ms=(2500, 3500, 4500), lanes={"a": Lane.exact((7.0, 8.0, 9.0)),
                                                                     "b": Lane.exact((1.0, 2.0, 3.0))}
    )  # fmt: skip
    joined = join_columns(history, live)
    assert joined.timestamps_ms == (1000, 2000, 3000, 4500)
    assert joined.lanes["a"].mean == (1.0, None, 3.0, 9.0)
    assert joined.lanes["a"].high == (2.0, None, 4.0, 9.0)
    assert joined.lanes["b"].mean == (None, None, None, 3.0)


def test_join_columns_with_nothing() -> None:
    live = append_readings(Columns(resolution_ms=1000), 1000, {"a": 1.0})
    empty = Columns(resolution_ms=1000, timestamps_ms=(1, 2), lanes={"a": Lane.exact((None, None))})
    assert join_columns(empty, live) is live
    assert join_columns(live, Columns(resolution_ms=1000)).timestamps_ms == (1000,)


def test_the_typical_step_is_the_usual_one() -> None:
    readings = (1.0, None, None, 2.0, None, None, 3.0) + (None,) * 50 + (4.0,)
    columns = Columns(
        resolution_ms=1000, timestamps_ms=tuple(range(0, 58_000, 1000)), lanes={"a": Lane.exact(readings)}
    )
    assert typical_step_ms(columns, "a") == 3000
    assert typical_step_ms(columns, "missing") == 1000
