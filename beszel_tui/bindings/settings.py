"""The keys of the settings, of themes, and of a secret shown once."""

from typing import Final

from beszel_tui.bindings.key import key

SETTINGS: Final = [
    key("escape,backspace", "back", "back", "Clear the filter, then leave", "settings.back", show=True, display="esc"),
    key("tab,right_square_bracket", "tab(1)", "next", "The next tab", "settings.tab", show=True, display="tab"),
    key(
        "shift+tab,left_square_bracket", "tab(-1)", "last tab", "The tab before", "settings.tab_before", display="⇧tab"
    ),
    *(
        key(str(number), f"tab_number({number})", f"tab {number}", f"Tab number {number}", f"settings.tab_{number}")
        for number in range(1, 10)
    ),
    key("0", "tab_number(10)", "tab 10", "Tab number 10", "settings.tab_10"),
    key(
        "enter,right,l",
        "change(1)",
        "change",
        "Change what the cursor is on",
        "settings.change",
        show=True,
        display="⏎",
    ),
    key("left,h", "change(-1)", "change back", "Change it to the value before", "settings.change_back", display="← h"),
    key("n", "new", "new", "A new API token, user or backup", "settings.new", show=True),
    key("w", "password", "password", "Give this user another password", "settings.password", show=True),
    key(
        "d,delete",
        "delete",
        "delete",
        "End, revoke or delete it; asks first",
        "settings.delete",
        show=True,
        display="d",
    ),
    key("r", "reload", "reload", "Ask the hub again", "settings.reload"),
]

THEMES: Final = [
    key("escape,q,T", "cancel", "cancel", "Keep the theme as it was", "themes.cancel", show=True, display="esc"),
    key("enter", "choose", "choose", "Take this theme, from now on", "themes.choose", show=True, display="⏎"),
    key("down,j", "move(1)", "down", "The next theme", "themes.down", display="↓ j"),
    key("up,k", "move(-1)", "up", "The theme before", "themes.up", display="↑ k"),
    key("home,g", "move(-1000)", "first", "The first theme", "themes.first", display="Home g"),
    key("end,G", "move(1000)", "last", "The last theme", "themes.last", display="End G"),
]

SECRET: Final = [
    key("y", "copy", "copy", "Copy it", "secret.copy", show=True),
    key("escape,enter,q", "close", "close", "Done; it is not shown again", "secret.close", show=True, display="esc"),
]
