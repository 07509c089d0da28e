"""A form over what is on the screen: filled in, sent to the hub, and gone once the hub has taken it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeAlias, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from beszel_tui.bindings.forms import FORM
from beszel_tui.bridge import Bridge
from beszel_tui.errors import FormError
from beszel_tui.messages import FieldChanged, FieldDone
from beszel_tui.state.alertbook import Kind
from beszel_tui.state.cells import shown_text
from beszel_tui.state.form import Form, Record
from beszel_tui.widgets.form_pane import MAX_LENGTH, FormPane

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp

Send: TypeAlias = Callable[[list[Record], Callable[[str], None], Callable[[str], None]], None]
"""Given what was filled in; whom to tell that it is done, with an answer to be read if there is one; and why not."""


class FormBox(VerticalScroll, can_focus=False, inherit_bindings=False):
    """On a small terminal it scrolls to the field that has the focus."""


class FormScreen(ModalScreen[None]):
    CSS_PATH = "form.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*FORM]

    def __init__(self, form: Form, send: Send) -> None:
        super().__init__()
        self._form = form
        self._send = send
        self._is_sending = False

    def compose(self) -> ComposeResult:
        box = FormBox(id="box")
        box.border_title = Content(shown_text(self._form.title))
        box.border_subtitle = "⏎ next   ^s save   esc leave"
        with box:
            yield FormPane(self._form, cast("BeszelApp", self.app).look)
            yield Static(Content(""), id="preview")
            yield Static(Content(""), id="says")

    def on_mount(self) -> None:
        self._show_preview()
        keys = self.pane.shown_keys
        if keys:
            self.pane.focus_field(keys[0])

    @property
    def pane(self) -> FormPane:
        return self.query_one(FormPane)

    def say(self, text: str, *, busy: bool = False) -> None:
        self.query_one("#says", Static).set_class(busy, "-busy").update(Content(shown_text(text, MAX_LENGTH)))

    def _show_preview(self) -> None:
        self._tell(self._form.preview(self.pane.values))

    def _tell(self, text: str) -> None:
        lines = [shown_text(line, MAX_LENGTH) for line in text.split("\n")]
        self.query_one("#preview", Static).update(Content("\n".join(lines)))

    # Actions

    def action_save(self) -> None:
        if self._is_sending:
            return
        try:
            records = self._form.read(self.pane.values)
        except FormError as error:
            self.pane.mark(error.field, shown_text(str(error), MAX_LENGTH))
            self.pane.focus_field(error.field)
            return
        self.pane.mark("")
        self._is_sending = True
        self.say("asking the hub…", busy=True)
        self._send(records, self._answered, self._refused)

    def _answered(self, answer: str) -> None:
        """What is done is done with, unless there is something to read."""
        self._is_sending = False
        if not self.is_attached:
            return
        if not answer:
            self.dismiss()
            return
        self.say("")
        self._tell(answer)

    def _refused(self, reason: str) -> None:
        self._is_sending = False
        if self.is_attached:
            self.say(reason)
            self.call_after_refresh(self.query_one("#says").scroll_visible, animate=False)

    def action_step(self, step: int) -> None:
        self.pane.step(self.pane.focused_key, step)

    def action_cancel(self) -> None:
        self.dismiss()

    # Messages

    @on(FieldChanged)
    def _field_changed(self) -> None:
        self.pane.mark("")
        if not self._is_sending:
            self.say("")
        self._show_preview()

    @on(FieldDone)
    def _field_done(self, message: FieldDone) -> None:
        if not self.pane.step(message.key, 1):
            self.action_save()

    def on_resize(self, _event: events.Resize) -> None:
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)


def sender(bridge: Bridge, kind: Kind, record_id: str | None, stored: Callable[[], None]) -> Send:
    """Stores at the hub what a form made: new records, or the one of this id; `stored` hears of it."""

    def send(records: list[Record], done: Callable[[str], None], failed: Callable[[str], None]) -> None:
        def told(_answer: None) -> None:
            bridge.read_alerts()
            stored()
            done("")

        async def store() -> None:
            for record in records:
                await bridge.source.alerts.save(kind, record_id, record)

        bridge.ask(store, told, failed)

    return send
