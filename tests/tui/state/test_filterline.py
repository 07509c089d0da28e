import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.feed import FleetRow
from beszel_tui.errors import FilterError
from beszel_tui.state.filterline import MAX_LENGTH, NO_FILTER, parse_filter
from tests.support.scriptedsource import make_row

ROWS = [
    make_row("web-1", cpu=55.0, tags=["prod", "web"], host="10.0.0.1", load_average=[2.0, 1.0, 0.5]),
    make_row("web-2", cpu=5.0, tags=["staging"], host="10.0.0.2", uptime_seconds=3 * 86400.0),
    make_row("db-10", cpu=97.0, memory=93.0, tags=["prod"], recv_bytes_per_second=3e6, sent_bytes_per_second=1e6),
    make_row("nas", cpu=None, memory=None, disk=None, status="down"),
    make_row("lab pi", cpu=None, status="paused", services_failed=2),
    make_row("up-and-away", cpu=1.0, temperature_celsius=71.0),
]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {"web-1", "web-2", "db-10", "nas", "lab pi", "up-and-away"}),
        ("  ", {"web-1", "web-2", "db-10", "nas", "lab pi", "up-and-away"}),
        ("web", {"web-1", "web-2"}),
        ("WEB", {"web-1", "web-2"}),
        ("web 1", {"web-1", "web-2"}),
        ("10.0.0.2", {"web-2"}),
        ("prod", {"web-1", "db-10"}),
        ("cpu>50", {"web-1", "db-10"}),
        ("cpu>=97 mem>90", {"db-10"}),
        ("cpu<10%", {"web-2", "up-and-away"}),
        ("!cpu>50", {"web-2", "nas", "lab pi", "up-and-away"}),
        ("tag:prod", {"web-1", "db-10"}),
        ("tag:prod !web", {"db-10"}),
        ("!paused !down", {"web-1", "web-2", "db-10", "up-and-away"}),
        ("paused", {"lab pi"}),
        ("is:down", {"nas"}),
        ("status:up name:away", {"up-and-away"}),
        ("up", {"web-1", "web-2", "db-10", "up-and-away"}),
        ('"lab pi"', {"lab pi"}),
        ('name:"lab p"', {"lab pi"}),
        (r"/^(web|db)-\d+$/", {"web-1", "web-2", "db-10"}),
        (r"!/\d/", {"nas", "lab pi", "up-and-away"}),
        ("net>3M", {"db-10"}),
        ("rx>2.5M/s", {"db-10"}),
        ("load>1.5", {"web-1"}),
        ("uptime>2d", {"web-2"}),
        ("uptime>1w", set()),
        ("failed>0", {"lab pi"}),
        ("temp>70°", {"up-and-away"}),
        ("cpu=97", {"db-10"}),
        ("cpu!=97 prod", {"web-1"}),
        ("::1", set()),
        ("agent:0.1", set()),
    ],
)
def test_what_a_filter_lets_through(line: str, expected: set[str]) -> None:
    wanted = parse_filter(line)
    assert {row.name for row in ROWS if wanted.matches(row)} == expected


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cpy>5", "no number is called 'cpy'"),
        ("cpu>high", "'high' is not a number"),
        ("uptime>5G", "'5G' is not a number"),
        ("/(/", "not a regular expression"),
        ("x" * (MAX_LENGTH + 1), f"at most {MAX_LENGTH}"),
    ],
)
def test_what_is_wrong_is_said(line: str, says: str) -> None:
    with pytest.raises(FilterError, match=says.replace("(", r"\(")):
        parse_filter(line)


@given(st.text(max_size=80))
def test_no_line_crashes(line: str) -> None:
    try:
        wanted = parse_filter(line)
    except FilterError:
        return
    for row in ROWS:
        assert wanted.matches(row) in {True, False}


def test_a_half_typed_expression_is_a_word() -> None:
    assert not parse_filter("/^we").matches(ROWS[0])


def test_no_filter_matches() -> None:
    assert NO_FILTER.matches(FleetRow(id="a", name="a", status="up"))
