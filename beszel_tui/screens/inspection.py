"""How one container is configured, as its engine tells."""

from beszel_tui.renderables.document import document_lines
from beszel_tui.renderables.text import Piece
from beszel_tui.screens.reader import ReaderScreen
from beszel_tui.state.containers import ContainerItem


class InspectionScreen(ReaderScreen):
    CSS_PATH = "inspection.tcss"
    _text = ""
    _problem = "asking…"

    def __init__(self, item: ContainerItem) -> None:
        super().__init__()
        self.item = item

    def title_text(self) -> str:
        return f"{self.item.facts.name} on {self.item.system}, as configured"

    def on_mount(self) -> None:
        item, bridge = self.item, self.hub_app.bridge
        bridge.ask(lambda: bridge.source.inspect(item.system_id, item.facts.id), self._loaded, self._failed)

    def redraw(self) -> None:
        super().redraw()
        palette = self.hub_app.look.palette
        self.pane.show(document_lines(self._text, palette) if self._text else [], palette)

    def notes(self) -> list[Piece]:
        palette = self.hub_app.look.palette
        notes: list[Piece] = []
        if self.item.image_update:
            arrow = self.hub_app.look.symbols.up_arrow
            notes.append((f"{arrow} {self.item.facts.image} is another image at its registry now", palette.accent))
        if self._problem:
            notes.append((self._problem, palette.level["warning"]))
        return notes

    def text_to_copy(self) -> str:
        return self._text

    def _loaded(self, text: str) -> None:
        self._text, self._problem = text, ""
        self.redraw()
        self.pane.action_to_begin()

    def _failed(self, reason: str) -> None:
        self._problem = reason
        self.show_caption()
