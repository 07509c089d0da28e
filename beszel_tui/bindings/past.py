"""The keys that go through the past, on the fleet and on one system."""

from typing import Final

from textual.binding import Binding

from beszel_tui.bindings.key import key

TIME: Final = [
    key("P", "hold", "hold", "Hold this moment; again: go on from it", "time.hold"),
    key("less_than_sign", "step(-10)", "earlier", "Ten seconds back in time", "time.back", display="<"),
    key("greater_than_sign", "step(10)", "later", "Ten seconds on", "time.on", display=">"),
    key("left_curly_bracket", "step(-300)", "5m back", "Five minutes back in time", "time.far_back", display="{"),
    key("right_curly_bracket", "step(300)", "5m on", "Five minutes on", "time.far_on", display="}"),
    key("x", "speed", "speed", "Go through the past at 1, 10 or 60 seconds a second", "time.speed"),
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
