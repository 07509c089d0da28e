"""The keys that work on every screen, and those of what opens over any screen: command line, help, question."""

from typing import Final

from beszel_tui.bindings.key import key

APP: Final = [
    key("question_mark,f1", "help", "help", "All keys of this screen", "app.help", show=True, display="?"),
    key(
        "colon",
        "command_line",
        "command",
        "Type a command, such as :sort cpu or :theme paper",
        "app.command",
        show=True,
        display=":",
    ),
    key("ctrl+p", "command_palette", "palette", "Find any system, screen or action", "app.palette", display="^p"),
    key(
        "comma",
        "settings",
        "settings",
        "Settings: looks, account, tokens, users, backups, hubs, keys",
        "app.settings",
        display=",",
    ),
    key(
        "a", "alerts", "alerts", "What fires, what has fired, rules, quiet hours and channels", "app.alerts", show=True
    ),
    key("T", "themes", "themes", "Choose a theme, with a preview", "app.theme"),
    key("R", "retry", "reconnect", "Connect to the hub again without waiting", "app.retry"),
    key("ctrl+z", "suspend_process", "suspend", "To the shell; `fg` comes back", "app.suspend", display="^z"),
    key("q,ctrl+c", "quit", "quit", "Leave", "app.quit", show=True, display="q"),
]

COMMAND: Final = [
    key("escape", "cancel", "cancel", "Close the command line", "command.cancel", show=True, display="esc"),
]

HELP: Final = [
    key(
        "escape,question_mark,f1,q,enter",
        "close",
        "close",
        "Back to the screen",
        "help.close",
        show=True,
        display="esc",
    ),
    key("down,j", "scroll_by(1)", "down", "Down", "help.down", display="↓ j"),
    key("up,k", "scroll_by(-1)", "up", "Up", "help.up", display="↑ k"),
    key("pagedown,ctrl+d,space", "scroll_by(10)", "page down", "A page down", "help.page_down", display="PgDn"),
    key("pageup,ctrl+u", "scroll_by(-10)", "page up", "A page up", "help.page_up", display="PgUp"),
]

QUESTION: Final = [
    key("y,enter", "agree", "yes", "Do it", "question.yes", show=True, display="y"),
    key("escape,n,q", "cancel", "no", "Leave everything as it is", "question.no", show=True, display="esc"),
]
