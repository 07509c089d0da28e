"""What the screens for reading a text share: search, wrapping, and the line that says how one looks at it."""

import re
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from beszel_tui.bindings.reading import READER
from beszel_tui.messages import PaneMoved, SearchEntered
from beszel_tui.renderables.pane_line import draw_pane_caption
from beszel_tui.renderables.text import Piece
from beszel_tui.screens.base import HubScreen
from beszel_tui.state.model import State
from beszel_tui.widgets.caption import Caption
from beszel_tui.widgets.search_line import SearchLine
from beszel_tui.widgets.text_pane import TextPane


class ReaderScreen(HubScreen):
    """Subclasses fill the pane, and say what the text is called and what is to be said about it."""

    BINDINGS: ClassVar[list[BindingType]] = [*READER]
    AUTO_FOCUS = "TextPane"

    def __init__(self) -> None:
        super().__init__()
        self._searched = ""

    @property
    def pane(self) -> TextPane:
        return self.query_one(TextPane)

    def title_text(self) -> str:
        raise NotImplementedError

    def notes(self) -> list[Piece]:
        """The most telling last."""
        return []

    def text_to_copy(self) -> str:
        raise NotImplementedError

    def compose_content(self) -> ComposeResult:
        yield Caption()
        yield TextPane(self.hub_app.look.palette)
        yield SearchLine()

    def show_state(self, state: State) -> None:
        del state  # a text is what it was, whatever goes on in the fleet
        self.show_caption()

    def show_caption(self) -> None:
        palette = self.hub_app.look.palette
        notes = [*self.notes(), *self._search_notes()]
        if self.state.past is not None:
            notes.append(("of now", palette.level["warning"]))
        title = self.title_text()
        self.query_one(Caption).show(lambda width: draw_pane_caption(title, notes, width, palette))

    def _search_notes(self) -> list[Piece]:
        palette = self.hub_app.look.palette
        if not self._searched:
            return []
        found, current = self.pane.found_lines, self.pane.current
        if not found:
            return [(f"{self._searched!r} is not in there", palette.level["warning"])]
        place = found.index(current) + 1 if current in found else 0
        return [(f"{self._searched!r} {place}/{len(found)}", palette.accent)]

    def focus_content(self) -> None:
        self.pane.focus()

    # Actions

    def action_back(self) -> None:
        if self._searched:
            self.search("")
        else:
            self.hub_app.pop_screen()

    def action_search(self) -> None:
        self.query_one(SearchLine).open()

    def action_search_next(self, step: int) -> None:
        if self._searched:
            self.pane.search_next(step)
            self.show_caption()

    def action_wrap(self) -> None:
        self.pane.set_wrapped(is_wrapped=not self.pane.is_wrapped)
        self.show_caption()

    def action_copy(self) -> None:
        self.hub_app.copy(self.text_to_copy(), said="it")

    def search(self, text: str) -> None:
        """Words, whatever their case; nothing for no search."""
        self._searched = text
        self.pane.search(re.compile(re.escape(text), re.IGNORECASE) if text else None)
        if text:
            self.pane.search_next(-1 if self.pane.is_at_end else 1)
        self.show_caption()

    # Messages

    @on(SearchEntered)
    def _search_entered(self, message: SearchEntered) -> None:
        self.query_one(SearchLine).close()
        self.focus_content()
        if message.text is not None:
            self.search(message.text.strip())

    @on(PaneMoved)
    def _pane_moved(self) -> None:
        self.show_caption()
