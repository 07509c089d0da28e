"""Lines of the tables of a system."""

import pytest
from rich.cells import cell_len

from beszel_protocol.metrics import Unit
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.sheet_row import SheetCounts, SheetLine, draw_sheet_caption, draw_sheet_line
from beszel_tui.state.columns import fold
from beszel_tui.state.processes import PROCESSES
from beszel_tui.state.services import SERVICES
from beszel_tui.state.sheet import Sheet, SheetRow, Value, fold_columns
from beszel_tui.state.sheets import SHEETS
from tests.support.looks import make_look, plain

HOSTILE = "\x1b]0;owned\x07[red]x[/]\u202e\u2028"
LOOK = make_look()


def drawn(row: SheetRow, sheet: Sheet, width: int, look: FleetLook = LOOK, *, aged: bool = False) -> str:
    text = ""
    for cell in draw_sheet_line(SheetLine(row, aged), fold(width, fold_columns(sheet), sheet.claims), sheet, look):
        assert cell_len(plain(cell.segments)) == cell.width
        text += " " * (cell.x - cell_len(text)) + plain(cell.segments)
    assert cell_len(text) <= width
    return text


def row_of(name: str, words: str, number: float, sheet: Sheet) -> SheetRow:
    values: dict[str, Value] = {column.key: words if column.unit is None else number for column in sheet.columns}
    return SheetRow("k", name, values, "warning")


@pytest.mark.parametrize("symbols", ["braille", "block", "ascii"])
@pytest.mark.parametrize("width", [1, 8, 20, 40, 58, 78, 158, 300])
@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.key)
def test_any_width_any_name_any_number(sheet: Sheet, width: int, symbols: str) -> None:
    for number in (0.0, -5.0, 1e30, 55.5):
        for name in (HOSTILE + "名前" * 40, "x" * 10_000, "", "👩‍🚀" * 9):
            text = drawn(row_of(name, HOSTILE, number, sheet), sheet, width, make_look(symbols))
            assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(text)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.key)
def test_what_is_not_known_is_a_dash(sheet: Sheet) -> None:
    text = drawn(SheetRow("k", "thing", {}), sheet, 120)
    assert "thing" in text
    assert set(text.partition("thing")[2]) <= {" ", "–"}


def test_signs_tell_levels_without_colour() -> None:
    for level, sign in (("good", "●"), ("warning", "⚠"), ("critical", "▼"), (None, "◌")):
        row = SheetRow("k", "cron", {"state": "active"}, level)  # type: ignore[arg-type]
        assert drawn(row, SERVICES, 60).startswith(f"{sign} cron")


def test_a_value_may_have_a_unit_of_its_own() -> None:
    row = SheetRow("k", "cpu", {"mem": 54.0}, units={"mem": Unit.CELSIUS})
    assert "54°C" in drawn(row, SERVICES, 80)


def test_lines_of_a_tree() -> None:
    row = SheetRow("k", "worker", {})

    def name(branches: tuple[bool, ...], width: int, symbols: str = "braille") -> str:
        look = make_look(symbols)
        (cell, *_) = draw_sheet_line(
            SheetLine(row, aged=False, branches=branches), fold(width, fold_columns(PROCESSES), PROCESSES.claims),
            PROCESSES, look,
        )  # fmt: skip
        assert cell_len(plain(cell.segments)) == cell.width
        return plain(cell.segments).rstrip()

    assert name((), 80) == "worker"
    assert name((True,), 80) == "├─worker"
    assert name((True, False, False), 80) == "│   └─worker"
    assert name((True, False), 80, "ascii") == "| `-worker"
    for width in (1, 8, 40, 80):
        assert len(name((True,) * 900, width)) <= width
    assert name((True,) * 900, 80).startswith("… │ ")


def test_old_numbers_are_faint() -> None:
    row = SheetRow("k", "cron", {"cpu": 99.0, "state": "failed"}, "critical")
    cells = draw_sheet_line(
        SheetLine(row, aged=True), fold(80, fold_columns(SERVICES), SERVICES.claims), SERVICES, LOOK
    )
    styles = {segment.style for cell in cells for segment in cell.segments if segment.text.strip()}
    assert styles <= {LOOK.palette.faint, LOOK.palette.muted}


@pytest.mark.parametrize("width", [1, 10, 30, 60, 160])
def test_the_caption_has_what_fits(width: int) -> None:
    note = "the busiest only: the agent of this system is not connected"
    text = plain(draw_sheet_caption(SERVICES, SheetCounts(61, 3, 2), note, width, LOOK))
    assert cell_len(text) == width
    if width == 160:
        assert text.rstrip() == f" Services 61   2 ⚠ in trouble   3 shown   {note}"
