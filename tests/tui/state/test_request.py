import pytest

from beszel_protocol.metrics import Unit
from beszel_tui.errors import RequestError
from beszel_tui.state.request import find_system, requested_chart
from tests.support.scriptedsource import make_row

ROWS = [make_row("web"), make_row("web-1"), make_row("db-1"), make_row("db-2"), make_row("nas\x1b[31m")]


@pytest.mark.parametrize(("name", "found"), [("web", "web"), ("web-", "web-1"), ("db-2", "db-2")])
def test_a_name_or_a_beginning_that_no_other_has(name: str, found: str) -> None:
    assert find_system(ROWS, name).name == found


@pytest.mark.parametrize(
    ("name", "says"),
    [("db", "'db' may be any of 'db-1', 'db-2'"), ("x", "no system is called 'x'"), ("", "no system is called ''")],
)
def test_a_name_that_says_too_little(name: str, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        find_system(ROWS, name)


def test_two_systems_of_one_name_are_not_guessed_between() -> None:
    with pytest.raises(RequestError, match="2 systems are called 'web'"):
        find_system([make_row("web"), make_row("web")], "web")


def test_many_candidates_are_cut_short_and_harmless() -> None:
    with pytest.raises(RequestError) as caught:
        find_system([make_row(f"n{number}\x1b") for number in range(9)], "n")
    assert str(caught.value).endswith("'n4\\x1b', …")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "title", "unit"),
    [
        ("cpu.usage_percent", "CPU", Unit.PERCENT),
        ("cpu.usage_percent, memory.usage_percent,cpu.usage_percent", "CPU, Memory", Unit.PERCENT),
        ("disk[/mnt/a,b].read_bytes_per_second", "Disk read /mnt/a,b", Unit.BYTES_PER_SECOND),
        ("cpu.load_average[1]", "Load average 5 min", Unit.LOAD),
    ],
)
def test_a_chart_is_labelled_by_the_catalogue(text: str, title: str, unit: Unit) -> None:
    chart = requested_chart(text)
    assert (chart.title, chart.unit) == (title, unit)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cpu.usage", "no metric is called 'cpu.usage'; did you mean cpu.usage_percent?"),
        ("cpu.load_average", r"did you mean cpu.load_average\[\]"),
        ("zzz", "no metric is called 'zzz'$"),
        ("CPU", "not the address of a series: 'CPU'"),
        ("", "not the address of a series: ''"),
        ("cpu.usage_percent,memory.used_bytes", "one unit, not percent and bytes"),
        (",".join(f"cpu.cores_percent[{number}]" for number in range(9)), "at most 8 metrics, not 9"),
    ],
)
def test_what_is_no_chart_is_told_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        requested_chart(text)
