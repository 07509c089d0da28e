"""Everything that is told of one service, disk, process or other line of a host's tables."""

from typing import ClassVar

import msgspec
from textual.binding import BindingType

from beszel_protocol.services import ServiceDetail
from beszel_tui.bindings.system import DETAIL
from beszel_tui.renderables.detail import attribute_lines, fact_lines, heading_line
from beszel_tui.renderables.document import document_lines
from beszel_tui.renderables.pane_line import PaneLine
from beszel_tui.renderables.text import Piece
from beszel_tui.screens.reader import ReaderScreen
from beszel_tui.state.components import DiskRecord, Question, Wording, disk_facts, service_facts
from beszel_tui.state.sheet import SheetRow

_ASKING = "asking the agent…"


class DetailScreen(ReaderScreen):
    """As it was when it was opened: what one reads does not move.

    With a question what the host answers stands above what its samples told.
    """

    CSS_PATH = "inspection.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*DETAIL]

    def __init__(self, row: SheetRow, system_id: str, system: str, question: Question | None) -> None:
        super().__init__()
        self._row = row
        self._system_id, self._system = system_id, system
        self._question = question
        self._told: ServiceDetail | DiskRecord | None = None
        self._told_ms = 0
        """By the hub's clock, when that came."""
        self._asking, self._problem = "", ""

    def title_text(self) -> str:
        return f"{self._row.name} on {self._system}{'' if self._told else ', as told'}"

    def on_mount(self) -> None:
        self.redraw()
        self.action_again()

    def redraw(self) -> None:
        super().redraw()
        pane = self.pane
        if pane.scroll_offset.y == 0:
            pane.is_at_end = False  # what comes in above does not take who reads away from there
        pane.show(self._lines(), self.hub_app.look.palette)

    def notes(self) -> list[Piece]:
        palette, clock = self.hub_app.look.palette, self.hub_app.look.clock
        notes: list[Piece] = []
        if isinstance(self._told, ServiceDetail):
            notes.append((f"of {clock.text(clock.at(self._told_ms))}", palette.muted))
        if self._problem:
            notes.append((self._problem, palette.level["warning"]))
        if self._asking:
            notes.append((self._asking, palette.muted))
        return notes

    def text_to_copy(self) -> str:
        return "\n".join(line.lead[0] + line.text for line in self._lines())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "again" and self._question is None:
            return False
        return super().check_action(action, parameters)

    def action_again(self) -> None:
        """One question at a time."""
        if self._question is None or self._asking:
            return
        self._asking, self._problem = _ASKING, ""
        if self._question.kind == "service":
            self._ask_service(self._question.name)
        else:
            self._ask_disk(self._question.name)
        self.show_caption()

    def _lines(self) -> list[PaneLine]:
        look = self.hub_app.look
        told = msgspec.json.format(msgspec.json.encode(self._row.told), indent=2).decode()
        document = document_lines(told, look.palette)
        if self._told is None:
            return document
        return [*self._answer_lines(), heading_line("", look), heading_line("as told by the samples", look), *document]

    def _answer_lines(self) -> list[PaneLine]:
        look = self.hub_app.look
        wording = Wording(look.units, look.clock, self._told_ms)
        if isinstance(self._told, ServiceDetail):
            return fact_lines(service_facts(self._told, wording), look)
        if isinstance(self._told, DiskRecord):
            table = attribute_lines(self._told.attributes or [], look)
            return [*fact_lines(disk_facts(self._told, wording), look), heading_line("", look), *table]
        return []

    # Asking

    def _ask_service(self, name: str) -> None:
        bridge, system_id = self.hub_app.bridge, self._system_id
        bridge.ask(lambda: bridge.source.service_detail(system_id, name), self._answered, self._failed)

    def _ask_disk(self, key: str) -> None:
        """First what the hub has, as that is there at once; then the host reads its disks, and the hub has it anew."""
        bridge, system_id = self.hub_app.bridge, self._system_id

        def read(_done: None) -> None:
            bridge.ask(lambda: bridge.source.disk_detail(system_id, key), self._answered, self._failed)

        def refresh(found: DiskRecord | None) -> None:
            self._keep(found)
            if not self.is_attached:
                return  # nobody reads it any more
            if self.hub_app.settings.read_only:
                self._failed("this client is read-only: the host is not asked anew")
            else:
                bridge.ask(lambda: bridge.source.refresh_disks(system_id), read, self._failed, is_long=True)

        bridge.ask(lambda: bridge.source.disk_detail(system_id, key), refresh, self._failed)

    def _answered(self, told: ServiceDetail | DiskRecord | None) -> None:
        self._asking = ""
        self._keep(told)

    def _failed(self, reason: str) -> None:
        self._asking, self._problem = "", reason
        if self.is_attached:
            self.show_caption()

    def _keep(self, told: ServiceDetail | DiskRecord | None) -> None:
        if not self.is_attached:
            return
        if told is not None:
            self._told, self._told_ms = told, self.state.hub_now_ms
        self.redraw()
