"""The keys of the alerts: what fires, rules, quiet hours, channels."""

from typing import Final

from beszel_tui.bindings.key import key

ALERTS: Final = [
    key(
        "escape,backspace", "back", "back", "Clear marks, then the filter, then leave", "alerts.back", show=True,
        display="esc",
    ),
    key("right_square_bracket,tab", "tab(1)", "next", "The next tab", "alerts.tab", show=True, display="tab"),
    key("left_square_bracket,shift+tab", "tab(-1)", "last tab", "The tab before", "alerts.tab_before", display="⇧tab"),
    *(
        key(str(number), f"tab_number({number})", f"tab {number}", f"Tab number {number}", f"alerts.tab_{number}")
        for number in range(1, 6)
    ),
    key("enter,right,l", "open", "open", "Open the system, or what the line is about", "alerts.open", show=True,
         display="⏎"),
    key("x", "acknowledge", "acknowledge", "Say that somebody looks after the marked alerts or this one",
         "alerts.acknowledge", show=True),
    key("z", "snooze", "snooze", "Hear nothing of it for a while", "alerts.snooze", show=True),
    key("space", "mark", "mark", "Mark an alert that fires, or take the mark off", "alerts.mark", show=True,
         display="space"),
    key("n", "new", "new", "Make a rule, quiet hours or a channel", "alerts.new", show=True),
    key("N", "new_set", "sets", "Make the rules of a set that the hub has ready", "alerts.sets"),
    key("e", "edit", "edit", "Change what the line says", "alerts.edit", show=True),
    key("o", "turn", "on/off", "Turn a rule or a channel on or off", "alerts.turn", show=True),
    key("t", "try", "test", "Try a rule on the past of a system, or a channel by a message", "alerts.try",
         show=True),
    key("r", "retry", "tell again", "Have told again what channels did not take", "alerts.retry", show=True),
    key("D,delete", "delete", "delete", "Delete what the line says, after a question", "alerts.delete", show=True,
         display="D"),
    key("a", "all", "all/one", "Of all systems, or of the one that was looked at", "alerts.all"),
]  # fmt: skip
