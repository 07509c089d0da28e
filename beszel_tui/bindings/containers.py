"""The keys of the containers."""

from typing import Final

from beszel_tui.bindings.key import key

CONTAINERS: Final = [
    key(
        "escape,backspace", "back", "back", "Clear the filter, then leave", "containers.back", show=True, display="esc"
    ),
    key("i", "inspect", "inspect", "How the container is configured", "containers.inspect", show=True),
    key(
        "slash",
        "filter",
        "filter",
        "Show only what matches: words, cpu>20, system:web, exited, !healthy, /regex/",
        "containers.filter",
        show=True,
        display="/",
    ),
    key("s", "sort_next", "sort", "Sort by the next column", "containers.sort", show=True),
    key("S", "sort_reverse", "reverse", "Turn the order round", "containers.reverse"),
    key("o", "open_system", "system", "Open the system it runs on", "containers.system", show=True),
    key("y", "copy", "copy", "Copy the container's name", "containers.copy"),
]

CONTAINER_LINES: Final = [
    key("enter,right,l", "choose", "logs", "What the container writes", "container.logs", show=True, display="⏎ l"),
]
