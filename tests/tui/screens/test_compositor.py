"""What is sent to the terminal shows the same as Textual's own output, in fewer bytes."""

import asyncio
from pathlib import Path

import pyte
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate

from beszel_tui.screens.compositor import FrugalUpdate
from tests.support.pilotapp import FLEET, running_client
from tests.support.scriptedsource import NOW_MS, make_row

WIDTH, HEIGHT = 100, 20


def feed(screen: pyte.Screen, data: str) -> None:
    pyte.Stream(screen).feed(data)


def cells(screen: pyte.Screen) -> list[list[tuple[str, str, str, bool]]]:
    """Character, background, and colour where there is ink to show it."""
    return [
        [
            (cell.data, cell.bg, cell.fg if cell.data.strip() else "", cell.bold if cell.data.strip() else False)
            for cell in (screen.buffer[y][x] for x in range(WIDTH))
        ]
        for y in range(HEIGHT)
    ]


def test_the_terminal_shows_the_same_for_less(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(WIDTH, HEIGHT)) as client:
            await client.until_text("41.2%")
            ours, theirs = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
            console, compositor = client.app.console, client.app.screen._compositor
            full = compositor.render_full_update()
            plain = LayoutUpdate(full.strips, full.region)
            feed(ours, full.render_segments(console))
            feed(theirs, plain.render_segments(console))
            assert cells(ours) == cells(theirs)
            assert len(full.render_segments(console)) < 0.7 * len(plain.render_segments(console))

            sent: list[ChopsUpdate] = []

            def keep(update: ChopsUpdate | None) -> ChopsUpdate | None:
                if update is not None:
                    sent.append(update)
                return update

            original = type(compositor).render_partial_update
            compositor.render_partial_update = lambda: keep(original(compositor))  # type: ignore[method-assign]
            for number in range(1, 6):
                client.source.clock.advance(1)
                rows = [make_row(row.name, cpu=10.0 * number, at_ms=NOW_MS + 1000 * number) for row in FLEET[:3]]
                client.source.tell(*rows)
                await client.until_text(f"{10.0 * number}%")
            await client.settle()
            assert sent
            for update in sent:
                assert isinstance(update, FrugalUpdate)
                feed(ours, update.render_segments(console))
                whole = ChopsUpdate(update.chops, update.spans, update.chop_ends)
                feed(theirs, whole.render_segments(console))
                assert len(update.render_segments(console)) <= len(whole.render_segments(console))
            assert cells(ours) == cells(theirs)

    asyncio.run(main())


def test_textual_still_has_what_is_overridden() -> None:
    assert {"render_partial_update", "render_full_update"} <= set(vars(Compositor))
    assert "render_segments" in vars(ChopsUpdate)
    assert "render_segments" in vars(LayoutUpdate)
