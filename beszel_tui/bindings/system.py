"""The keys of one system: its charts, its tables, and the page of one service or disk."""

from typing import Final

from beszel_tui.bindings.key import key

SYSTEM: Final = [
    key(
        "escape,backspace",
        "back",
        "back",
        "Leave full screen, then the time cursor, then the system",
        "system.back",
        show=True,
        display="esc",
    ),
    key("right_square_bracket,tab", "tab(1)", "next", "The next tab", "system.tab", show=True, display="tab"),
    key("left_square_bracket,shift+tab", "tab(-1)", "last tab", "The tab before", "system.tab_before", display="⇧tab"),
    *(
        key(str(number), f"tab_number({number})", f"tab {number}", f"Tab number {number}", f"system.tab_{number}")
        for number in range(1, 10)
    ),
    key("j,down", "chart(1)", "next chart", "The next chart", "system.chart", display="↓ j"),
    key("k,up", "chart(-1)", "last chart", "The chart before", "system.chart_before", display="↑ k"),
    key("left,h", "cursor(-1)", "time", "Time cursor to the left", "system.earlier", show=True, display="←→"),
    key("right,l", "cursor(1)", "later", "Time cursor to the right", "system.later", display="→ l"),
    key("shift+left,H", "cursor(-10)", "far left", "Time cursor far to the left", "system.far_earlier", display="⇧← H"),
    key("shift+right,L", "cursor(10)", "far right", "Time cursor far to the right", "system.far_later", display="⇧→ L"),
    key("r", "range(1)", "range", "The next longer range", "system.range", show=True),
    key("e", "range(-1)", "shorter", "The next shorter range", "system.range_shorter"),
    key("d", "type_range", "dates", "Type a range: 6h, 2026-11-20, 20:00..21:30", "system.range_typed"),
    key(
        "plus,equals_sign",
        "zoom(0.5)",
        "zoom",
        "Zoom in, around the time cursor",
        "system.zoom_in",
        show=True,
        display="+",
    ),
    key("minus", "zoom(2)", "zoom out", "Zoom out", "system.zoom_out", display="-"),
    key("comma", "pan(-0.5)", "pan", "Half a window back in time", "system.pan_back", display=","),
    key("full_stop", "pan(0.5)", "pan on", "Half a window forward", "system.pan_on", display="."),
    key("0", "live", "live", "Back to the live window", "system.live"),
    key("f", "full", "full", "This chart over the whole screen, and back", "system.full", show=True),
    key("enter", "detail", "detail", "Everything that is told of a line of the table", "system.detail", display="⏎"),
    key("c", "containers", "containers", "The containers of this system", "system.containers", show=True),
    key("n", "neighbour(1)", "next system", "The next system of the list", "system.next"),
    key("N", "neighbour(-1)", "last system", "The system before", "system.before"),
    key("y", "copy", "copy", "Copy the values of this chart, at the time cursor if there is one", "system.copy"),
]

SHEET: Final = [
    key(
        "slash",
        "filter",
        "filter",
        "Show only what matches: words, cpu>5, state:failed, !active, /regex/",
        "sheet.filter",
        show=True,
        display="/",
    ),
    key("s", "sort_next", "sort", "Sort by the next column", "sheet.sort", show=True),
    key("S", "sort_reverse", "reverse", "Turn the order round", "sheet.reverse"),
    key("t", "tree", "tree", "Processes below what started them, or all in one order", "sheet.tree", show=True),
    key("y", "copy", "copy", "Copy the name of the line", "sheet.copy"),
]

DETAIL: Final = [
    key("r", "again", "again", "Ask the host again", "detail.again", show=True),
]
