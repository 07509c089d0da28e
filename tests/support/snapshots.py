"""Pictures of screens as text, kept in files: what stands in every cell, and where it is asked for how it looks.

    BESZEL_SNAPSHOTS=write pytest tests/tui/test_snapshots.py

writes them anew; look at the difference before you commit it. A test waits for its picture, however slow the machine.
"""

import asyncio
import contextlib
import difflib
import os
import string
import time
from collections.abc import AsyncIterator, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest
from rich.style import Style

from beszel_tui.app import BeszelApp
from beszel_tui.client.demo import DemoSource
from beszel_tui.context import Context
from beszel_tui.screens.fleet import FleetScreen
from tests.support.pilotapp import Viewer, make_settings
from tests.support.scriptedsource import NOW_MS

FOLDER: Final = Path(__file__).parents[1] / "tui" / "snapshots"
SIZES: Final = ((160, 45), (80, 24), (60, 16))
_IS_WRITING: Final = os.environ.get("BESZEL_SNAPSHOTS") == "write"
_QUIET_SECONDS: Final = 3.0
"""When writing: a picture that has not changed for so long is what the screen comes to."""
_LETTERS: Final = string.ascii_letters + string.digits


@contextlib.contextmanager
def frozen_zone() -> Iterator[None]:
    """UTC, wherever the test runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@contextlib.asynccontextmanager
async def frozen_demo(home: Path, *, size: tuple[int, int] = (160, 45), **flags: str | bool) -> AsyncIterator[Viewer]:
    """The client on the demonstration, at one instant that lasts."""
    source = DemoSource(lambda: NOW_MS)
    async with asyncio.TaskGroup() as group:
        context = Context(make_settings(home, **flags), group, source=source, clock=lambda: NOW_MS)
        app = BeszelApp(context)
        async with app.run_test(size=size) as pilot:
            viewer = Viewer(app, pilot)
            await viewer.until(lambda: app.bridge.state.loaded and isinstance(app.screen, FleetScreen))
            await viewer.until(lambda: viewer.fleet.table.placed)
            yield viewer
        context.stop()


async def matches(viewer: Viewer, name: str, *, with_looks: bool = False) -> None:
    """The screen becomes what the file `name` shows."""
    path = FOLDER / f"{name}.txt"
    if _IS_WRITING:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(await _settled(viewer, with_looks=with_looks))
        return
    wanted = path.read_text()
    with contextlib.suppress(TimeoutError):
        await viewer.until(lambda: picture(viewer, with_looks=with_looks) == wanted)
    seen = picture(viewer, with_looks=with_looks)
    if seen != wanted:
        lines = difflib.unified_diff(wanted.splitlines(), seen.splitlines(), f"{name} as kept", "as it is", n=1)
        raise AssertionError("\n".join(lines))


def picture(viewer: Viewer, *, with_looks: bool = False) -> str:
    """The lines of the screen; then a letter for the look of each cell, and what the letters stand for."""
    strips = viewer.strips()
    text = "".join("".join(segment.text for segment in strip).rstrip() + "\n" for strip in strips)
    if not with_looks:
        return text
    letters: dict[str, str] = {}
    rows: list[str] = []
    for strip in strips:
        cells = [
            letters.setdefault(_look(segment.style), _LETTERS[len(letters)])
            for segment in strip
            for _ in range(segment.cell_length)
        ]
        rows.append("".join(f"{letter}{len(list(run))} " for letter, run in groupby(cells)).rstrip())
    legend = [f"{letter} = {look}" for look, letter in letters.items()]
    return text + "\n" + "\n".join(rows) + "\n\n" + "\n".join(legend) + "\n"


def _look(style: Style | None) -> str:
    return "default" if style is None else str(style)


async def _settled(viewer: Viewer, *, with_looks: bool) -> str:
    seen, since = "", time.monotonic()
    while time.monotonic() - since < _QUIET_SECONDS:
        now = picture(viewer, with_looks=with_looks)
        if now != seen or not now.strip():  # between two sizes there may be nothing for a while
            seen, since = now, time.monotonic()
        await asyncio.sleep(0.05)
    return seen
