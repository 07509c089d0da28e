import gc
import tracemalloc

import pytest

from beszel_protocol.metrics import Unit
from beszel_tui.renderables.canvas import Canvas
from beszel_tui.renderables.chart import AXIS_WIDTH, cell_instant, draw_chart
from beszel_tui.renderables.plot import resample
from beszel_tui.renderables.symbols import SYMBOLS
from beszel_tui.state.chartview import ChartLine, ChartView
from beszel_tui.state.series import Lane
from tests.support.looks import make_chart_look, make_palette, plain

START = 1_795_342_800_000
SECOND = 1000
LOOK = make_chart_look()


def make_view(
    readings: list[float | None], *, count: int = 1, unit: Unit = Unit.PERCENT, **fields: object
) -> ChartView:
    times = tuple(START + number * SECOND for number in range(len(readings)))
    line = ChartLine("used", Lane.exact(tuple(readings)), SECOND)
    values: dict[str, object] = {
        "title": "CPU", "unit": unit, "timestamps_ms": times, "lines": (line,), "start_ms": START,
        "end_ms": START + len(readings) * SECOND, **fields,
    }  # fmt: skip
    return ChartView(**values)  # type: ignore[arg-type]


def drawn(view: ChartView, width: int = 60, height: int = 10, symbols: str = "braille") -> list[str]:
    return [plain(line) for line in draw_chart(view, width, height, make_chart_look(symbols))]


def plot_of(lines: list[str]) -> list[str]:
    return [line[AXIS_WIDTH + 1 :] for line in lines[1:-1]]


@pytest.mark.parametrize("width", [3, 12, 13, 40, 79, 159])
@pytest.mark.parametrize("height", [1, 2, 3, 8, 30])
@pytest.mark.parametrize("symbols", ["braille", "block", "ascii"])
def test_a_chart_fills_exactly_its_room(width: int, height: int, symbols: str) -> None:
    lines = drawn(make_view([float(number % 90) for number in range(300)]), width, height, symbols)
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


def test_title_value_and_extremes_are_told() -> None:
    lines = drawn(make_view([10.0, 30.0, 20.0]))
    assert "CPU" in lines[0]
    assert "20.0%" in lines[0]
    assert "min 10.0% avg 20.0% max 30.0%" in lines[0]


def test_a_legend_names_each_line() -> None:
    lines = (ChartLine("read", Lane.exact((1.0,)), SECOND), ChartLine("write", Lane.exact((2048.0,)), SECOND))
    view = make_view([1.0], unit=Unit.BYTES_PER_SECOND)._replace(lines=lines)
    assert "read 1B/s" in drawn(view)[0]
    assert "write 2.0K/s" in drawn(view)[0]
    assert "read 1B/s  write 2.0K/s" in drawn(view, width=31)[0]
    assert "━ read  ━ write" in drawn(view, width=24)[0]
    assert "r" not in drawn(view, width=14)[0]


def test_the_axis_has_units_and_times() -> None:
    lines = drawn(make_view([50.0] * 300))
    assert any("60%┤" in line for line in lines)
    assert "10:22" in lines[-1]


def test_a_gap_stays_open() -> None:
    readings: list[float | None] = [50.0] * 100
    readings[40:60] = [None] * 20
    plot = plot_of(drawn(make_view(readings, ceiling=100.0), symbols="braille"))
    bottom = plot[-1]
    assert bottom[0].strip()
    assert bottom[25].strip() == ""
    assert bottom[-2].strip()


def test_a_missing_reading_now_and_then_is_no_gap_for_a_slow_agent() -> None:
    readings: list[float | None] = [50.0 if number % 10 == 0 else None for number in range(100)]
    view = make_view(readings, ceiling=100.0)
    view = view._replace(lines=(ChartLine("used", view.lines[0].lane, 10 * SECOND),))
    assert " " not in plot_of(drawn(view))[-1][6:45]


def test_a_curve_enters_from_the_edge() -> None:
    readings: list[float | None] = [50.0 if number % 60 == 0 else None for number in range(300)]
    view = make_view(readings, ceiling=100.0)
    line = ChartLine("used", view.lines[0].lane, 60 * SECOND)
    view = view._replace(lines=(line,), start_ms=START + 90 * SECOND)
    assert plot_of(drawn(view))[-1][0].strip()


def test_nothing_is_said_where_nothing_was_read() -> None:
    lines = drawn(make_view([None, None], note="no readings in this time"))
    assert any("no readings in this time" in line for line in lines)
    assert "–" in lines[0]


def test_the_time_cursor_is_drawn_with_its_time_and_value() -> None:
    view = make_view([float(number) for number in range(100)], cursor_ms=START + 50 * SECOND)
    lines = drawn(view)
    assert "50.0%" in lines[0]
    assert all(line[AXIS_WIDTH + 1 :].count("│") == 1 for line in lines[1:-1])
    assert "10:20:50" in lines[-1]


def test_a_cursor_outside_the_window_is_not_drawn() -> None:
    assert "│" not in plot_of(drawn(make_view([1.0] * 10, cursor_ms=START - 1)))[0]


def test_extremes_reach_beyond_the_mean() -> None:
    lane = Lane((50.0,) * 100, (20.0,) * 100, (90.0,) * 100)
    wide = make_view([50.0] * 100, ceiling=100.0)
    wide = wide._replace(lines=(ChartLine("used", lane, SECOND),))
    narrow = make_view([50.0] * 100, ceiling=100.0)
    assert plot_of(drawn(wide))[0].strip("⠁ ") != plot_of(drawn(narrow))[0].strip("⠁ ")
    assert "max 90.0%" in drawn(wide)[0]


def test_columns_of_dots_stay_on_the_clock() -> None:
    """A second later the same readings are in the same columns, or all one further to the left."""
    readings: list[float | None] = [float(number) for number in range(400)]
    line = make_view(readings).lines[0]
    times = tuple(START + number * SECOND for number in range(400))
    before = resample(times, line, START + 60_000, START + 360_000, 100)
    after = resample(times, line, START + 61_000, START + 361_000, 100)
    shift = {x.mean: x.x for x in before}
    moved = {shift[dot.mean] - dot.x for dot in after if dot.mean in shift}
    assert moved <= {0, 1}
    assert len(moved) == 1


def test_an_instant_of_a_cell() -> None:
    view = make_view([1.0] * 100)
    assert cell_instant(view, 0, 50) == START + SECOND
    assert cell_instant(view, 49, 50) == START + 99 * SECOND
    assert cell_instant(view, 999, 50) == START + 99 * SECOND


def test_dots_outside_the_canvas_are_left_out() -> None:
    canvas = Canvas(2, 1, SYMBOLS["braille"].dots)
    style = make_palette().text
    for x, y in ((-1, 0), (0, -1), (4, 0), (0, 4)):
        canvas.set_dot(x, y, style, 1)
    assert "".join(text for text, _ in canvas.row(0, style)) == "  "
    canvas.line((0, 0), (3, 3), style, 1)
    assert "".join(text for text, _ in canvas.row(0, style)) == "⠑⢄"


def test_redrawing_for_hours_keeps_nothing() -> None:
    readings: list[float | None] = [float(number % 90) for number in range(300)]
    view = make_view(readings)

    def redraw(times: int) -> None:
        for number in range(times):
            draw_chart(view._replace(end_ms=view.end_ms + number), 80, 10, LOOK)

    redraw(30)
    gc.collect()
    tracemalloc.start()
    redraw(20)
    before = tracemalloc.get_traced_memory()[0]
    redraw(80)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000
