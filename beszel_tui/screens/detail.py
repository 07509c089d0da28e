"""Everything that a host told of one service, disk, process or other line of its tables."""

import msgspec

from beszel_tui.renderables.document import document_lines
from beszel_tui.screens.reader import ReaderScreen
from beszel_tui.state.sheet import SheetRow


class DetailScreen(ReaderScreen):
    """As it was when it was opened: what one reads does not move."""

    CSS_PATH = "inspection.tcss"

    def __init__(self, row: SheetRow, system: str) -> None:
        super().__init__()
        self._row = row
        self._system = system

    def title_text(self) -> str:
        return f"{self._row.name} on {self._system}, as told"

    def on_mount(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        super().redraw()
        palette = self.hub_app.look.palette
        self.pane.show(document_lines(self.text_to_copy(), palette), palette)

    def text_to_copy(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self._row.told), indent=2).decode()
