"""The part of the application that remembers what was chosen on the screen, and how each table was sorted."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal

import msgspec
from textual import on
from textual.app import App

from beszel_tui.choices import ChoiceFile, Choices
from beszel_tui.messages import OrderChosen, TreeTurned
from beszel_tui.state.cells import shown_text
from beszel_tui.state.selectors import Sort

KEEP_SECONDS: Final = 0.5
"""All that is chosen within it is written once."""
_MAX_SAID: Final = 400
"""Characters of a message: a few lines of a small terminal."""
_SAID_SECONDS: Final = {"information": 3, "warning": 8, "error": 8}
"""How long a message stands over the last lines: what was done on demand is seen at once."""


class KeepingApp(App[None]):
    def __init__(self, choices_file: Path) -> None:
        super().__init__()
        self._choice_file = ChoiceFile(choices_file)
        self._will_write = False

    @property
    def choices(self) -> Choices:
        return self._choice_file.choices

    @property
    def orders(self) -> dict[str, Sort]:
        """How each table was sorted last."""
        return self.choices.sorts

    @property
    def is_process_tree(self) -> bool:
        return self.choices.process_tree

    def keep(self, choices: Choices) -> None:
        """Soon, and beside everything else: no key waits for a disk."""
        self._choice_file.choose(choices)
        if not self._will_write:
            self._will_write = True
            work: Callable[[], Awaitable[None]] = self._write_soon
            self.run_worker(work, name="choices", group="choices")

    async def _write_soon(self) -> None:
        await asyncio.sleep(KEEP_SECONDS)
        self._will_write = False
        try:
            await asyncio.to_thread(self._choice_file.write)
        except OSError as error:
            self.say(f"this choice cannot be remembered: {error.strerror}", severity="warning")

    async def on_unmount(self) -> None:
        """What was chosen last is kept however one leaves."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._choice_file.write)

    def say(self, text: str, *, severity: Literal["information", "warning", "error"] = "information") -> None:
        """For some seconds, above the line of keys."""
        text = shown_text(text, _MAX_SAID)
        self.notify(text, severity=severity, markup=False, timeout=_SAID_SECONDS[severity])

    @on(OrderChosen)
    def _order_chosen(self, message: OrderChosen) -> None:
        self.keep(self.choices.sorted_by(message.table, Sort(message.key, message.descending)))

    @on(TreeTurned)
    def _tree_turned(self, message: TreeTurned) -> None:
        self.keep(msgspec.structs.replace(self.choices, process_tree=message.is_tree))
