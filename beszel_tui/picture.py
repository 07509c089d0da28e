"""The client's own pictures: the demonstration at one fixed moment, as SVG."""

import asyncio
import importlib
from pathlib import Path
from typing import Any, Final

from beszel_tui.client.demo import DemoSource
from beszel_tui.config import Settings
from beszel_tui.context import Context

MOMENT_MS: Final = 1_795_343_071_000
"""2026-11-22 10:24:31 UTC, so that the picture is the same whenever and wherever it is taken."""


def take(settings: Settings, path: Path, size: tuple[int, int], keys: tuple[str, ...] = ()) -> None:
    """Write an SVG of `size` cells after pressing `keys`. Raises OSError."""
    svg = asyncio.run(_take(settings, size, keys))
    path.write_text(svg, encoding="utf-8")


async def _take(settings: Settings, size: tuple[int, int], keys: tuple[str, ...]) -> str:
    module: Any = importlib.import_module("beszel_tui.app")
    async with asyncio.TaskGroup() as group:
        context = Context(settings, group, clock=_moment)
        context.use(DemoSource(_moment))
        app = module.BeszelApp(context)
        async with app.run_test(size=size) as pilot:
            await pilot.pause(0.5)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.3)
            await pilot.pause(0.5)
            svg: str = app.export_screenshot(title="beszel")
        context.stop()
    return svg


def _moment() -> int:
    return MOMENT_MS
