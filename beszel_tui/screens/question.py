"""A question before something is done that cannot be undone."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from beszel_tui.bindings.everywhere import QUESTION
from beszel_tui.state.cells import shown_text


class QuestionScreen(ModalScreen[None]):
    CSS_PATH = "question.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*QUESTION]

    def __init__(self, question: str, consequence: str, agreed: Callable[[], None]) -> None:
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._agreed = agreed

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(Content(shown_text(self._question)), id="question")
            yield Static(Content(self._consequence), id="consequence")
            yield Static(Content("y yes   esc no"), id="keys")

    def action_agree(self) -> None:
        self.dismiss()
        self._agreed()

    def action_cancel(self) -> None:
        self.dismiss()
