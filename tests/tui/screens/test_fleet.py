import asyncio
from functools import partial
from pathlib import Path

import pytest

from beszel_tui.renderables.fleet_row import Cell, FleetLook
from beszel_tui.state.columns import COLUMNS
from beszel_tui.state.selectors import FleetLine, Sort
from beszel_tui.widgets.fleet_table import FleetTable
from tests.support.pilotapp import FLEET, running_client
from tests.support.scriptedsource import NOW_MS, make_row


def test_the_fleet_is_shown(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("41.2%")
            for part in ("5 systems", "3 ● up", "1 ▼ down", "1 ◌ paused", "hub.example.net", "● live", "NAME ▲",
                         "web-1", "no data", "paused", "⏎ open", "? help"):  # fmt: skip
                assert part in client.text(), part
            assert client.names == ["db-1", "lab-pi", "nas", "web-1", "web-2"]

    asyncio.run(main())


def test_every_size_shows_the_names(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            for width, height in ((160, 45), (80, 24), (60, 16), (40, 10), (20, 5), (160, 45)):
                await client.pilot.resize_terminal(width, height)
                await client.until(partial(client.fills, width))
                await client.until_text("db-1")
                assert ("97.8%" in client.text()) == (width >= 40)
                assert ("? help" in client.text()) == (width >= 20)

    asyncio.run(main())


def test_columns_fold_as_the_terminal_narrows_and_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("AGENT")
            assert len(client.fleet.table.placed) == len(COLUMNS)
            await client.pilot.resize_terminal(60, 16)
            await client.until(lambda: "AGENT" not in client.text() and "DISK" in client.text())
            await client.pilot.resize_terminal(160, 45)
            await client.until_text("AGENT")
            assert "web-1" in client.text()

    asyncio.run(main())


def test_numbers_change_in_their_place(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("41.2%")
            client.source.clock.advance(1)
            client.source.tell(make_row("web-1", cpu=63.4, memory=71.0, at_ms=NOW_MS + 1000))
            await client.until_text("63.4%")
            assert "41.2%" not in client.text()
            assert "97.8%" in client.text()

    asyncio.run(main())


def test_the_cursor_stays_on_its_system_whatever_happens_around_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("j", "j", "j")
            assert client.cursor_name == "web-1"
            client.source.tell(make_row("alpha"), make_row("beta"))
            await client.until(lambda: "alpha" in client.names)
            assert client.cursor_name == "web-1"
            await client.press("s")
            await client.until(lambda: "CPU ▼" in client.text())
            assert client.names[0] == "db-1"
            assert client.cursor_name == "web-1"
            client.source.lose()
            await client.until_text("offline since")
            client.source.connect()
            client.source.tell(*FLEET)
            await client.until_text("● live")
            assert client.cursor_name == "web-1"

    asyncio.run(main())


def test_the_cursor_takes_the_place_of_a_system_that_goes(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("j", "j")
            assert client.cursor_name == "nas"
            client.source.tell(removed=[FLEET[3].id])
            await client.until(lambda: client.cursor_name == "web-1")

    asyncio.run(main())


def test_moving_by_keys(tmp_path: Path) -> None:
    rows = [make_row(f"s{number:03d}") for number in range(200)]

    async def main() -> None:
        async with running_client(tmp_path, *rows, size=(80, 24)) as client:
            for keys, name in (
                (["down"], "s001"), (["j"], "s002"), (["k"], "s001"), (["up"], "s000"), (["up"], "s000"),
                (["G"], "s199"), (["down"], "s199"), (["g"], "s000"), (["pagedown"], "s020"), (["ctrl+u"], "s000"),
                (["end"], "s199"), (["home"], "s000"),
            ):  # fmt: skip
                await client.press(*keys)
                assert client.cursor_name == name, keys
                await client.until_text(name)

    asyncio.run(main())


def test_scroll_position_survives_an_outage(tmp_path: Path) -> None:
    rows = [make_row(f"s{number:03d}") for number in range(200)]

    async def main() -> None:
        async with running_client(tmp_path, *rows, size=(80, 24)) as client:
            await client.press("pagedown", "pagedown", "pagedown", "k", "k")
            await client.until_text("s058")
            before = client.fleet.table.scroll_offset
            client.source.lose()
            await client.until_text("offline since")
            client.source.connect()
            client.source.tell(*rows)
            await client.until_text("● live")
            assert client.fleet.table.scroll_offset == before
            assert client.cursor_name == "s058"

    asyncio.run(main())


def test_honest_when_offline(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("41.2%")
            client.source.lose("connection refused")
            client.source.clock.advance(125)
            await client.until_text("offline since 1")
            await client.until_text("(2m)")
            assert "● live" not in client.text()
            faint = client.app.look.palette.aged
            strips = client.strips()
            styles = [s.style for strip in strips for s in strip if "41.2%" in s.text or s.text.strip() == "71%"]
            assert styles
            assert all(style is not None and style.color == faint.color for style in styles)

    asyncio.run(main())


def test_sorting_by_key_and_by_mouse(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("S")
            assert client.names[0] == "web-2"
            await client.press("s")
            assert client.names[:3] == ["db-1", "web-1", "web-2"]
            place = next(place for place in client.fleet.table.placed if place.column.key == "memory")
            await client.pilot.click("FleetTable", offset=(place.x + 2, 0))
            await client.until_text("MEMORY ▼")
            await client.pilot.click("FleetTable", offset=(place.x + 2, 0))
            await client.until_text("MEMORY ▲")
            assert client.names[0] == "web-2"
            assert client.fleet._sort == Sort("memory")

    asyncio.run(main())


def test_filtering_as_one_types(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("slash")
            await client.type("cpu>10 tag:prod")
            await client.until_text("2 of 5")
            assert client.names == ["db-1", "web-1"]
            await client.press("enter")
            assert "cpu>10 tag:prod" in client.text(), "the line stays to be read"
            await client.press("down")
            assert client.cursor_name == "web-1"
            await client.press("escape")
            await client.until(lambda: len(client.names) == 5)
            assert "cpu>10" not in client.text()
            assert client.cursor_name == "web-1"

    asyncio.run(main())


def test_a_filter_that_is_wrong_says_so_and_hides_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("slash")
            await client.type("web")
            await client.until(lambda: client.names == ["web-1", "web-2"])
            await client.type(" cpy>5")
            await client.until_text("no number is called 'cpy'")
            assert client.names == ["web-1", "web-2"]

    asyncio.run(main())


def test_keys_of_the_screen_are_typed_into_the_filter(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("slash")
            await client.press("s", "q", "j")
            await client.until_text("sqj")
            await client.until_text("no system matches the filter")
            assert client.app.is_running
            await client.press("escape")
            await client.until(lambda: len(client.names) == 5)

    asyncio.run(main())


def test_marks_and_pausing(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("space", "j", "j", "space")
            assert len(client.fleet.table.marked) == 2
            assert "▌db-1" in client.text()
            await client.press("p")
            await client.until(lambda: len(client.source.paused) == 2)
            assert all(paused for _, paused in client.source.paused)
            assert not client.fleet.table.marked
            await client.press("space", "escape")
            assert not client.fleet.table.marked

    asyncio.run(main())


def test_resuming_a_paused_system(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("j", "p")
            await client.until(lambda: client.source.paused == [(FLEET[4].id, False)])

    asyncio.run(main())


def test_read_only_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, read_only=True) as client:
            await client.press("p")
            assert client.source.paused == []
            assert not client.fleet.check_action("pause", ())

    asyncio.run(main())


def test_only_the_sparklines_on_the_screen_are_asked_for(tmp_path: Path) -> None:
    rows = [make_row(f"s{number:03d}") for number in range(200)]

    async def main() -> None:
        async with running_client(tmp_path, *rows, size=(100, 24)) as client:
            await client.until(lambda: len(client.source.trails_asked) >= 20)
            assert len(client.source.trails_asked) < 30
            await client.press("G")
            await client.until(lambda: rows[199].id in client.source.trails_asked)
            assert len(set(client.source.trails_asked)) == len(client.source.trails_asked)

    asyncio.run(main())


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    hostile = "[red]x[/]\x1b[2J\u202e[@click=app.quit]y"

    async def main() -> None:
        async with running_client(tmp_path, make_row(hostile, tags=["[b]t[/b]"])) as client:
            await client.until_text("[red]x[/]")
            assert "\x1b" not in client.text()
            assert "\u202e" not in client.text()
            assert "[b]t[/b]" in client.text()
            await client.press("y")
            await client.until_text("copied: [red]x[/]")
            await client.press("ctrl+p")
            await client.settle()
            await client.type("red")
            await client.until_text("open the system")
            await client.press("escape")
            await client.press("enter")
            await client.until(lambda: client.system)
            await client.until_text("[red]x[/]")

    asyncio.run(main())


def test_without_systems_it_says_what_to_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            client.source.tell(removed=[row.id for row in FLEET])
            await client.until_text("no systems yet")
            await client.until_text("A adds one")
            client.source.tell(FLEET[0])
            await client.until_text("41.2%")

    asyncio.run(main())


def test_copying(tmp_path: Path) -> None:
    row = make_row("web-1", host="10.0.0.7")

    async def main() -> None:
        async with running_client(tmp_path, row) as client:
            await client.press("y")
            assert client.app.clipboard == "10.0.0.7"

    asyncio.run(main())


def test_reconnecting_by_key(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("R")
            assert client.source.retries == 1

    asyncio.run(main())


def test_a_row_is_drawn_again_only_if_it_says_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("41.2%")
            drawn: list[str] = []
            draw = FleetTable.draw_line

            def note(self: FleetTable, line: FleetLine, look: FleetLook, *, marked: bool) -> list[Cell]:
                drawn.append(line.row.name)
                return draw(self, line, look, marked=marked)

            monkeypatch.setattr(FleetTable, "draw_line", note)
            client.source.tell(make_row("web-1", cpu=42.3, memory=71.0, tags=["prod"]))
            await client.until_text("42.3%")
            assert set(drawn) == {"web-1"}

    asyncio.run(main())
