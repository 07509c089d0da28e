from beszel_protocol.hygiene import clean
from beszel_tui.state.demo import demo_columns, demo_details, demo_metrics, demo_rows, demo_trail
from beszel_tui.state.demo_hosts import HOSTS
from tests.support.scriptedsource import NOW_MS


def test_the_demonstration_is_the_same_everywhere() -> None:
    assert demo_rows(NOW_MS) == demo_rows(NOW_MS)
    assert demo_rows(NOW_MS) != demo_rows(NOW_MS + 1000)
    assert round(demo_rows(NOW_MS)[0].cpu_percent or 0, 3) == round(demo_rows(NOW_MS)[0].cpu_percent or 0, 3)


def test_every_number_could_be_a_reading() -> None:
    for row in demo_rows(NOW_MS):
        assert clean(row) is row
        if row.status == "up":
            metrics = demo_metrics(row.id, NOW_MS)
            assert clean(metrics) is metrics
            assert demo_details(row.id).hostname == row.name


def test_one_down_one_paused_the_rest_up() -> None:
    assert sorted(host.status for host in HOSTS if host.status != "up") == ["down", "paused"]


def test_history_has_gaps_and_extremes() -> None:
    system = demo_rows(NOW_MS)[0].id
    columns = demo_columns(system, ["cpu.usage_percent"], NOW_MS - 86_400_000, NOW_MS, 200)
    lane = columns.lanes["cpu.usage_percent"]
    assert len(columns.timestamps_ms) == len(lane.mean) <= 201
    assert None in lane.mean
    for low, mean, high in zip(lane.low, lane.mean, lane.high, strict=True):
        assert (low is None) == (mean is None) == (high is None)
        if low is not None and mean is not None and high is not None:
            assert low <= mean <= high <= 100


def test_trails_of_systems_that_are_up() -> None:
    rows = demo_rows(NOW_MS)
    assert demo_trail(rows[0].id, NOW_MS) is not None
    assert demo_trail(next(row.id for row in rows if row.status == "down"), NOW_MS) is None
