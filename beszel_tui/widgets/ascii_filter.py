"""For terminals that have only ASCII: what stands in place of other characters, after a widget has drawn."""

from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LOOK_ALIKES: Final = {
    ord(character): like
    for characters, like in (
        ("╭╮╰╯┌┐└┘├┤┬┴┼", "+"), ("─━═╸╺▔–—", "-"), ("│┃║▌▏▕", "|"), ("▁", "_"), ("▂▃▄▅▆▇█", "#"), ("↑▲⇧", "^"),
        ("↓▼", "v"), ("←‹⏎", "<"), ("→›❯", ">"), ("…", "~"), ("·", "."), ("•●", "*"), ("×", "x"), ("°", " "),
        ("⚠", "!"), ("’", "'"), ("“”", '"'),
    )
    for character in characters
}  # fmt: skip
_KEYS: Final = {
    "⏎": "enter", "←→": "left right", "↑": "up", "↓": "down", "←": "left", "→": "right", "⇧": "shift+",
}  # fmt: skip


class AsciiFilter(LineFilter):
    """As many characters as there were cells; what looks like nothing in ASCII is `?`."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        if all(text.isascii() for text, _, _ in segments):
            return segments
        return [Segment(_in_ascii(text), style, control) for text, style, control in segments]


def key_in_words(caption: str) -> str:
    """A key as footer and help call it, where there are no signs for it."""
    for sign, word in _KEYS.items():
        caption = caption.replace(sign, word)
    return caption


def _in_ascii(text: str) -> str:
    if text.isascii():
        return text
    translated = text.translate(_LOOK_ALIKES)
    return "".join(one if one.isascii() else "?" * cell_len(one) for one in translated)
