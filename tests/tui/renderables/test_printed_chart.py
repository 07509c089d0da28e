from datetime import UTC

import pytest
from rich.cells import cell_len

from beszel_protocol.metrics import Unit
from beszel_protocol.units import ByteFamily, Style
from beszel_tui.renderables.printed_chart import LEAST_HEIGHT, LEAST_WIDTH, PrintedLook, print_chart
from beszel_tui.state.chartview import ChartLine, ChartView
from beszel_tui.state.series import Lane

START = 1_795_342_800_000
MINUTE = 60_000


def look(symbols: str = "braille", *, units: Style | None = None, colour: bool = False) -> PrintedLook:
    return PrintedLook(symbols, units or Style(), UTC, colour)


def view_of(*lanes: Lane, unit: Unit = Unit.PERCENT, title: str = "CPU") -> ChartView:
    times = tuple(START + number * MINUTE for number in range(len(lanes[0].mean)))
    lines = tuple(ChartLine(f"line {number}", lane, MINUTE) for number, lane in enumerate(lanes, 1))
    return ChartView(title, unit, times, lines, START, START + len(times) * MINUTE)


def steady(value: float = 50.0, count: int = 60) -> Lane:
    return Lane.exact((value,) * count)


def curve_of(text: str) -> str:
    """The one row of the plot that holds a level curve."""
    return next(line for line in text.splitlines() if any(0x2800 < ord(character) < 0x2900 for character in line))


def test_it_says_what_it_shows_and_when() -> None:
    lines = print_chart(view_of(steady()), "web-1", 60, 14, look()).splitlines()
    assert lines[0] == "web-1 · CPU (percent)"
    assert lines[1] == "2026-11-22 10:20 – 2026-11-22 11:20 UTC"
    assert "60%┤" in "".join(lines)
    assert "10:30" in lines[-1]


@pytest.mark.parametrize("size", [(LEAST_WIDTH, LEAST_HEIGHT), (80, 20), (200, 60)])
@pytest.mark.parametrize("symbols", ["braille", "block", "ascii"])
def test_it_keeps_to_its_size(size: tuple[int, int], symbols: str) -> None:
    text = print_chart(view_of(steady(), steady(20.0)), "web-1", *size, look(symbols))
    lines = text.splitlines()
    assert len(lines) == size[1]
    assert max(map(cell_len, lines)) <= size[0]
    assert text.isascii() is (symbols == "ascii")


def test_gaps_stay_open() -> None:
    lane = Lane.exact((50.0,) * 20 + (None,) * 20 + (50.0,) * 20)
    whole = curve_of(print_chart(view_of(steady()), "web-1", 64, 14, look())).partition("│")[2]
    torn = curve_of(print_chart(view_of(lane), "web-1", 64, 14, look())).partition("│")[2]
    assert " " not in whole[1:]
    assert torn[25:35].isspace()
    assert not torn[:15].isspace()
    assert not torn[45:].isspace()


def test_a_reading_alone_between_gaps_is_a_dot() -> None:
    readings: list[float | None] = [None] * 60
    readings[30] = 50.0
    row = curve_of(print_chart(view_of(Lane.exact(tuple(readings))), "web-1", 64, 14, look()))
    assert len(row.partition("│")[2].strip()) == 1


def test_what_was_rolled_up_is_shaded_between_its_extremes_and_gaps_are_not() -> None:
    mean = (50.0,) * 20 + (None,) * 20 + (50.0,) * 20
    low = tuple(None if value is None else 20.0 for value in mean)
    high = tuple(None if value is None else 80.0 for value in mean)
    rows = print_chart(view_of(Lane(mean, low, high)), "web-1", 64, 20, look()).splitlines()
    shaded = [row.replace("┤", "│").partition("│")[2] for row in rows if "░" in row]
    assert len(shaded) > 5
    assert all(row[25:35].isspace() for row in shaded)
    assert "░" not in print_chart(view_of(steady()), "web-1", 64, 20, look())


@pytest.mark.parametrize(
    ("unit", "value", "units", "name", "tick"),
    [
        (Unit.BYTES, 12.0 * 2**30, Style(), "CPU (bytes)", "12G"),
        (Unit.BYTES_PER_SECOND, 1e6, Style(rates=ByteFamily.BITS), "CPU (bits/s)", "8.4Mb"),
        (Unit.CELSIUS, 50.0, Style(fahrenheit=True), "CPU (°F)", "122°F"),
        (Unit.LOAD, 3.0, Style(), "CPU", "3"),
        (Unit.MILLISECONDS, 8.0, Style(), "CPU (ms)", "ms"),
    ],
)
def test_values_stand_in_the_units_of_the_settings(
    unit: Unit, value: float, units: Style, name: str, tick: str
) -> None:
    text = print_chart(view_of(steady(value), unit=unit), "web-1", 60, 16, look(units=units))
    assert text.startswith(f"web-1 · {name}\n")
    assert any(tick in line.partition("┤")[0] for line in text.splitlines() if "┤" in line)


def test_several_curves_differ_without_colour() -> None:
    text = print_chart(view_of(steady(), steady(20.0), Lane.exact((None,) * 60)), "web-1", 60, 16, look())
    assert "⠒ line 1   + line 2   x line 3 (no readings)" in text
    assert "++++++++" in text


def test_colour_only_where_it_is_wanted() -> None:
    assert "\x1b[" in print_chart(view_of(steady()), "web-1", 60, 14, look(colour=True))
    assert "\x1b" not in print_chart(view_of(steady(), steady(2.0)), "web-1", 60, 14, look())


def test_a_hostile_name_stays_on_its_line() -> None:
    name = "web\x1b]0;owned\x07\x1b[2J\n\u202eevil\u2028" + "漢" * 300
    lines = print_chart(view_of(steady(), title="disk \x1b[31m/\n"), name, 60, 14, look()).splitlines()
    assert len(lines) == 14
    assert max(map(cell_len, lines)) <= 60
    assert lines[0].startswith("web]0;owned[2Jevil")
    assert lines[0].endswith("… (percent)")
    assert all(line.isprintable() for line in lines)


def test_charts_do_not_share_anything() -> None:
    first = print_chart(view_of(steady()), "web-1", 60, 14, look())
    print_chart(view_of(steady(9.0), steady(3.0)), "web-2", 90, 30, look(colour=True))
    assert print_chart(view_of(steady()), "web-1", 60, 14, look()) == first
