"""The keys of adding a system."""

from typing import Final

from beszel_tui.bindings.key import key

ENROLMENT: Final = [
    key("escape,backspace", "back", "back", "Leave; the system goes on waiting", "add.back", show=True, display="esc"),
    key("tab,right,l", "way(1)", "way", "The next way to install", "add.way", show=True, display="tab"),
    key("shift+tab,left,h", "way(-1)", "last way", "The way before", "add.way_before", display="⇧tab"),
    key("y", "copy('commands')", "copy", "Copy the command lines", "add.copy", show=True),
    key("t", "copy('token')", "token", "Copy the token", "add.copy_token", show=True),
    key("u", "copy('key')", "key", "Copy the hub's public key", "add.copy_key", show=True),
    key("enter,o", "open", "open", "Open the system", "add.open", show=True, display="⏎"),
    key("down,j", "scroll(1)", "down", "A row down", "add.down", display="↓ j"),
    key("up,k", "scroll(-1)", "up", "A row up", "add.up", display="↑ k"),
]

ENROLMENT_NAME: Final = [
    key("escape", "leave", "back", "Leave without a new system", "add.leave", show=True, display="esc"),
]
