"""The keys of forms: those of a whole screen, and the small ones in a box."""

from typing import Final

from beszel_tui.bindings.key import key

FORM: Final = [
    key("escape", "cancel", "leave", "Leave; nothing is changed", "form.leave", show=True, display="esc"),
    key("ctrl+s", "save", "save", "Send it to the hub", "form.save", show=True, display="^s"),
    key("down,tab", "step(1)", "next", "The next field", "form.next", display="↓ tab"),
    key("up,shift+tab", "step(-1)", "before", "The field before", "form.before", display="↑ ⇧tab"),
]

CHOICE: Final = [
    key("right,space,l", "choose(1)", "next", "The next value", "choice.next", display="→ space"),
    key("left,h", "choose(-1)", "before", "The value before", "choice.before", display="←"),
    key("enter", "done", "done", "On to the next field; from the last one to the hub", "choice.done", display="⏎"),
]

BOX_FORM: Final = [
    key("escape", "cancel", "cancel", "Leave it as it was", "box.cancel", show=True, display="esc"),
    key("down", "app.focus_next", "next", "The next field", "box.next", display="↓ tab"),
    key("up", "app.focus_previous", "before", "The field before", "box.before", display="↑ ⇧tab"),
]

BOX_CHOICE: Final = [
    key("right,space,l", "turn(1)", "next", "The next value", "value.next", show=True, display="→"),
    key("left,h", "turn(-1)", "before", "The value before", "value.before", display="←"),
    key("enter", "done", "done", "Take this value", "value.done", show=True, display="⏎"),
]
