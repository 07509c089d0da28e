"""A terminal that has only the characters of ASCII."""

import asyncio
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color

from beszel_tui.widgets.ascii_filter import AsciiFilter, key_in_words
from tests.support.pilotapp import running_client
from tests.support.scriptedsource import make_row

WAYS = (
    (), ("question_mark",), ("a",), ("a", "3", "n"), ("c",), ("enter",), ("enter", "f"), ("enter", "G"), ("comma",),
    ("v",), ("t",), ("T",), ("A",), ("D",), ("e",), ("colon",), ("slash",), ("P",), ("ctrl+p",),
)  # fmt: skip


@pytest.mark.parametrize("size", [(160, 45), (60, 16)])
def test_every_screen_is_in_ascii_and_as_wide(tmp_path: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        rows = [make_row(f"größe 漢字 {number}", cpu=41.2, temperature_celsius=54.0) for number in range(40)]
        async with running_client(tmp_path, *rows, size=size, symbols="ascii") as client:
            await client.until_text("gr??e ????")
            for way in WAYS:
                await client.press(*way)
                await client.until(lambda: client.text().isascii())
                assert client.fills(size[0])
                await client.press("escape")
                client.app.run_command("fleet")
                await client.until(lambda: client.fleet.table.has_focus or client.fleet.focused is not None)

    asyncio.run(main())


def test_keys_are_told_in_words(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, symbols="ascii") as client:
            await client.until_text("enter open")
            await client.press("question_mark")
            await client.until_text("up k")

    asyncio.run(main())


def test_signs_of_keys() -> None:
    assert [key_in_words(caption) for caption in ("⏎", "⏎ l", "←→", "↑ k", "⇧tab", "esc")] == [
        "enter", "enter l", "left right", "up k", "shift+tab", "esc",
    ]  # fmt: skip


def test_what_is_ascii_already_is_left_alone() -> None:
    segments = [Segment("web-1"), Segment("  ")]
    assert AsciiFilter().apply(segments, Color(0, 0, 0)) is segments
    told = AsciiFilter().apply([Segment("a e\u0301 漢 ━")], Color(0, 0, 0))
    assert [segment.text for segment in told] == ["a e ?? -"]


def test_it_can_be_chosen_while_the_client_runs(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.until_text("⏎ open")
            client.app.choose_look("symbols", "ascii")
            await client.until(lambda: client.text().isascii() and "41.2%" in client.text())
            client.app.choose_look("symbols", "braille")
            await client.until_text("⏎ open")

    asyncio.run(main())
