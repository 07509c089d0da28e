"""Boxes over a screen: a small form, and something that is shown only once."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from beszel_tui.bindings.forms import BOX_FORM
from beszel_tui.bindings.settings import SECRET
from beszel_tui.messages import ChoiceTaken
from beszel_tui.state.cells import shown_text
from beszel_tui.widgets.choice_field import ChoiceField
from beszel_tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from beszel_tui.app import BeszelApp

MAX_LENGTH = 400
"""Of a field."""
MAX_TEXT_LENGTH = 400
"""Of a sentence with a name in it that somebody else has chosen."""


class Dialog(ModalScreen[bool]):
    """Subclasses fill the box."""

    CSS_PATH = "dialog.tcss"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        box = VerticalScroll(id="box", can_focus=False)
        box.border_title = Content(shown_text(self._title))
        with box:
            yield from self.compose_box()

    def compose_box(self) -> ComposeResult:
        raise NotImplementedError

    @property
    def hub_app(self) -> "BeszelApp":
        return cast("BeszelApp", self.app)


class SecretScreen(Dialog):
    """What the hub tells once only."""

    BINDINGS: ClassVar[list[BindingType]] = [*SECRET]

    def __init__(self, title: str, secret: str, text: str) -> None:
        super().__init__(title)
        self._secret = secret
        self._text = text

    def compose_box(self) -> ComposeResult:
        yield Static(Content(self._text), id="what")
        yield Static(Content(self._secret), id="secret")
        yield Static(Content("\ny copy   esc close"), id="keys")

    def action_copy(self) -> None:
        self.hub_app.copy(self._secret, said="it")

    def action_close(self) -> None:
        self.dismiss(True)


class Field(NamedTuple):
    """A line of a form."""

    key: str
    label: str
    value: str = ""
    is_secret: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    """Values, and what they are called; none for what is typed."""
    hint: str = ""


Done: TypeAlias = Callable[[], None]
Failed: TypeAlias = Callable[[str], None]
Send: TypeAlias = Callable[[Mapping[str, str], Done, Failed], None]
"""Given what was entered; the form closes with the first and stays with the second, which is told why."""


class BoxForm(Dialog):
    """What is typed is given to `send`, and kept nowhere."""

    BINDINGS: ClassVar[list[BindingType]] = [*BOX_FORM]

    def __init__(self, title: str, fields: Sequence[Field], send: Send, what: str = "") -> None:
        super().__init__(title)
        self._fields = fields
        self._send = send
        self._what = what
        self._is_busy = False

    def compose_box(self) -> ComposeResult:
        if self._what:
            yield Static(Content(shown_text(self._what, MAX_TEXT_LENGTH)), id="what")
        for field in self._fields:
            yield Label(Content(shown_text(field.label)))
            yield self._make(field)
        yield Static(Content(""), id="says")
        yield Static(Content("⏎ next field, then send   esc cancel"), id="keys")

    def _make(self, field: Field) -> Widget:
        if field.choices:
            return ChoiceField(field.choices, field.value, self.hub_app.look, id=field.key)
        return TextInput(
            field.value, placeholder=field.hint, password=field.is_secret, id=field.key, compact=True,
            max_length=MAX_LENGTH,
        )  # fmt: skip

    @property
    def _values(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for field in self._fields:
            widget = self.query_one(f"#{field.key}")
            assert isinstance(widget, Input | ChoiceField)  # noqa: S101 (made above)
            values[field.key] = widget.value if field.is_secret else widget.value.strip()
        return values

    @on(Input.Submitted)
    @on(ChoiceTaken)
    def _entered(self, event: Input.Submitted | ChoiceTaken) -> None:
        event.stop()
        last = self._fields[-1].key
        focused = self.focused
        if focused is not None and focused.id != last:
            self.focus_next()
        elif not self._is_busy:
            self._is_busy = True
            self._say("asking the hub…", busy=True)
            self._send(self._values, self._done, self._failed)

    def _done(self) -> None:
        if self.is_attached:
            self.dismiss(True)

    def _failed(self, reason: str) -> None:
        self._is_busy = False
        if self.is_attached:
            self._say(reason)

    def _say(self, text: str, *, busy: bool = False) -> None:
        self.query_one("#says", Static).set_class(busy, "-busy").update(Content(text))

    def action_cancel(self) -> None:
        self.dismiss(False)
