"""Adding a system: its name, then what to type on that machine, until its agent is there."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from beszel_protocol.hygiene import clean_text
from beszel_protocol.installing import WAYS
from beszel_tui.bindings.enrolment import ENROLMENT, ENROLMENT_NAME
from beszel_tui.renderables.enrolment import EnrolmentView
from beszel_tui.screens.base import HubScreen
from beszel_tui.state.enrolment import MAX_NAME_LENGTH, Enrolment, progress_of
from beszel_tui.state.model import State
from beszel_tui.widgets.enrolment_pane import EnrolmentPane, ProgressLine
from beszel_tui.widgets.text_input import TextInput


class NameInput(TextInput):
    BINDINGS: ClassVar[list[BindingType]] = [*ENROLMENT_NAME]

    async def action_leave(self) -> None:
        self.app.pop_screen()


class CommandBox(VerticalScroll, can_focus=True, inherit_bindings=False):
    pass


class EnrolmentScreen(HubScreen):
    CSS_PATH = "enrolment.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*ENROLMENT]
    AUTO_FOCUS = "NameInput"

    def __init__(self) -> None:
        super().__init__()
        self._enrolment: Enrolment | None = None
        self._way = 0
        self._is_told = False
        """Whether the feed has had the system."""

    def compose_content(self) -> ComposeResult:
        with Horizontal(id="form"):
            yield Static(Content("Name of the new system"), id="label")
            yield NameInput(placeholder="web-1", compact=True, max_length=MAX_NAME_LENGTH)
        yield Static(Content(""), id="says")
        with CommandBox():
            yield EnrolmentPane(self.hub_app.look)
        yield ProgressLine(self.hub_app.look)

    def show_state(self, state: State) -> None:
        enrolment = self._enrolment
        if enrolment is None:
            return
        row = state.systems.get(enrolment.system_id)
        self._is_told = self._is_told or row is not None
        look = self.hub_app.look
        progress = progress_of(row, is_told=self._is_told, is_live=state.is_live)
        self.query_one(EnrolmentPane).show(EnrolmentView(enrolment, WAYS, self._way), look)
        self.query_one(ProgressLine).show(progress, enrolment.name, look)

    def focus_content(self) -> None:
        (self.query_one(NameInput) if self._enrolment is None else self.query_one(CommandBox)).focus()

    # The name

    @on(Input.Submitted, "NameInput")
    def _name_entered(self, event: Input.Submitted) -> None:
        event.stop()
        name = clean_text(event.value).strip()
        if not name:
            self._say("a system needs a name")
            return
        event.input.disabled = True
        self._say(f"asking the hub for {name}…", busy=True)
        self.hub_app.bridge.enrol(name, self._enrolled, self._refused)

    def _enrolled(self, enrolment: Enrolment) -> None:
        if not self.is_attached:
            return
        self._enrolment = enrolment
        self.add_class("-made")
        self.query_one(CommandBox).focus()
        self.show_state(self.state)
        self.call_after_refresh(self.show_keys)

    def _refused(self, reason: str) -> None:
        if not self.is_attached:
            return
        field = self.query_one(NameInput)
        field.disabled = False
        field.focus()
        self._say(reason)

    def _say(self, text: str, *, busy: bool = False) -> None:
        self.query_one("#says", Static).set_class(busy, "-busy").update(Content(text))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before there is a system nothing can be chosen, copied or opened."""
        del parameters
        return self._enrolment is not None or action not in {"way", "copy", "open", "scroll"}

    def action_way(self, step: int) -> None:
        self._way = (self._way + step) % len(WAYS)
        self.query_one(CommandBox).scroll_to(y=0, animate=False)
        self.show_state(self.state)

    def action_copy(self, what: str) -> None:
        enrolment = self._enrolment
        if enrolment is None:
            return
        view = EnrolmentView(enrolment, WAYS, self._way)
        texts = {"commands": "\n".join(view.commands) + "\n", "key": enrolment.key, "token": enrolment.token}
        self.hub_app.copy(texts[what], said=f"the {what}")

    def action_open(self) -> None:
        if self._enrolment is None or self._enrolment.system_id not in self.state.systems:
            self.hub_app.say("the system is not there yet", severity="warning")
            return
        self.app.pop_screen()
        self.hub_app.open_system(self._enrolment.system_id)

    def action_scroll(self, lines: int) -> None:
        box = self.query_one(CommandBox)
        box.scroll_to(y=box.scroll_offset.y + lines, animate=False)

    def action_back(self) -> None:
        self.app.pop_screen()
