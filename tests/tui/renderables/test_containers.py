"""Lines of the table of containers, and texts that are read."""

import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.style import Style

from beszel_protocol.colours import stretches
from beszel_tui.renderables.container_row import draw_caption, draw_container
from beszel_tui.renderables.document import MAX_LINES, document_lines
from beszel_tui.renderables.fleet_row import Cell, FleetLook
from beszel_tui.renderables.pane_line import Found, PaneLine, draw_pane_caption, draw_row, pieces_of, style_of
from beszel_tui.renderables.wrapping import wrap, wrap_words
from beszel_tui.state.columns import fold
from beszel_tui.state.containers import CLAIMS, COLUMNS, ContainerCounts, ContainerItem, ContainerLine
from beszel_tui.state.series import trail_from
from tests.support.containers import make_facts, make_usage
from tests.support.looks import make_look, make_palette, plain
from tests.support.scriptedsource import NOW_MS

HOSTILE = "\x1b]0;owned\x07[red]x[/]\u202e\u2028"
PALETTE = make_palette()


def line_of(name: str = "web", *, aged: bool = False, **facts: Any) -> ContainerLine:
    told = make_facts(name=name, **facts)
    usage = make_usage(name=name, memory_percent=92.0, read_bytes_per_second=0.0, write_bytes_per_second=4096.0)
    item = ContainerItem("s/1", "s", "host-1", told, usage, aged, 3 * 3_600_000)
    return ContainerLine(item, trail_from(NOW_MS // 5000, [1.0, None, 12.0]), NOW_MS)


def drawn(line: ContainerLine, width: int, look: FleetLook | None = None) -> str:
    cells: list[Cell] = draw_container(line, fold(width, COLUMNS, CLAIMS), look or make_look())
    text = ""
    for cell in cells:
        assert cell_len(plain(cell.segments)) == cell.width
        text += " " * (cell.x - cell_len(text)) + plain(cell.segments)
    assert cell_len(text) <= width
    return text


def test_a_wide_line_tells_everything() -> None:
    text = drawn(line_of(health="healthy", project="shop", ports=["8080→80/tcp"], restarts=2), 200)
    for part in (
        "● web", "host-1", "12.5%", "64.0M", "1.0K / 500B", "4.0K", "7", "3h", "healthy", "nginx:1.29", "shop",
        "8080→80", " 2 ",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("symbols", ["braille", "block", "ascii"])
@pytest.mark.parametrize("width", [20, 58, 78, 158, 240])
def test_any_width_and_any_name(width: int, symbols: str) -> None:
    line = line_of(HOSTILE + "名前" * 40, image=HOSTILE, project=HOSTILE, ports=[HOSTILE], health="unhealthy")
    text = drawn(line, width, make_look(symbols))
    assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(text)


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"state": "exited", "exit_code": 0}, "exited"),
        ({"state": "exited", "exit_code": 137}, "exit 137"),
        ({"state": "paused"}, "paused"),
        ({"state": "restarting"}, "restart"),
        ({"state": "created"}, "created"),
        ({"state": "dead"}, "dead"),
    ],
)
def test_states_are_words(facts: dict[str, Any], shown: str) -> None:
    assert shown in drawn(line_of(**facts), 80)


def test_trouble_is_marked_by_a_sign() -> None:
    for facts in ({"state": "exited", "exit_code": 1}, {"health": "unhealthy"}, {"state": "restarting"}):
        assert "⚠" in drawn(line_of(**facts), 80)
    assert "⚠" not in drawn(line_of(health="healthy"), 80)


def test_an_arrow_stands_beside_an_image_that_is_behind() -> None:
    line = line_of(image="ghcr.io/team/app:1.2")
    behind = line._replace(item=line.item._replace(image_update=True))
    assert "ghcr.io/team/app:1.2 ↑" in drawn(behind, 240)
    assert "app:1.2 ↑" in drawn(behind, 100)
    assert "^" in drawn(behind, 100, make_look("ascii"))
    for known in (False, None):
        assert "↑" not in drawn(line._replace(item=line.item._replace(image_update=known)), 240)


def test_what_is_aged_is_faint() -> None:
    cells = draw_container(line_of(aged=True), fold(80, COLUMNS, CLAIMS), make_look())
    strong = {make_palette().strong, make_palette().text}
    assert not any(segment.style in strong for cell in cells for segment in cell.segments if segment.text.strip())


def test_the_caption_leaves_out_what_does_not_fit() -> None:
    counts = ContainerCounts(12, 9, 2)
    wide = plain(draw_caption("of all systems", counts, 5, 120, make_look()))
    for part in ("Containers of all systems", "9 ● running", "3 not", "2 ⚠ in trouble", "5 shown"):
        assert part in wide
    for width in range(1, 120):
        assert cell_len(plain(draw_caption("of all systems", counts, 5, width, make_look()))) == width


# Texts


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 5, [""]),
        ("abc", 5, ["abc"]),
        ("abcdefgh", 5, ["abcde", "fgh"]),
        ("名前名前", 5, ["名前", "名前"]),
        ("名", 1, ["名"]),
        ("abc", 0, ["abc"]),
        ("aé名b", 2, ["aé", "名", "b"]),
    ],
)
def test_wrapped(text: str, width: int, rows: list[str]) -> None:
    assert [text[start:end] for start, end in wrap(text, width)] == rows


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 5, [""]),
        ("abc", 5, ["abc"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("one two three", 6, ["one", "two", "three"]),
        ("abcdefgh ij", 5, ["abcde", "fgh", "ij"]),
        ("名前 名前", 5, ["名前", "名前"]),
        ("abc", 0, ["abc"]),
    ],
)
def test_wrapped_at_words(text: str, width: int, rows: list[str]) -> None:
    assert [text[start:end] for start, end in wrap_words(text, width)] == rows


def pane_line(text: str) -> PaneLine:
    return PaneLine(text, ((text[:3], PALETTE.key), (text[3:], PALETTE.text)), ("12:00 ", PALETTE.faint))


def test_the_lead_stands_before_the_first_row_only() -> None:
    line = pane_line("abcdefgh")
    assert plain(draw_row(line, (0, 5), 14, PALETTE)) == "12:00 abcde   "
    assert plain(draw_row(line, (5, 8), 14, PALETTE)) == "      fgh     "
    assert plain(draw_row(line, (0, 8), 14, PALETTE, shift=4)) == "12:00 efgh    "
    assert plain(draw_row(line, (0, 8), 10, PALETTE)) == "12:00 abc…"


def test_what_was_found_is_reversed() -> None:
    segments = draw_row(pane_line("abcdefgh"), (0, 8), 14, PALETTE, [Found(2, 5, is_current=True)])
    assert plain(segments) == "12:00 abcdefgh"
    assert "".join(s.text for s in segments if s.style is not None and s.style.reverse) == "cde"


def test_a_caption_keeps_its_newest_notes() -> None:
    notes = [("first", PALETTE.muted), ("last", PALETTE.muted)]
    assert plain(draw_pane_caption("title", notes, 30, PALETTE)).split() == ["title", "first", "last"]
    assert plain(draw_pane_caption("title", notes, 14, PALETTE)).split() == ["title", "last"]
    for width in range(1, 40):
        assert cell_len(plain(draw_pane_caption("title", notes, width, PALETTE))) == width


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("\x1b[31mx", "red"),
        ("\x1b[1;92mx", "bold bright_green"),
        ("\x1b[38;5;208mx", "color(208)"),
        ("\x1b[38;2;1;2;3;48;2;4;5;6mx", "#010203 on #040506"),
        ("\x1b[2;3;4;7;9mx", "dim italic underline reverse strike"),
        ("\x1b[44;105mx", "on bright_magenta"),
    ],
)
def test_colours_of_programs(text: str, style: str) -> None:
    (stretch,) = stretches(text, 100)
    assert style_of(stretch.codes).render("x") == Style.parse(style).render("x")
    ((shown, drawn_style),) = pieces_of([stretch], PALETTE.text)
    assert (shown, drawn_style) == ("x", PALETTE.text + style_of(stretch.codes))


def test_a_document_is_shown_as_it_is() -> None:
    text = '{\n  "Name": "a\\"b\u009b",\n\t"n": [1, -2.5e3, true, null]\n}'
    lines = document_lines(text, PALETTE)
    assert [line.text for line in lines] == ["{", '  "Name": "a\\"b",', '        "n": [1, -2.5e3, true, null]', "}"]
    for line in lines:
        assert "".join(piece for piece, _ in line.pieces) == line.text
    assert len(document_lines("\n" * 2 * MAX_LINES, PALETTE)) == MAX_LINES
    assert re.search("Name", lines[1].text)
