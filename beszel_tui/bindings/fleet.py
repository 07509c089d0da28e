"""The keys of all systems, as lines and as cards."""

from typing import Final

from beszel_tui.bindings.key import key

FLEET: Final = [
    key(
        "slash",
        "filter",
        "filter",
        "Show only what matches: words, cpu>80, tag:prod, !paused, /regex/",
        "fleet.filter",
        show=True,
        display="/",
    ),
    key("s", "sort_next", "sort", "Sort by the next column", "fleet.sort", show=True),
    key("S", "sort_reverse", "reverse", "Turn the order round", "fleet.reverse"),
    key("p", "pause", "pause", "Pause the marked systems or this one, or let them go on", "fleet.pause"),
    key("W", "watch", "watch", "Make a rule of alerts for the marked systems, or for this one", "fleet.watch"),
    key("c", "containers", "containers", "The containers of all systems", "fleet.containers", show=True),
    key("v", "layout", "cards", "A card a system, or a line a system", "fleet.layout"),
    key("t", "groups", "groups", "Group by the first tag, or not; ⏎ on a group folds it", "fleet.groups"),
    key("e", "tags", "tags", "Change the tags of the marked systems or this one", "fleet.tags"),
    key("D", "delete", "delete", "Delete the marked systems or this one; asks first", "fleet.delete"),
    key("y", "copy", "copy", "Copy the address of the system", "fleet.copy"),
    key("A", "add", "add", "Add a system: the command lines for its agent", "fleet.add"),
    key("escape", "back", "back", "Clear marks, then the filter", "fleet.back", display="esc"),
]

SYSTEM_LINES: Final = [
    key("enter,right,l", "choose", "open", "Open the system", "table.open", show=True, display="⏎"),
    key(
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
    key("up,k", "card_by(0, -1)", "up", "The card above", "cards.up", display="↑ k"),
    key("down,j", "card_by(0, 1)", "down", "The card below", "cards.down", display="↓ j"),
    key("left,h", "card_by(-1, 0)", "left", "The card to the left", "cards.left", display="← h"),
    key("right,l", "card_by(1, 0)", "right", "The card to the right", "cards.right", display="→ l"),
    key("enter", "choose", "open", "Open the system of the card", "cards.open", show=True, display="⏎"),
]
