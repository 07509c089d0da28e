"""One of a few values in a form: `‹ daily ›`."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Size

from beszel_tui.bindings.forms import CHOICE
from beszel_tui.messages import FieldChanged, FieldDone
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.text import fit, line_of
from beszel_tui.widgets.line import LineWidget


class ChoiceLine(LineWidget, can_focus=True):
    BINDINGS: ClassVar[list[BindingType]] = [*CHOICE]
    DEFAULT_CSS = "ChoiceLine { height: 1; width: 1fr; }"

    def __init__(self, key: str, choices: Sequence[tuple[str, str]], value: str, look: FleetLook) -> None:
        super().__init__()
        self.key = key
        self._choices = choices
        self._look = look
        self._row = 0
        self.put(value)

    @property
    def value(self) -> str:
        return self._choices[self._row][0]

    def put(self, value: str) -> None:
        self._row = next((row for row, choice in enumerate(self._choices) if choice[0] == value), 0)
        self.repaint()

    def offer(self, choices: Sequence[tuple[str, str]], value: str) -> None:
        """Other choices, and the one that is taken."""
        self._choices = choices
        self.put(value)

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        palette, symbols = self._look.palette, self._look.symbols
        _, shown = self._choices[self._row]
        text = fit(shown, max(1, min(len(shown), size.width - 4)), ellipsis=symbols.ellipsis)
        style = palette.accent + palette.cursor if self.has_focus else palette.text
        arrows = palette.accent if self.has_focus else palette.faint
        pieces = [(f"{symbols.more_left} ", arrows), (text, style), (f" {symbols.more_right}", arrows)]
        return [line_of(pieces, size.width, palette.text)]

    def action_choose(self, step: int) -> None:
        self._row = (self._row + step) % len(self._choices)
        self.repaint()
        self.post_message(FieldChanged(self.key))

    def action_done(self) -> None:
        self.post_message(FieldDone(self.key))

    def on_click(self, event: events.Click) -> None:
        self.action_choose(-1 if event.x == 0 else 1)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.repaint()
