"""The keys of long text: logs, configuration, and the search in them."""

from typing import Final

from beszel_tui.bindings.key import key

PANE: Final = [
    key("up,k", "move(-1)", "up", "A row up", "pane.up", display="↑ k"),
    key("down,j", "move(1)", "down", "A row down", "pane.down", display="↓ j"),
    key("pageup,ctrl+b,ctrl+u", "move_pages(-1)", "page up", "A page up", "pane.page_up", display="PgUp ^u"),
    key(
        "pagedown,ctrl+f,ctrl+d,space", "move_pages(1)", "page down", "A page down", "pane.page_down", display="PgDn ^d"
    ),
    key("home,g", "to_begin", "begin", "To the beginning", "pane.begin", display="Home g"),
    key("end,G", "to_end", "end", "To the end, and stay there", "pane.end", show=True, display="G"),
    key("left,h", "sideways(-1)", "left", "To the left, where lines are not wrapped", "pane.left", display="← h"),
    key("right,l", "sideways(1)", "right", "To the right, where lines are not wrapped", "pane.right", display="→ l"),
]

READER: Final = [
    key("escape,backspace", "back", "back", "End the search, then leave", "reader.back", show=True, display="esc"),
    key("slash", "search", "search", "Search for words", "reader.search", show=True, display="/"),
    key("n", "search_next(1)", "next", "The next place where it is found", "reader.next", show=True),
    key("N", "search_next(-1)", "last", "The place before", "reader.before"),
    key("w", "wrap", "wrap", "Wrap long lines, or cut them", "reader.wrap", show=True),
    key("y", "copy", "copy", "Copy the line that was found, or the whole text", "reader.copy"),
]

LOGS: Final = [
    key("t", "times", "times", "Time stamps before the lines, or none", "logs.times", show=True),
]

SEARCH: Final = [
    key("escape", "cancel", "cancel", "Give the search up", "search.cancel", show=True, display="esc"),
]
