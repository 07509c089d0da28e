"""The client in a headless terminal, over a scripted source."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from textual import events
from textual._context import visible_screen_stack
from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Input

from beszel_protocol.feed import FleetRow
from beszel_tui.app import BeszelApp
from beszel_tui.config import Flags, Settings, load_settings
from beszel_tui.context import Context
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.system import SystemScreen
from tests.support.scriptedsource import ScriptedSource, make_row

LIMIT_SECONDS = 10.0
FLEET = [
    make_row("web-1", cpu=41.2, memory=71.0, tags=["prod"]),
    make_row("web-2", cpu=5.0, memory=20.0, tags=["staging"]),
    make_row("db-1", cpu=97.8, memory=93.0, tags=["prod"]),
    make_row("nas", cpu=None, status="down"),
    make_row("lab-pi", cpu=None, status="paused"),
]


class Viewer:
    """Somebody in front of the client: what they see, and what they press."""

    def __init__(self, app: BeszelApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def fleet(self) -> FleetScreen:
        screen = self.app.screen
        assert isinstance(screen, FleetScreen), screen
        assert screen.is_mounted
        return screen

    @property
    def system(self) -> SystemScreen:
        screen = self.app.screen
        assert isinstance(screen, SystemScreen), screen
        assert screen.is_mounted
        return screen

    def lines(self) -> list[str]:
        """What the terminal shows."""
        return [strip.text for strip in self.strips()]

    def strips(self) -> list[Strip]:
        """The same with its looks. What stands behind a box is drawn as for the terminal, since it is kept."""
        visible_screen_stack.set(self.app._background_screens)
        return self.app.screen._compositor.render_strips()

    def fills(self, width: int) -> bool:
        """Whether every line is exactly so wide."""
        return {len(line) for line in self.lines()} == {width}

    def text(self) -> str:
        return "\n".join(self.lines())

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to become true, however slow the machine."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                with contextlib.suppress(AssertionError, NoMatches):  # a screen that comes or goes has no widgets yet
                    if condition():
                        return
                await asyncio.sleep(0.005)

    async def until_text(self, text: str) -> None:
        try:
            await self.until(lambda: text in self.text())
        except TimeoutError:
            raise AssertionError(f"{text!r} did not appear in:\n{self.text()}") from None

    async def press(self, *keys: str) -> None:
        """Each key after all that the one before it caused: faster than the pilot's, which waits for idle times."""
        for key in keys:
            await self.until(lambda: self.app.screen.is_mounted)  # a screen that is only coming loses keys
            character = key if len(key) == 1 else None
            self.app.post_message(events.Key(key, character))
            await self.settle()

    async def settle(self) -> None:
        """Until every widget has handled its messages, and what those caused."""
        for _ in range(3):
            await self.pilot._wait_for_screen()

    async def type(self, text: str) -> None:
        """Into the input that has the focus, all at once."""
        await self.until(lambda: isinstance(self.app.focused, Input))
        focused = self.app.focused
        assert isinstance(focused, Input)
        focused.insert_text_at_cursor(text)
        await self.settle()


class Client(Viewer):
    """In front of what a test tells."""

    def __init__(self, app: BeszelApp, pilot: Pilot[None], source: ScriptedSource) -> None:
        super().__init__(app, pilot)
        self.source = source

    @property
    def names(self) -> list[str]:
        """The systems of the table, from top to bottom."""
        state = self.app.bridge.state
        return [state.systems[system_id].name for system_id in self.fleet.visible_ids]

    @property
    def cursor_name(self) -> str:
        cursor = self.fleet.table.cursor_id
        return self.app.bridge.state.systems[cursor].name if cursor else ""


def make_settings(home: Path, **flags: str | bool) -> Settings:
    return load_settings(Flags(**flags), {"HOME": str(home), "LANG": "C.UTF-8"})  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def running_client(
    home: Path, *rows: FleetRow, size: tuple[int, int] = (160, 45), **flags: str | bool
) -> AsyncIterator[Client]:
    """The client, live, with `rows` (or `FLEET`) on the screen."""
    source = ScriptedSource()
    source.connect()
    source.tell(*(rows or FLEET))
    async with asyncio.TaskGroup() as group:
        context = Context(make_settings(home, **flags), group, source=source, clock=source.clock)
        app = BeszelApp(context)
        async with app.run_test(size=size, notifications=True) as pilot:
            client = Client(app, pilot, source)
            await client.until(lambda: app.bridge.state.loaded and isinstance(app.screen, FleetScreen))
            await client.until(lambda: client.fleet.table.placed)
            yield client
        context.stop()
