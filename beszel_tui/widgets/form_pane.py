"""The fields of a form, one below the other: what is typed or chosen, and which of them there are at all."""

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static, TextArea

from beszel_protocol.hygiene import clean_lines, clean_text
from beszel_tui.messages import FieldChanged, FieldDone, FieldLeft
from beszel_tui.renderables.fleet_row import FleetLook
from beszel_tui.state.form import Form, FormField, Values
from beszel_tui.widgets.choice_line import ChoiceLine
from beszel_tui.widgets.lines_field import LinesField
from beszel_tui.widgets.text_input import TextInput

MAX_LENGTH: Final = 2048
_MAX_LINES_LENGTH: Final = 16 << 10


class FormPane(Vertical):
    """Tells `FieldChanged` after any change, and `FieldDone` when one is done with a field."""

    DEFAULT_CSS = """
    FormPane { height: auto; }
    FormPane .field { height: auto; }
    FormPane .label { width: 17; max-width: 40%; color: $muted; }
    FormPane .label.-wrong { color: $error; }
    FormPane .wrong { height: auto; color: $error; display: none; }
    FormPane Input { width: 1fr; background: $panel; }
    """

    def __init__(self, form: Form, look: FleetLook) -> None:
        super().__init__()
        self._form = form
        self._look = look
        long = {field.key for field in form.fields if field.lines > 1}
        self._values = {
            key: clean_lines(value, _MAX_LINES_LENGTH) if key in long else clean_text(value, MAX_LENGTH)
            for key, value in form.values.items()
        }

    def compose(self) -> ComposeResult:
        for field in self._form.fields:
            with Horizontal(classes="field", id=f"field-{field.key}"):
                yield Static(Content(field.label), classes="label")
                yield self._control(field)
            yield Static(Content(""), id=f"wrong-{field.key}", classes="wrong")

    def _control(self, field: FormField) -> ChoiceLine | Input | LinesField:
        value = self._values.get(field.key, "")
        choices = field.choices if field.offers is None else field.offers(self._values)
        if choices:
            return ChoiceLine(field.key, choices, value, self._look)
        if field.lines > 1:
            return LinesField(value, field.hint, field.key, field.lines)
        suggester = SuggestFromList(field.suggestions, case_sensitive=False) if field.suggestions else None
        return TextInput(
            value, placeholder=field.hint, suggester=suggester, name=field.key, compact=True, max_length=MAX_LENGTH
        )

    def on_mount(self) -> None:
        self._show_fields()

    @property
    def values(self) -> Values:
        return self._values

    @property
    def shown_keys(self) -> list[str]:
        """The fields that one can fill in, from top to bottom."""
        return [field.key for field in self._form.fields if field.is_shown(self._values)]

    def focus_field(self, key: str) -> None:
        """The one of this key; where it is hidden, the first."""
        keys = self.shown_keys
        if keys:
            self._control_of(key if key in keys else keys[0]).focus()

    def step(self, key: str, step: int) -> bool:
        """To the field before or after; False if there is none."""
        keys = self.shown_keys
        index = keys.index(key) + step if key in keys else 0
        if 0 <= index < len(keys):
            self.focus_field(keys[index])
            return True
        return False

    @property
    def focused_key(self) -> str:
        """Of the field that has the focus."""
        return next((key for key in self.shown_keys if self._control_of(key).has_focus), "")

    def mark(self, key: str, sentence: str = "") -> None:
        """As the one that is wrong, with what is below it; none if the key is empty."""
        for field in self._form.fields:
            is_wrong = field.key == key
            self.query_one(f"#field-{field.key} .label").set_class(is_wrong, "-wrong")
            line = self.query_one(f"#wrong-{field.key}", Static)
            line.update(Content(sentence if is_wrong else ""))
            line.display = is_wrong

    def _control_of(self, key: str) -> ChoiceLine | Input | LinesField:
        control = self.query_one(f"#field-{key}").children[1]
        assert isinstance(control, ChoiceLine | Input | LinesField)  # noqa: S101 (as composed)
        return control

    def _show_fields(self) -> None:
        for field in self._form.fields:
            self.query_one(f"#field-{field.key}").display = field.is_shown(self._values)

    def _changed(self, key: str, value: str) -> None:
        if self._values.get(key) == value:
            return
        self._values[key] = value
        followed = self._form.follow(key, self._values)
        for other, text in followed.items():
            if text != self._values.get(other):
                self._values[other] = text
                self._put(other, text)
        self._offer()
        self._show_fields()

    def _put(self, key: str, text: str) -> None:
        if not any(field.key == key for field in self._form.fields):
            return
        control = self._control_of(key)
        if isinstance(control, Input):
            control.value = text
        elif isinstance(control, LinesField):
            control.text = text
        else:
            control.put(text)

    def _offer(self) -> None:
        """What can be chosen may be something else now."""
        for field in self._form.fields:
            control = self._control_of(field.key)
            if field.offers is not None and isinstance(control, ChoiceLine):
                control.offer(field.offers(self._values), self._values.get(field.key, ""))

    # Messages

    @on(FieldChanged)
    def _field_changed(self, message: FieldChanged) -> None:
        control = self._control_of(message.key)
        if isinstance(control, ChoiceLine):
            self._changed(message.key, control.value)

    @on(Input.Changed)
    def _input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._typed(event.input.name or "", event.input.value)

    @on(TextArea.Changed)
    def _lines_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._typed(event.text_area.name or "", event.text_area.text)

    def _typed(self, key: str, text: str) -> None:
        """What stands in the field now: what the message was about may be gone with the condition it was of."""
        self._changed(key, text)
        self.post_message(FieldChanged(key))

    @on(FieldLeft)
    def _field_left(self, message: FieldLeft) -> None:
        self.step(message.key, message.step)

    @on(Input.Submitted)
    def _input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(FieldDone(event.input.name or ""))
