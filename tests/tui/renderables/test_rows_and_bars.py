"""Lines of the fleet table, and the bars around the content."""

from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from beszel_protocol.details import HostDetails
from beszel_protocol.feed import FleetRow
from beszel_tui.renderables.facts import draw_facts
from beszel_tui.renderables.fleet_row import Cell, draw_header, draw_line, spark_width
from beszel_tui.renderables.key_bar import Hint, draw_key_bar
from beszel_tui.renderables.tab_bar import TabBarView, draw_tab_bar
from beszel_tui.renderables.top_bar import draw_top_bar
from beszel_tui.state.columns import fold
from beszel_tui.state.model import Connection, Focus, State
from beszel_tui.state.selectors import FleetLine, Sort
from tests.support.looks import make_look, plain
from tests.support.scriptedsource import NOW_MS, make_row

LOOK = make_look()
HOSTILE = "\x1b]0;owned\x07[red]x[/]\u202e\u2028"
NOON = datetime(2026, 11, 22, 12, 4, 31, tzinfo=UTC)


def line_for(row: FleetRow, *, aged: bool = False, note: str = "", critical: bool = False) -> FleetLine:
    return FleetLine(row, (10.0, None, 95.0), aged, note, critical)


def text_of(cells: list[Cell], width: int) -> str:
    text = ""
    for cell in cells:
        assert cell_len(plain(cell.segments)) == cell.width
        text += " " * (cell.x - cell_len(text)) + plain(cell.segments)
    return text.ljust(width)


FULL = make_row(
    "web-1", cpu=41.2, memory=71.0, disk=44.0, tags=["prod"], recv_bytes_per_second=1.2 * 2**20,
    sent_bytes_per_second=340 * 1024.0, load_average=[0.81, 0.5, 0.2], temperature_celsius=54.4, services_total=61,
    services_failed=1, uptime_seconds=41 * 86400.0, cores=4, agent_version="0.1.0",
)  # fmt: skip


@pytest.mark.parametrize("width", [20, 58, 78, 118, 158, 220])
@pytest.mark.parametrize("symbols", ["braille", "ascii"])
def test_a_line_fits_its_columns(width: int, symbols: str) -> None:
    look = make_look(symbols)
    placed = fold(width)
    for row in (FULL, make_row("x" * 300, cpu=None, memory=None, disk=None), make_row("日本語" * 30, cpu=100.0)):
        assert len(text_of(draw_line(line_for(row), placed, look, marked=False), width)) <= width + 200
    assert cell_len(text_of(draw_header(placed, Sort("cpu"), look), 0)) <= width


def test_what_a_line_says() -> None:
    text = text_of(draw_line(line_for(FULL), fold(158), LOOK, marked=False), 158)
    for part in ("● web-1", "41.2%", "71%", "44%", "1.2M / 340K", "0.81", "54°", "61/1", "41d", "prod", "0.1.0"):
        assert part in text


def test_state_is_told_by_a_symbol_not_by_colour_alone() -> None:
    rows = [make_row("x", status=status) for status in ("up", "down", "paused", "pending")]
    cells = [draw_line(line_for(row), fold(78), LOOK, marked=False)[0] for row in rows]
    assert len({plain(cell.segments)[0] for cell in cells}) == 4


def test_a_critical_line_has_a_sign() -> None:
    assert "⚠" in text_of(draw_line(line_for(FULL, critical=True), fold(78), LOOK, marked=False), 78)
    assert "⚠" not in text_of(draw_line(line_for(FULL), fold(78), LOOK, marked=False), 78)


def test_a_note_stands_in_place_of_numbers() -> None:
    row = make_row("nas", status="down")
    text = text_of(draw_line(line_for(row, note="no data for 4m"), fold(158), LOOK, marked=False), 158)
    assert "no data for 4m" in text
    assert "%" not in text
    assert text.count("–") >= 5
    assert "no" in text_of(draw_line(line_for(row, note="no data for 4m"), fold(30), LOOK, marked=False), 30)


def test_aged_numbers_are_grey() -> None:
    palette = LOOK.palette
    cells = draw_line(line_for(FULL, aged=True), fold(78), LOOK, marked=False)
    used = {segment.style for cell in cells[1:] for segment in cell.segments if segment.text.strip(" ")}
    assert used <= {palette.faint, palette.muted}


def test_a_mark_is_a_sign() -> None:
    assert "▌web-1" in text_of(draw_line(line_for(FULL), fold(78), LOOK, marked=True), 78)


def test_what_hosts_are_called_never_reaches_the_terminal_as_codes() -> None:
    row = make_row(HOSTILE, tags=[HOSTILE], agent_version=HOSTILE)
    text = text_of(draw_line(line_for(row), fold(158), LOOK, marked=False), 158)
    assert text.isprintable()
    assert "[red]x[/]" in text


def test_no_curve_without_room() -> None:
    assert spark_width(fold(30)) == 0
    assert spark_width(fold(158)) >= 13


def make_state(phase: str, **fields: object) -> State:
    connection = Connection(phase=phase, since_ms=NOW_MS - 65_000, reason="connection refused")  # type: ignore[arg-type]
    rows = [FULL, make_row("nas", status="down")]
    values: dict[str, object] = {
        "hub": "hub.example.net", "now_ms": NOW_MS, "connection": connection, "loaded": True,
        "systems": {row.id: row for row in rows}, **fields,
    }  # fmt: skip
    return State(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [10, 30, 46, 60, 80, 160])
@pytest.mark.parametrize("phase", ["connecting", "live", "offline", "refused"])
def test_the_top_bar_fits_and_tells_the_connection(width: int, phase: str) -> None:
    text = plain(draw_top_bar(make_state(phase), width, LOOK, NOON))
    assert cell_len(text) == width
    if width >= 60:
        said = {"connecting": "connecting", "live": "live", "offline": "offline since", "refused": "not admitted"}
        assert said[phase] in text
        assert "1 ●" in text
        assert "1 ▼" in text


def test_the_top_bar_says_since_when_it_is_offline() -> None:
    assert "(1m)" in plain(draw_top_bar(make_state("offline"), 160, LOOK, NOON))
    assert "12:04:31" in plain(draw_top_bar(make_state("live"), 160, LOOK, NOON))
    assert "hub.example.net" in plain(draw_top_bar(make_state("live"), 160, LOOK, NOON))
    assert "loading" in plain(draw_top_bar(make_state("connecting", loaded=False), 160, LOOK, NOON))


@pytest.mark.parametrize(
    ("pace_ms", "says"), [(None, "● live "), (990, "● live 1s "), (15_004, "● live 15s "), (300_000, "● live ")]
)
def test_the_top_bar_says_how_often_the_open_system_tells_something(pace_ms: int | None, says: str) -> None:
    state = make_state("live", focus=Focus(system_id=FULL.id, pace_ms=pace_ms))
    assert f"{says} 12:04:31" in plain(draw_top_bar(state, 160, LOOK, NOON))
    for width in range(10, 161):
        bar, without = (plain(draw_top_bar(shown, width, LOOK, NOON)) for shown in (state, make_state("live")))
        assert cell_len(bar) == width
        assert "live" in bar
        assert [word for word in without.split() if word not in bar] == [], "it pushes nothing else out"
    away = plain(draw_top_bar(state, 160, LOOK, NOON, is_away=True))
    assert "resting  12:04:31" in away


@pytest.mark.parametrize(
    ("width", "left_ms", "says"),
    [
        (160, 4200, " (1m), next try in 5s "),
        (80, 1000, " (1m), next try in 1s "),
        (80, 90_000, "next try in 1m "),
        (80, 0, " (1m), trying again "),
        (50, 1, "offline 1m, next try in 1s "),
        (50, -5000, "offline 1m, trying again "),
    ],
)
def test_the_top_bar_counts_down_to_the_next_try(width: int, left_ms: int, says: str) -> None:
    connection = Connection(phase="offline", since_ms=NOW_MS - 65_000, retry_at_ms=NOW_MS + left_ms)
    text = plain(draw_top_bar(make_state("offline", connection=connection), width, LOOK, NOON))
    assert says in text
    assert "1 ▼" in text
    assert cell_len(text) == width


def test_facts() -> None:
    details = HostDetails(hostname="web-1", os_name="Debian GNU/Linux 12", kernel="6.1", cpu_model=HOSTILE, threads=8)
    focus = Focus(system_id=FULL.id, details=details)
    who, machine = (plain(line) for line in draw_facts(make_state("live", focus=focus), 160, LOOK))
    assert "web-1  up 41d" in who
    assert "Debian GNU/Linux 12 · 8 cores" in machine
    assert "agent 0.1.0" in machine
    assert machine.isprintable()
    offline = plain(draw_facts(make_state("offline", focus=focus), 160, LOOK)[0])
    assert "was up" in offline


def test_an_unencrypted_link_is_told() -> None:
    row = make_row("web-1", encrypted=False)
    state = make_state("live", systems={row.id: row}, focus=Focus(system_id=row.id))
    assert "unencrypted" in plain(draw_facts(state, 80, LOOK)[0])


def test_facts_of_a_system_that_is_gone() -> None:
    state = make_state("live", focus=Focus(system_id="gone"))
    assert "gone from the hub" in plain(draw_facts(state, 60, LOOK)[0])


HINTS = [Hint(str(number), str(number), "action") for number in range(9)] + [Hint("question_mark", "?", "help")]


@pytest.mark.parametrize("width", [12, 40, 80, 200])
def test_the_key_bar_keeps_help(width: int) -> None:
    line, places = draw_key_bar(HINTS, width, LOOK.palette)
    text = plain(line)
    assert len(text) == width
    assert "? help" in text
    for place in places:
        hint = next(hint for hint in HINTS if hint.key == place.key)
        assert text[place.x : place.x + place.width] == f"{hint.caption} {hint.description}"


@pytest.mark.parametrize("width", [24, 50, 80, 160])
def test_tabs_and_ranges_are_where_the_mouse_finds_them(width: int) -> None:
    view = TabBarView(("Overview", "CPU", "Memory"), 1, ("live", "1h", "24h"), "1h")
    line, places = draw_tab_bar(view, width, LOOK.palette)
    text = plain(line)
    assert len(text) == width
    assert " CPU " in text
    for place in places:
        kind, _, value = place.key.partition(":")
        label = view.tabs[int(value)] if kind == "tab" else value
        assert (
            text[place.x : place.x + place.width].strip() in {label, label[: max(0, width - place.x - 2)], ""}
            or width < 30
        )


def test_a_custom_range_is_shown_as_such() -> None:
    view = TabBarView(("Overview",), 0, ("live", "1h"), "custom", "loading…")
    assert "loading…" in plain(draw_tab_bar(view, 80, LOOK.palette)[0])
    assert " custom " in plain(draw_tab_bar(view, 80, LOOK.palette)[0])
