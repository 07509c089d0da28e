"""The fleet as cards, in groups, and what is done to several systems at once."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Input

from beszel_tui.screens.dialog import BoxForm
from beszel_tui.screens.fleet_orders import changed_tags
from beszel_tui.screens.question import QuestionScreen
from beszel_tui.widgets.fleet_cards import FleetCards
from tests.support.pilotapp import Client, running_client
from tests.support.scriptedsource import NOW_MS, make_row

HOSTILE = "[b]\x1b[31m\u202eevil\u200b" + "漢" * 3000


async def open_cards(client: Client) -> FleetCards:
    await client.press("v")
    await client.until(lambda: isinstance(client.fleet.table, FleetCards) and client.fleet.table.visible_ids)
    table = client.fleet.table
    assert isinstance(table, FleetCards)
    await client.until(lambda: client.app.focused is table)
    return table


def test_cards_are_there_at_the_next_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("j", "j")
            before = client.cursor_name
            await open_cards(client)
            await client.until(lambda: client.cursor_name == before)
            await client.until_text("╭")
            for part in ("web-1", "41.2%", "no data", "paused"):
                assert part in client.text()
        async with running_client(tmp_path) as client:
            assert isinstance(client.fleet.table, FleetCards)
            await client.press("v")
            await client.until_text("NAME ▲")

    asyncio.run(main())


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 16), (30, 8)])
def test_cards_move_scroll_and_keep_the_cursor_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        rows = [make_row(f"host-{number:02}") for number in range(40)]
        async with running_client(tmp_path, *rows, size=size) as client:
            table = await open_cards(client)
            across = (size[0] - 3 + 1) // 29 or 1
            await client.press("down", "right") if across > 1 else await client.press("down")
            await client.until(lambda: client.cursor_name == f"host-{across + (across > 1):02}")
            await client.press("end")
            await client.until(lambda: table.cursor_id in table.visible_ids and client.cursor_name == "host-39")
            await client.until(lambda: "host-39" in client.text())
            await client.until(partial(client.fills, size[0]))
            await client.press("home", "up")
            await client.until(lambda: "host-00" in client.text() and client.cursor_name == "host-00")
            await client.press("enter")
            await client.until(lambda: client.system)

    asyncio.run(main())


def test_a_card_changes_in_its_place(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_cards(client)
            await client.until_text("41.2%")
            client.source.clock.advance(1)
            client.source.tell(make_row("web-1", cpu=63.4, at_ms=NOW_MS + 1000))
            await client.until_text("63.4%")
            assert "41.2%" not in client.text()
            client.source.tell(removed=[make_row("web-1").id])
            await client.until(lambda: "63.4%" not in client.text())
            await client.pilot.click(FleetCards, offset=(40, 2))
            assert client.cursor_name == client.names[1]

    asyncio.run(main())


def test_hostile_names_stay_in_their_card(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, make_row(HOSTILE, tags=[HOSTILE]), make_row("b"), size=(80, 24)) as client:
            await open_cards(client)
            await client.press("t")
            await client.until_text("[b][31mevil")
            text = client.text()
            assert "\x1b" not in text
            assert "\u202e" not in text
            for line in client.app.screen._compositor.render_strips():
                assert line.cell_length == 80

    asyncio.run(main())


def test_groups_fold_mark_and_are_remembered(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("t")
            await client.until_text("▾ prod 2")
            await client.until_text("without a tag 0/2")
            await client.press("g", "enter")
            await client.until_text("▸ prod 2")
            assert "web-1" not in client.text()
            assert client.names[:2] == ["db-1", "web-1"]
            await client.press("space")
            await client.until_text("▾ prod 2")
            assert {row.name for row in client.fleet.chosen} == {"db-1", "web-1"}
            await client.press("p")
            await client.until(lambda: len(client.source.paused) == 2)
        async with running_client(tmp_path) as client:
            await client.until_text("▾ prod 2")

    asyncio.run(main())


def test_tags_of_one_and_of_several(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("G", "e")
            await client.until(lambda: isinstance(client.app.screen, BoxForm))
            assert client.app.screen.query_one(Input).value == "staging"
            await client.type(" blue")
            await client.press("enter")
            await client.until(lambda: client.source.tagged)
            assert client.source.tagged == [(make_row("web-2").id, ("staging", "blue"))]
            await client.until(lambda: client.fleet)
            await client.press("space", "k", "space", "e")
            await client.until(lambda: isinstance(client.app.screen, BoxForm))
            await client.type("eu -prod")
            await client.press("enter")
            await client.until(lambda: len(client.source.tagged) == 3)
            assert dict(client.source.tagged[1:]) == {
                make_row("web-1").id: ("eu",), make_row("web-2").id: ("staging", "eu"),
            }  # fmt: skip

    asyncio.run(main())


def test_deleting_asks_and_tells_what_the_hub_refuses(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("space", "space", "D")
            await client.until(lambda: isinstance(client.app.screen, QuestionScreen))
            await client.until_text("Delete db-1, lab-pi?")
            await client.press("n")
            await client.until(lambda: client.fleet)
            assert client.source.deleted == []
            client.source.refusal = "You may not."
            await client.press("D", "y")
            await client.until_text("You may not.")
            client.source.refusal = ""
            await client.press("D")
            await client.until(lambda: isinstance(client.app.screen, QuestionScreen))
            await client.press("y")
            await client.until(lambda: client.source.deleted)

    asyncio.run(main())


def test_read_only_offers_and_does_nothing_that_changes(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, read_only=True) as client:
            await client.press("p", "e", "D", "A")
            assert client.fleet.is_current
            assert client.source.paused == []
            await client.press("question_mark")
            await client.until_text("All keys of this screen")
            assert "Pause the marked" not in client.text()

    asyncio.run(main())


def test_tags_are_put_on_and_taken_off() -> None:
    assert changed_tags(["a", "b"], ["c", "-a", "b"]) == ["b", "c"]
    assert changed_tags([], ["-x"]) == []
