"""Themes: a list beside what is on the screen, which wears the one under the cursor."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from beszel_tui.bindings.settings import THEMES
from beszel_tui.messages import RowClicked
from beszel_tui.theming import Themes
from beszel_tui.widgets.theme_list import ThemeList

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp


class ThemesScreen(ModalScreen[None]):
    CSS_PATH = "themes.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*THEMES]

    def __init__(self, themes: Themes, current: str) -> None:
        super().__init__()
        self._themes = sorted(themes.by_name.values(), key=lambda theme: (not theme.dark, theme.name))
        self._before = current
        self._row = next((row for row, theme in enumerate(self._themes) if theme.name == current), 0)

    def compose(self) -> ComposeResult:
        box = Vertical(id="box")
        box.border_title = "Themes"
        with box:
            yield ThemeList(self._themes, self._row, self._app.look.symbols)
            yield Static(Content("⏎ choose   esc keep as it was"), id="keys")

    @property
    def _app(self) -> "BeszelApp":
        return cast("BeszelApp", self.app)

    def _preview(self, row: int) -> None:
        self._row = max(0, min(len(self._themes) - 1, row))
        self.query_one(ThemeList).show(self._row)
        self._app.theme = self._themes[self._row].name

    def action_move(self, step: int) -> None:
        self._preview(self._row + step)

    def action_choose(self) -> None:
        self._app.choose_theme(self._themes[self._row].name)
        self.dismiss()

    def action_cancel(self) -> None:
        self._app.theme = self._before
        self.dismiss()

    @on(RowClicked)
    def _row_clicked(self, message: RowClicked) -> None:
        if message.row == self._row:
            self.action_choose()
        else:
            self._preview(message.row)
