"""The line in which one says what to search a text for."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from beszel_tui.bindings.reading import SEARCH
from beszel_tui.messages import SearchEntered
from beszel_tui.widgets.text_input import TextInput

MAX_LENGTH = 200


class SearchInput(TextInput):
    BINDINGS: ClassVar[list[BindingType]] = [*SEARCH]

    def action_cancel(self) -> None:
        self.post_message(SearchEntered(None))


class SearchLine(Horizontal):
    """Hidden while nobody types in it."""

    DEFAULT_CSS = """
    SearchLine { height: 1; display: none; background: $surface; padding: 0 1; }
    SearchLine .prompt { width: 2; color: $accent; }
    SearchLine SearchInput { width: 1fr; background: $surface; background-tint: $surface 0%; }
    """

    def compose(self) -> ComposeResult:
        yield Static(Content("/"), classes="prompt")
        yield SearchInput(placeholder="search for", compact=True, max_length=MAX_LENGTH)

    def open(self) -> None:
        self.display = True
        line = self.query_one(SearchInput)
        line.value = ""
        self.screen.set_focus(line)  # at once: the next key may be there already

    def close(self) -> None:
        self.display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(SearchEntered(event.value))
