"""The keys of every table and of the line that filters it."""

from typing import Final

from beszel_tui.bindings.key import key

TABLE: Final = [
    key("up,k", "cursor_by(-1)", "up", "The line above", "table.up", display="↑ k"),
    key("down,j", "cursor_by(1)", "down", "The line below", "table.down", display="↓ j"),
    key("pageup,ctrl+b,ctrl+u", "page(-1)", "page up", "A page up", "table.page_up", display="PgUp ^u"),
    key("pagedown,ctrl+f,ctrl+d", "page(1)", "page down", "A page down", "table.page_down", display="PgDn ^d"),
    key("home,g", "cursor_to(0)", "first", "The first line", "table.first", display="Home g"),
    key("end,G", "cursor_to(-1)", "last", "The last line", "table.last", display="End G"),
]

FILTER: Final = [
    key(
        "escape",
        "cancel",
        "clear",
        "Clear the filter and go back to the table",
        "filter.clear",
        show=True,
        display="esc",
    ),
    key("enter,down", "done", "done", "Keep the filter and go to the table", "filter.done", show=True, display="⏎"),
]
