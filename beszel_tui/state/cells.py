"""Text of which every terminal thinks that it is equally wide.

Newer terminals draw several characters as one picture: emoji that are joined, have a colour of skin, or make up a flag.
Others draw each by itself, and whoever counts the one where the terminal does the other has lines that break. Here each
character stands by itself, so that the width of a text is the sum of those of its characters, whoever counts.
"""

import re
from typing import Final

from beszel_protocol.hygiene import MAX_TEXT_LENGTH, clean_text

_CHANGERS: Final = "\u0488\u0489\u200d\u20dd-\u20e0\u20e2-\u20e4\ufe0e\ufe0f\U0001f3fb-\U0001f3ff"
"""What joins characters, draws round the one before, or gives it another colour or form."""
_ACCENTS: Final = "\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20dc\u20e1\u20e5-\u20f0\ufe20-\ufe2f"
_UNSTEADY: Final = re.compile(
    f"[{_CHANGERS}]|([\U0001f1e6-\U0001f1ff])|(?<={f'[{_ACCENTS}{_CHANGERS}]' * 3})[{_ACCENTS}]+"
)
"""Besides those the letters of flags; and the fourth accent and more on a letter, which reach into other lines."""
_FIRST_LETTER: Final = 0x1F1E6


def steady(text: str) -> str:
    """`text` in which no character changes the width of another: flags as their letters, emoji each by itself."""
    if text.isascii() or _UNSTEADY.search(text) is None:
        return text
    return _UNSTEADY.sub(_alone, text)


def spelled(text: str) -> str:
    """`text` while it is typed: as long as it is, with a dot for each sign that would change another one."""
    if text.isascii() or _UNSTEADY.search(text) is None:
        return text
    return _UNSTEADY.sub(lambda match: _alone(match) or "·" * len(match[0]), text)


def shown_text(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """`text` as a terminal may be given it: clean, steady, and cut to `limit` characters."""
    return steady(clean_text(text, limit))


def _alone(match: re.Match[str]) -> str:
    return chr(ord(match[1]) - _FIRST_LETTER + ord("A")) if match[1] else ""
