"""The filter line over the table: filters while one types, says what is wrong, never loses the table."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from beszel_tui.bindings.tables import FILTER
from beszel_tui.errors import FilterError
from beszel_tui.messages import FilterChanged, FilterLeft
from beszel_tui.state.filterline import FLEET, MAX_LENGTH, NO_FILTER, Filter, Vocabulary, parse_filter
from beszel_tui.widgets.text_input import TextInput


class FilterInput(TextInput):
    BINDINGS: ClassVar[list[BindingType]] = [*FILTER]

    def action_cancel(self) -> None:
        self.value = ""
        self.post_message(FilterLeft())

    def action_done(self) -> None:
        self.post_message(FilterLeft())


class FilterLine(Horizontal):
    """Hidden while there is no filter and nobody types one."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; background: $surface; padding: 0 1; }
    FilterLine .prompt { width: 2; color: $accent; }
    FilterLine FilterInput { width: 1fr; background: $surface; background-tint: $surface 0%; }
    FilterLine .says { width: auto; max-width: 60%; color: $muted; padding: 0 1; }
    FilterLine .says.-wrong { color: $error; }
    """

    def __init__(self, vocabulary: Vocabulary = FLEET) -> None:
        super().__init__()
        self.wanted: Filter = NO_FILTER
        self._vocabulary = vocabulary

    def compose(self) -> ComposeResult:
        yield Static(Content("/"), classes="prompt")
        yield FilterInput(
            placeholder=self._vocabulary.hint,
            compact=True,
            max_length=MAX_LENGTH,
            select_on_focus=False,
        )
        yield Static(Content(""), classes="says")

    def speak(self, vocabulary: Vocabulary) -> None:
        """Filter by other words from now on, and by none yet."""
        self._vocabulary = vocabulary
        self.wanted = NO_FILTER
        line = self.query_one(FilterInput)
        line.placeholder = vocabulary.hint
        line.value = ""
        self.remove_class("-open")

    def open(self) -> None:
        self.display = True
        self.screen.set_focus(self.query_one(FilterInput))  # at once: the next key may be there already

    def close(self) -> None:
        """Leave the line to be read if it filters, else make room."""
        self.display = bool(self.wanted.terms)

    def clear(self) -> None:
        self.wanted = NO_FILTER  # what the input says comes later, and the line is to be gone by then
        self.query_one(FilterInput).value = ""
        self.close()

    def put(self, text: str) -> None:
        self.query_one(FilterInput).value = text
        self.display = True

    def say(self, text: str) -> None:
        """What the filter lets through."""
        if not self.query_one(".says").has_class("-wrong"):
            self.query_one(".says", Static).update(Content(text))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        says = self.query_one(".says", Static)
        try:
            wanted = parse_filter(event.value, self._vocabulary)
        except FilterError as error:
            says.add_class("-wrong").update(Content(str(error)))
            return  # what filtered before goes on filtering
        says.remove_class("-wrong")
        self.wanted = wanted
        self.post_message(FilterChanged(wanted))
