"""A program for `tests/tui/test_driver.py`: shows its size, its threads, the keys that it was told of and its reads."""

import threading
import time

from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.events import Key
from textual.widgets import Static

from beszel_tui.driver import TerminalDriver

_MEASURE_SECONDS = 0.002
"""So long that the next signal comes in between."""


class SlowlyMeasured(TerminalDriver):
    reads = 0

    def _read(self) -> None:
        super()._read()
        type(self).reads += 1

    def _get_terminal_size(self) -> tuple[int, int]:
        size: tuple[int, int] = super()._get_terminal_size()
        time.sleep(_MEASURE_SECONDS)
        return size


class Probe(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []

    def get_driver_class(self) -> type[Driver]:
        return SlowlyMeasured

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self.set_interval(0.05, self.show)

    def on_key(self, event: Key) -> None:
        self.keys.append(event.key)

    def show(self) -> None:
        threads = sorted(thread.name for thread in threading.enumerate())
        text = f"size {self.size.width}x{self.size.height} keys {' '.join(self.keys)}. threads {' '.join(threads)}."
        text += f" reads {SlowlyMeasured.reads}."
        self.query_one(Static).update(text)


if __name__ == "__main__":
    Probe().run()
