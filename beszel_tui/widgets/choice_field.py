"""A field of a form that has one of a few values."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import BindingType
from textual.geometry import Size

from beszel_tui.bindings.forms import BOX_CHOICE
from beszel_tui.messages import ChoiceTaken
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.renderables.text import line_of
from beszel_tui.widgets.line import LineWidget


class ChoiceField(LineWidget, can_focus=True):
    BINDINGS: ClassVar[list[BindingType]] = [*BOX_CHOICE]
    DEFAULT_CSS = "ChoiceField { height: 1; }"

    def __init__(self, choices: Sequence[tuple[str, str]], value: str, look: FleetLook, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._choices = choices
        self._look = look
        self._index = next((index for index, (kept, _) in enumerate(choices) if kept == value), 0)

    @property
    def value(self) -> str:
        return self._choices[self._index][0]

    def draw(self, size: Size) -> Sequence[list[Segment]]:
        palette, symbols = self._look.palette, self._look.symbols
        _, called = self._choices[self._index]
        place = f"  {self._index + 1}/{len(self._choices)}"
        pieces = [
            (f"{symbols.more_left} ", palette.key), (called, palette.strong), (f" {symbols.more_right}", palette.key),
            (place, palette.muted),
        ]  # fmt: skip
        return [line_of(pieces, size.width, palette.text)]

    def action_turn(self, step: int) -> None:
        self._index = (self._index + step) % len(self._choices)
        self.repaint()

    def action_done(self) -> None:
        self.post_message(ChoiceTaken())

    def on_click(self) -> None:
        self.action_turn(1)
