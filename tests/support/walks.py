"""Ways from the fleet to a screen, key by key."""

from pathlib import Path
from typing import NamedTuple

from tests.support.pilotapp import Viewer
from tests.support.snapshots import SIZES, frozen_demo, matches


class Walk(NamedTuple):
    """How a screen is reached from the fleet: keys, each with what is on the screen after it ("" does not wait).

    What begins with a colon is a line for the command line, typed and sent; with a quote, text for the field.
    """

    name: str
    way: tuple[tuple[str, str], ...]


async def take(viewer: Viewer, step: str) -> None:
    if step.startswith(":"):
        await viewer.press("colon")
        await viewer.type(step[1:])
        await viewer.press("enter")
    elif step.startswith("'"):
        await viewer.type(step[1:])
    else:
        await viewer.press(step)


async def looks_the_same(walk: Walk, home: Path) -> None:
    """Where it leads looks as it did, at every size."""
    async with frozen_demo(home) as viewer:
        for step, seen in walk.way:
            await take(viewer, step)
            await viewer.until_text(seen)
        for width, height in SIZES:
            await viewer.pilot.resize_terminal(width, height)
            await matches(viewer, f"{walk.name}-{width}x{height}")
