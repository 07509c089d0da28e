"""Help: the keys of whatever had the focus, from the same lists that footer and palette use."""

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from beszel_tui.bindings.everywhere import HELP
from beszel_tui.bindings.groups import GROUPS
from beszel_tui.commands.line import COMMANDS
from beszel_tui.renderables.palette import Palette


class HelpBox(VerticalScroll, can_focus=True, inherit_bindings=False):
    pass


class HelpScreen(ModalScreen[None]):
    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*HELP]

    def __init__(
        self, active: Sequence[Binding], palette: Palette, filter_help: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__()
        self._filter_help = filter_help
        self._active: dict[str, list[Binding]] = {}
        for binding in active:
            if binding.id:
                self._active.setdefault(binding.id, []).append(binding)
        self._palette = palette

    def compose(self) -> ComposeResult:
        box = HelpBox(id="box")
        box.border_title = "Help"
        box.border_subtitle = "esc closes"
        with box:
            yield Static(self._text())

    def _text(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=12)
        table.add_column(ratio=1)
        for title, bindings in GROUPS.items():
            shown = [binding for binding in bindings if binding.id in self._active and binding.tooltip]
            self._section(table, title, [(self._caption(binding), binding.tooltip) for binding in shown])
        commands = [(f":{command.name} {command.argument}".strip(), command.help) for command in COMMANDS]
        self._section(table, "Command line", commands)
        self._section(table, "Filter line", self._filter_help)
        return table

    def _caption(self, binding: Binding) -> str:
        """Its keys, which may be others than it was declared with."""
        keys = self._active.get(binding.id or "", [])
        if any(key.key in binding.key.split(",") for key in keys):
            return self.app.get_key_display(binding) if binding.key_display else binding.key
        return " ".join(map(self.app.get_key_display, keys))

    def _section(self, table: Table, title: str, lines: Sequence[tuple[str, str]]) -> None:
        if not lines:
            return
        table.add_row(Text(f"\n{title}", self._palette.accent))
        for key, sentence in lines:
            table.add_row(Text(f"  {key}", self._palette.key), Text(sentence, self._palette.text))

    def action_close(self) -> None:
        self.dismiss()

    def action_scroll_by(self, lines: int) -> None:
        box = self.query_one(HelpBox)
        box.scroll_to(y=box.scroll_offset.y + lines, animate=False, immediate=True)
