"""The `:` command line at the foot of the screen."""

from collections.abc import Iterable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from beszel_tui.bindings.everywhere import COMMAND
from beszel_tui.messages import CommandEntered
from beszel_tui.widgets.text_input import TextInput

MAX_LENGTH = 300


class CommandInput(TextInput):
    BINDINGS: ClassVar[list[BindingType]] = [*COMMAND]

    def action_cancel(self) -> None:
        self.post_message(CommandEntered(None))

    def on_blur(self, _event: events.Blur) -> None:
        self.post_message(CommandEntered(None))


class CommandLine(Horizontal):
    DEFAULT_CSS = """
    CommandLine { height: 1; dock: bottom; background: $surface; padding: 0 1; display: none; }
    CommandLine .prompt { width: 1; color: $accent; }
    CommandLine CommandInput { width: 1fr; background: $surface; background-tint: $surface 0%; }
    """

    def compose(self) -> ComposeResult:
        yield Static(Content(":"), classes="prompt")
        yield CommandInput(compact=True, max_length=MAX_LENGTH, select_on_focus=False)

    def open(self, suggestions: Iterable[str], text: str = "") -> None:
        self.display = True
        line = self.query_one(CommandInput)
        line.suggester = SuggestFromList(suggestions, case_sensitive=False)
        line.value = text
        line.cursor_position = len(text)
        # At once: a screen that has just come gives the focus to its content unless something has it by then.
        self.screen.set_focus(line)

    def close(self) -> None:
        self.display = False

    @property
    def is_open(self) -> bool:
        return self.display

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(CommandEntered(event.value))
