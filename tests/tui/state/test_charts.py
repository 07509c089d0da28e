from beszel_protocol.addresses import parse_address
from beszel_protocol.sample import CpuMetrics, InterfaceMetrics, MemoryMetrics, Metrics, NetworkMetrics
from beszel_protocol.storage import DiskMetrics
from beszel_tui.state.charts import MAX_CHARTS, TABS, addresses_of, charted_readings, charts_of, tabs_of
from beszel_tui.state.chartview import ChartView, chart_view, newest_value, value_at
from beszel_tui.state.events import Connected, Disconnected, SystemOpened
from beszel_tui.state.layout import lay_out
from beszel_tui.state.model import Focus, State
from beszel_tui.state.reduce import reduce
from beszel_tui.state.series import Columns, Lane
from tests.support.scriptedsource import NOW_MS, make_row

RICH = Metrics(
    cpu=CpuMetrics(usage_percent=12.0, user_percent=8.0, cores_percent=[1.0] * 20, load_average=[1.0, 2.0, 3.0],
                   pressure_percent=0.1),
    memory=MemoryMetrics(total_bytes=1000, used_bytes=400, usage_percent=40.0, swap_total_bytes=10, swap_used_bytes=1),
    disk={"/": DiskMetrics(usage_percent=30.0, read_bytes_per_second=5.0),
          "/mnt/we]ird": DiskMetrics(usage_percent=31.0, utilization_percent=3.0)},
    network=NetworkMetrics(recv_bytes_per_second=1.0, interfaces={"eth0": InterfaceMetrics(sent_bytes_per_second=2.0)}),
    temperatures={f"sensor{number}": 40.0 for number in range(10)},
    fans={"fan1": 900.0},
)  # fmt: skip


def test_every_line_of_every_chart_is_a_declared_series() -> None:
    for tab in TABS:
        for address in addresses_of(charts_of(tab, RICH)):
            assert parse_address(address).metric is not None, address


def test_a_chart_has_the_unit_of_its_lines() -> None:
    for tab in TABS:
        for chart in charts_of(tab, RICH):
            assert {parse_address(line.address).metric.unit for line in chart.lines} == {chart.unit}  # type: ignore[union-attr]


def test_what_zfs_keeps_cached_is_drawn_where_it_is_told() -> None:
    def lines(memory: MemoryMetrics) -> list[str]:
        charts = charts_of(TABS[2], Metrics(memory=memory))
        return next([line.address for line in chart.lines] for chart in charts if chart.key == "memory-bytes")

    assert lines(MemoryMetrics(zfs_arc_bytes=5))[2:] == ["memory.zfs_arc_bytes"]
    assert lines(MemoryMetrics()) == ["memory.used_bytes", "memory.cache_bytes"]


def test_keys_are_unique_within_a_tab() -> None:
    for tab in TABS:
        keys = [chart.key for chart in charts_of(tab, RICH)]
        assert len(set(keys)) == len(keys)


def test_a_host_that_tells_nothing_still_has_tabs() -> None:
    assert [tab.key for tab in tabs_of(None)] == [
        "overview", "cpu", "memory", "disks", "network", "processes", "alerts",
    ]  # fmt: skip
    assert all(chart.lines for chart in charts_of(TABS[0], None))


def test_what_there_is_decides_what_is_shown() -> None:
    titles = {tab.key: [chart.title for chart in charts_of(tab, RICH)] for tab in tabs_of(RICH)}
    assert "Swap" in titles["memory"]
    assert "CPU pressure" in titles["cpu"]
    assert "Cores 3/3" in titles["cpu"]
    assert "/mnt/we]ird busy" in titles["disks"]
    assert titles["sensors"] == ["Temperatures 1/2", "Temperatures 2/2", "Fans"]


def test_a_host_with_very_many_disks_is_bounded() -> None:
    many = Metrics(disk={f"/mnt/{number}": DiskMetrics(usage_percent=1.0) for number in range(500)})
    assert all(len(charts_of(tab, many)) <= MAX_CHARTS for tab in TABS)


def test_charted_readings_leave_out_what_was_not_read() -> None:
    readings = charted_readings(RICH)
    assert readings["cpu.usage_percent"] == 12.0
    assert readings["cpu.load_average[2]"] == 3.0
    assert readings["disk[/mnt/we\\]ird].utilization_percent"] == 3.0
    assert "cpu.iowait_percent" not in readings


def focused(columns: Columns, **fields: object) -> State:
    row = make_row("one")
    state = reduce(State(systems={row.id: row}), [Connected(at_ms=NOW_MS), SystemOpened(system_id=row.id)])
    focus = Focus(system_id=row.id, live=columns, metrics=RICH, **fields)  # type: ignore[arg-type]
    return State(systems=state.systems, connection=state.connection, now_ms=NOW_MS, loaded=True, focus=focus)


def some_columns() -> Columns:
    times = tuple(NOW_MS - 5000 + 1000 * number for number in range(5))
    lane = Lane((1.0, 2.0, None, None, 5.0), (0.5, 1.0, None, None, 4.0), (2.0, 3.0, None, None, 6.0))
    return Columns(resolution_ms=1000, timestamps_ms=times, lanes={"cpu.usage_percent": lane})


def cpu_view(state: State) -> ChartView:
    return chart_view(state, charts_of(TABS[0], RICH)[0])


def test_values_under_the_cursor() -> None:
    view = cpu_view(focused(some_columns()))
    line = view.lines[0]
    assert value_at(view, line, NOW_MS - 4900) == (1.0, 0.5, 2.0) or value_at(view, line, NOW_MS - 4900) is not None
    assert value_at(view, line, NOW_MS - 1000) == (5.0, 4.0, 6.0)
    assert value_at(view, line, NOW_MS - 60_000) is None
    assert newest_value(line) == 5.0


def test_an_empty_chart_says_why() -> None:
    empty = Columns(resolution_ms=1000)
    assert cpu_view(focused(empty)).note == "no readings in this time"
    assert cpu_view(focused(empty, loading=True)).note == "loading…"
    assert cpu_view(focused(empty, problem="it broke")).note == "it broke"
    assert cpu_view(focused(some_columns())).note == ""


def test_the_window_stops_when_the_hub_is_lost() -> None:
    state = focused(some_columns())
    lost = reduce(state, [Disconnected(at_ms=NOW_MS + 1000, reason="gone", retry_at_ms=0)])
    later = reduce(lost, [Disconnected(at_ms=NOW_MS + 60_000, reason="gone", retry_at_ms=0)])
    assert cpu_view(later).end_ms == NOW_MS + 1000
    assert cpu_view(later).aged
    assert not cpu_view(state).aged


def test_the_size_of_memory_is_the_top_of_its_chart() -> None:
    chart = next(chart for chart in charts_of(TABS[2], RICH) if chart.key == "memory-bytes")
    assert chart_view(focused(some_columns()), chart).ceiling == 1000


def test_charts_side_by_side() -> None:
    assert lay_out(6, 159, 39).columns == 2
    assert lay_out(6, 79, 19).columns == 1
    assert lay_out(8, 239, 60).columns == 3
    assert lay_out(1, 159, 39) == lay_out(1, 159, 39)
    assert lay_out(1, 159, 39).row_height == 38
    for height in range(5, 60):
        assert lay_out(7, 80, height).row_height >= 5
