"""Every key of the client, said once: footer, help and palette read these lists.

An id names the binding for good (people will remap keys by it), the description is what the footer has room for, the
tooltip is the sentence of the help page.
"""

from collections.abc import Mapping
from typing import Final

from textual.binding import Binding

from beszel_tui.state.settings import KeyLine


def _key(
    keys: str, action: str, description: str, tooltip: str, name: str, *, show: bool = False, display: str = ""
) -> Binding:
    return Binding(keys, action, description, show=show, key_display=display or None, tooltip=tooltip, id=name)


APP: Final = [
    _key("question_mark,f1", "help", "help", "All keys of this screen", "app.help", show=True, display="?"),
    _key(
        "colon",
        "command_line",
        "command",
        "Type a command, such as :sort cpu or :theme paper",
        "app.command",
        show=True,
        display=":",
    ),
    _key("ctrl+p", "command_palette", "palette", "Find any system, screen or action", "app.palette", display="^p"),
    _key(
        "comma",
        "settings",
        "settings",
        "Settings: looks, account, tokens, users, hubs, keys",
        "app.settings",
        display=",",
    ),
    _key(
        "a", "alerts", "alerts", "What fires, what has fired, rules, quiet hours and channels", "app.alerts", show=True
    ),
    _key("T", "themes", "themes", "Choose a theme, with a preview", "app.theme"),
    _key("R", "retry", "reconnect", "Connect to the hub again without waiting", "app.retry"),
    _key("ctrl+z", "suspend_process", "suspend", "To the shell; `fg` comes back", "app.suspend", display="^z"),
    _key("q,ctrl+c", "quit", "quit", "Leave", "app.quit", show=True, display="q"),
]

TABLE: Final = [
    _key("up,k", "cursor_by(-1)", "up", "The line above", "table.up", display="↑ k"),
    _key("down,j", "cursor_by(1)", "down", "The line below", "table.down", display="↓ j"),
    _key("pageup,ctrl+b,ctrl+u", "page(-1)", "page up", "A page up", "table.page_up", display="PgUp ^u"),
    _key("pagedown,ctrl+f,ctrl+d", "page(1)", "page down", "A page down", "table.page_down", display="PgDn ^d"),
    _key("home,g", "cursor_to(0)", "first", "The first line", "table.first", display="Home g"),
    _key("end,G", "cursor_to(-1)", "last", "The last line", "table.last", display="End G"),
]

SYSTEM_LINES: Final = [
    _key("enter,right,l", "choose", "open", "Open the system", "table.open", show=True, display="⏎"),
    _key(
        "space",
        "mark",
        "mark",
        "Mark the line for an action on several, or take the mark off",
        "table.mark",
        show=True,
        display="space",
    ),
]

CARDS: Final = [
    _key("up,k", "card_by(0, -1)", "up", "The card above", "cards.up", display="↑ k"),
    _key("down,j", "card_by(0, 1)", "down", "The card below", "cards.down", display="↓ j"),
    _key("left,h", "card_by(-1, 0)", "left", "The card to the left", "cards.left", display="← h"),
    _key("right,l", "card_by(1, 0)", "right", "The card to the right", "cards.right", display="→ l"),
    _key("enter", "choose", "open", "Open the system of the card", "cards.open", show=True, display="⏎"),
]

CONTAINER_LINES: Final = [
    _key("enter,right,l", "choose", "logs", "What the container writes", "container.logs", show=True, display="⏎ l"),
]

FLEET: Final = [
    _key(
        "slash",
        "filter",
        "filter",
        "Show only what matches: words, cpu>80, tag:prod, !paused, /regex/",
        "fleet.filter",
        show=True,
        display="/",
    ),
    _key("s", "sort_next", "sort", "Sort by the next column", "fleet.sort", show=True),
    _key("S", "sort_reverse", "reverse", "Turn the order round", "fleet.reverse"),
    _key("p", "pause", "pause", "Pause the marked systems or this one, or let them go on", "fleet.pause"),
    _key("W", "watch", "watch", "Make a rule of alerts for the marked systems, or for this one", "fleet.watch"),
    _key("c", "containers", "containers", "The containers of all systems", "fleet.containers", show=True),
    _key("v", "layout", "cards", "A card a system, or a line a system", "fleet.layout"),
    _key("t", "groups", "groups", "Group by the first tag, or not; ⏎ on a group folds it", "fleet.groups"),
    _key("e", "tags", "tags", "Change the tags of the marked systems or this one", "fleet.tags"),
    _key("D", "delete", "delete", "Delete the marked systems or this one; asks first", "fleet.delete"),
    _key("y", "copy", "copy", "Copy the address of the system", "fleet.copy"),
    _key("A", "add", "add", "Add a system: the command lines for its agent", "fleet.add"),
    _key("escape", "back", "back", "Clear marks, then the filter", "fleet.back", display="esc"),
]

SYSTEM: Final = [
    _key(
        "escape,backspace",
        "back",
        "back",
        "Leave full screen, then the time cursor, then the system",
        "system.back",
        show=True,
        display="esc",
    ),
    _key("right_square_bracket,tab", "tab(1)", "tab", "The next tab", "system.tab", show=True, display="tab"),
    _key("left_square_bracket,shift+tab", "tab(-1)", "last tab", "The tab before", "system.tab_before", display="⇧tab"),
    *(
        _key(str(number), f"tab_number({number})", f"tab {number}", f"Tab number {number}", f"system.tab_{number}")
        for number in range(1, 10)
    ),
    _key("j,down", "chart(1)", "next chart", "The next chart", "system.chart", display="↓ j"),
    _key("k,up", "chart(-1)", "last chart", "The chart before", "system.chart_before", display="↑ k"),
    _key("left,h", "cursor(-1)", "time", "Time cursor to the left", "system.earlier", show=True, display="←→"),
    _key("right,l", "cursor(1)", "later", "Time cursor to the right", "system.later", display="→ l"),
    _key(
        "shift+left,H", "cursor(-10)", "far left", "Time cursor far to the left", "system.far_earlier", display="⇧← H"
    ),
    _key(
        "shift+right,L", "cursor(10)", "far right", "Time cursor far to the right", "system.far_later", display="⇧→ L"
    ),
    _key("r", "range(1)", "range", "The next longer range", "system.range", show=True),
    _key("e", "range(-1)", "shorter", "The next shorter range", "system.range_shorter"),
    _key("d", "type_range", "dates", "Type a range: 6h, 2026-11-20, 20:00..21:30", "system.range_typed"),
    _key(
        "plus,equals_sign",
        "zoom(0.5)",
        "zoom",
        "Zoom in, around the time cursor",
        "system.zoom_in",
        show=True,
        display="+",
    ),
    _key("minus", "zoom(2)", "zoom out", "Zoom out", "system.zoom_out", display="-"),
    _key("comma", "pan(-0.5)", "pan", "Half a window back in time", "system.pan_back", display=","),
    _key("full_stop", "pan(0.5)", "pan on", "Half a window forward", "system.pan_on", display="."),
    _key("0", "live", "live", "Back to the live window", "system.live"),
    _key("f", "full", "full", "This chart over the whole screen, and back", "system.full", show=True),
    _key("enter", "detail", "detail", "Everything that is told of a line of the table", "system.detail", display="⏎"),
    _key("c", "containers", "containers", "The containers of this system", "system.containers", show=True),
    _key("n", "neighbour(1)", "next system", "The next system of the list", "system.next"),
    _key("N", "neighbour(-1)", "last system", "The system before", "system.before"),
    _key("y", "copy", "copy", "Copy the values of this chart, at the time cursor if there is one", "system.copy"),
]

TIME: Final = [
    _key("P", "hold", "hold", "Hold this moment; again: go on from it", "time.hold"),
    _key("less_than_sign", "step(-10)", "earlier", "Ten seconds back in time", "time.back", display="<"),
    _key("greater_than_sign", "step(10)", "later", "Ten seconds on", "time.on", display=">"),
    _key("left_curly_bracket", "step(-300)", "5m back", "Five minutes back in time", "time.far_back", display="{"),
    _key("right_curly_bracket", "step(300)", "5m on", "Five minutes on", "time.far_on", display="}"),
    _key("x", "speed", "speed", "Go through the past at 1, 10 or 60 seconds a second", "time.speed"),
    Binding(
        "end",
        "now",
        "now",
        show=True,
        key_display="End",
        tooltip="From the past back to now",
        id="time.now",
        priority=True,
    ),
]

SHEET: Final = [
    _key(
        "slash",
        "filter",
        "filter",
        "Show only what matches: words, cpu>5, state:failed, !active, /regex/",
        "sheet.filter",
        show=True,
        display="/",
    ),
    _key("s", "sort_next", "sort", "Sort by the next column", "sheet.sort", show=True),
    _key("S", "sort_reverse", "reverse", "Turn the order round", "sheet.reverse"),
    _key("t", "tree", "tree", "Processes below what started them, or all in one order", "sheet.tree", show=True),
    _key("y", "copy", "copy", "Copy the name of the line", "sheet.copy"),
]

CONTAINERS: Final = [
    _key(
        "escape,backspace", "back", "back", "Clear the filter, then leave", "containers.back", show=True, display="esc"
    ),
    _key("i", "inspect", "inspect", "How the container is configured", "containers.inspect", show=True),
    _key(
        "slash",
        "filter",
        "filter",
        "Show only what matches: words, cpu>20, system:web, exited, !healthy, /regex/",
        "containers.filter",
        show=True,
        display="/",
    ),
    _key("s", "sort_next", "sort", "Sort by the next column", "containers.sort", show=True),
    _key("S", "sort_reverse", "reverse", "Turn the order round", "containers.reverse"),
    _key("o", "open_system", "system", "Open the system it runs on", "containers.system", show=True),
    _key("y", "copy", "copy", "Copy the container's name", "containers.copy"),
]

PANE: Final = [
    _key("up,k", "move(-1)", "up", "A row up", "pane.up", display="↑ k"),
    _key("down,j", "move(1)", "down", "A row down", "pane.down", display="↓ j"),
    _key("pageup,ctrl+b,ctrl+u", "move_pages(-1)", "page up", "A page up", "pane.page_up", display="PgUp ^u"),
    _key(
        "pagedown,ctrl+f,ctrl+d,space", "move_pages(1)", "page down", "A page down", "pane.page_down", display="PgDn ^d"
    ),
    _key("home,g", "to_begin", "begin", "To the beginning", "pane.begin", display="Home g"),
    _key("end,G", "to_end", "end", "To the end, and stay there", "pane.end", show=True, display="G"),
    _key("left,h", "sideways(-1)", "left", "To the left, where lines are not wrapped", "pane.left", display="← h"),
    _key("right,l", "sideways(1)", "right", "To the right, where lines are not wrapped", "pane.right", display="→ l"),
]

READER: Final = [
    _key("escape,backspace", "back", "back", "End the search, then leave", "reader.back", show=True, display="esc"),
    _key("slash", "search", "search", "Search for words", "reader.search", show=True, display="/"),
    _key("n", "search_next(1)", "next", "The next place where it is found", "reader.next", show=True),
    _key("N", "search_next(-1)", "last", "The place before", "reader.before"),
    _key("w", "wrap", "wrap", "Wrap long lines, or cut them", "reader.wrap", show=True),
    _key("y", "copy", "copy", "Copy the line that was found, or the whole text", "reader.copy"),
]

DETAIL: Final = [
    _key("r", "again", "again", "Ask the host again", "detail.again", show=True),
]

LOGS: Final = [
    _key("t", "times", "times", "Time stamps before the lines, or none", "logs.times", show=True),
]

SEARCH: Final = [
    _key("escape", "cancel", "cancel", "Give the search up", "search.cancel", show=True, display="esc"),
]

HELP: Final = [
    _key(
        "escape,question_mark,f1,q,enter",
        "close",
        "close",
        "Back to the screen",
        "help.close",
        show=True,
        display="esc",
    ),
    _key("down,j", "scroll_by(1)", "down", "Down", "help.down", display="↓ j"),
    _key("up,k", "scroll_by(-1)", "up", "Up", "help.up", display="↑ k"),
    _key("pagedown,ctrl+d,space", "scroll_by(10)", "page down", "A page down", "help.page_down", display="PgDn"),
    _key("pageup,ctrl+u", "scroll_by(-10)", "page up", "A page up", "help.page_up", display="PgUp"),
]

ENROLMENT: Final = [
    _key("escape,backspace", "back", "back", "Leave; the system goes on waiting", "add.back", show=True, display="esc"),
    _key("tab,right,l", "way(1)", "way", "The next way to install", "add.way", show=True, display="tab"),
    _key("shift+tab,left,h", "way(-1)", "last way", "The way before", "add.way_before", display="⇧tab"),
    _key("y", "copy('commands')", "copy", "Copy the command lines", "add.copy", show=True),
    _key("t", "copy('token')", "token", "Copy the token", "add.copy_token", show=True),
    _key("u", "copy('key')", "key", "Copy the hub's public key", "add.copy_key", show=True),
    _key("enter,o", "open", "open", "Open the system", "add.open", show=True, display="⏎"),
    _key("down,j", "scroll(1)", "down", "A row down", "add.down", display="↓ j"),
    _key("up,k", "scroll(-1)", "up", "A row up", "add.up", display="↑ k"),
]

ENROLMENT_NAME: Final = [
    _key("escape", "leave", "back", "Leave without a new system", "add.leave", show=True, display="esc"),
]

THEMES: Final = [
    _key("escape,q,T", "cancel", "cancel", "Keep the theme as it was", "themes.cancel", show=True, display="esc"),
    _key("enter", "choose", "choose", "Take this theme, from now on", "themes.choose", show=True, display="⏎"),
    _key("down,j", "move(1)", "down", "The next theme", "themes.down", display="↓ j"),
    _key("up,k", "move(-1)", "up", "The theme before", "themes.up", display="↑ k"),
    _key("home,g", "move(-1000)", "first", "The first theme", "themes.first", display="Home g"),
    _key("end,G", "move(1000)", "last", "The last theme", "themes.last", display="End G"),
]

SETTINGS: Final = [
    _key("escape,backspace", "back", "back", "Clear the filter, then leave", "settings.back", show=True, display="esc"),
    _key("tab,right_square_bracket", "tab(1)", "tab", "The next tab", "settings.tab", show=True, display="tab"),
    _key(
        "shift+tab,left_square_bracket", "tab(-1)", "last tab", "The tab before", "settings.tab_before", display="⇧tab"
    ),
    *(
        _key(str(number), f"tab_number({number})", f"tab {number}", f"Tab number {number}", f"settings.tab_{number}")
        for number in range(1, 9)
    ),
    _key(
        "enter,right,l",
        "change(1)",
        "change",
        "Change what the cursor is on",
        "settings.change",
        show=True,
        display="⏎",
    ),
    _key("left,h", "change(-1)", "change back", "Change it to the value before", "settings.change_back", display="← h"),
    _key("n", "new", "new", "A new API token or user", "settings.new", show=True),
    _key("w", "password", "password", "Give this user another password", "settings.password", show=True),
    _key(
        "d,delete",
        "delete",
        "delete",
        "End, revoke or delete it; asks first",
        "settings.delete",
        show=True,
        display="d",
    ),
    _key("r", "reload", "reload", "Ask the hub again", "settings.reload"),
]

BOX_FORM: Final = [
    _key("escape", "cancel", "cancel", "Leave it as it was", "box.cancel", show=True, display="esc"),
    _key("down", "app.focus_next", "next", "The next field", "box.next", display="↓ tab"),
    _key("up", "app.focus_previous", "before", "The field before", "box.before", display="↑ ⇧tab"),
]

BOX_CHOICE: Final = [
    _key("right,space,l", "turn(1)", "next", "The next value", "value.next", show=True, display="→"),
    _key("left,h", "turn(-1)", "before", "The value before", "value.before", display="←"),
    _key("enter", "done", "done", "Take this value", "value.done", show=True, display="⏎"),
]

SECRET: Final = [
    _key("y", "copy", "copy", "Copy it", "secret.copy", show=True),
    _key("escape,enter,q", "close", "close", "Done; it is not shown again", "secret.close", show=True, display="esc"),
]

ALERTS: Final = [
    _key(
        "escape,backspace", "back", "back", "Clear marks, then the filter, then leave", "alerts.back", show=True,
        display="esc",
    ),
    _key("right_square_bracket,tab", "tab(1)", "tab", "The next tab", "alerts.tab", show=True, display="tab"),
    _key("left_square_bracket,shift+tab", "tab(-1)", "last tab", "The tab before", "alerts.tab_before", display="⇧tab"),
    *(
        _key(str(number), f"tab_number({number})", f"tab {number}", f"Tab number {number}", f"alerts.tab_{number}")
        for number in range(1, 6)
    ),
    _key("enter,right,l", "open", "open", "Open the system, or what the line is about", "alerts.open", show=True,
         display="⏎"),
    _key("x", "acknowledge", "acknowledge", "Say that somebody looks after the marked alerts or this one",
         "alerts.acknowledge", show=True),
    _key("z", "snooze", "snooze", "Hear nothing of it for a while", "alerts.snooze", show=True),
    _key("space", "mark", "mark", "Mark an alert that fires, or take the mark off", "alerts.mark", show=True,
         display="space"),
    _key("n", "new", "new", "Make a rule, quiet hours or a channel", "alerts.new", show=True),
    _key("N", "new_set", "sets", "Make the rules of a set that the hub has ready", "alerts.sets"),
    _key("e", "edit", "edit", "Change what the line says", "alerts.edit", show=True),
    _key("o", "turn", "on/off", "Turn a rule or a channel on or off", "alerts.turn", show=True),
    _key("t", "try", "test", "Try a rule on the past of a system, or a channel by a message", "alerts.try",
         show=True),
    _key("D,delete", "delete", "delete", "Delete what the line says, after a question", "alerts.delete", show=True,
         display="D"),
    _key("a", "all", "all/one", "Of all systems, or of the one that was looked at", "alerts.all"),
]  # fmt: skip

FORM: Final = [
    _key("escape", "cancel", "leave", "Leave; nothing is changed", "form.leave", show=True, display="esc"),
    _key("ctrl+s", "save", "save", "Send it to the hub", "form.save", show=True, display="^s"),
    _key("down,tab", "step(1)", "next", "The next field", "form.next", display="↓ tab"),
    _key("up,shift+tab", "step(-1)", "before", "The field before", "form.before", display="↑ ⇧tab"),
]

CHOICE: Final = [
    _key("right,space,l", "choose(1)", "next", "The next value", "choice.next", display="→ space"),
    _key("left,h", "choose(-1)", "before", "The value before", "choice.before", display="←"),
    _key("enter", "done", "done", "On to the next field; from the last one to the hub", "choice.done", display="⏎"),
]

QUESTION: Final = [
    _key("y,enter", "agree", "yes", "Do it", "question.yes", show=True, display="y"),
    _key("escape,n,q", "cancel", "no", "Leave everything as it is", "question.no", show=True, display="esc"),
]

FILTER: Final = [
    _key(
        "escape",
        "cancel",
        "clear",
        "Clear the filter and go back to the table",
        "filter.clear",
        show=True,
        display="esc",
    ),
    _key("enter,down", "done", "done", "Keep the filter and go to the table", "filter.done", show=True, display="⏎"),
]

COMMAND: Final = [
    _key("escape", "cancel", "cancel", "Close the command line", "command.cancel", show=True, display="esc"),
]

GROUPS: Final = {
    "This table": TABLE,
    "A system's line": SYSTEM_LINES,
    "A system's card": CARDS,
    "A container's line": CONTAINER_LINES,
    "Fleet": FLEET,
    "System": SYSTEM,
    "Time": TIME,
    "A system's tables": SHEET,
    "Containers": CONTAINERS,
    "This text": PANE,
    "Logs and configuration": READER,
    "Logs": LOGS,
    "A service or disk": DETAIL,
    "Add a system": ENROLMENT,
    "Name of a new system": ENROLMENT_NAME,
    "Settings": SETTINGS,
    "A small form": BOX_FORM,
    "A choice in a small form": BOX_CHOICE,
    "A new token": SECRET,
    "Search line": SEARCH,
    "Themes": THEMES,
    "Alerts": ALERTS,
    "A form": FORM,
    "A choice in a form": CHOICE,
    "A question": QUESTION,
    "Filter line": FILTER,
    "Everywhere": APP,
}
"""For the help page and the test that holds every binding to the rule above."""


def key_lines(keymap: Mapping[str, str]) -> list[KeyLine]:
    """Every binding by its id, with the keys that `keymap` gives it in place of its own."""
    bindings = [binding for group in GROUPS.values() for binding in group if binding.id]
    return [
        KeyLine(
            str(binding.id), keymap.get(str(binding.id)) or binding.key_display or binding.key, binding.tooltip,
            str(binding.id) in keymap,
        )
        for binding in bindings
    ]  # fmt: skip


def keymap_problems(keymap: Mapping[str, str]) -> list[str]:
    """A sentence for each line of a keymap that does nothing."""
    known = {binding.id for group in GROUPS.values() for binding in group}
    problems: list[str] = []
    for name, keys in keymap.items():
        if name not in known:
            problems.append(f"no key is called {name!r} in the config file's [keys]; the settings list them")
        elif not keys.strip():
            problems.append(f"{name!r} has no keys in the config file's [keys]")
    return problems
