"""Text of which every terminal thinks that it is equally wide.

Newer terminals draw several characters as one picture: emoji that are joined, have a colour of skin, or make up a flag.
Others draw each by itself, and whoever counts the one where the terminal does the other has lines that break. Here each
character stands by itself, so that the width of a text is the sum of those of its characters, whoever counts.
"""

import re
from typing import Final

from beszel_protocol.hygiene import MAX_TEXT_LENGTH, clean_text

_UNSTEADY: Final = re.compile("[\u200d\u20e3\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|([\U0001f1e6-\U0001f1ff])")
"""What joins characters or changes the one before it; and the letters of flags."""
_FIRST_LETTER: Final = 0x1F1E6


def steady(text: str) -> str:
    """`text` in which no character changes the width of another: flags as their letters, emoji each by itself."""
    if text.isascii() or _UNSTEADY.search(text) is None:
        return text
    return _UNSTEADY.sub(_alone, text)


def shown_text(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """`text` as a terminal may be given it: clean, steady, and cut to `limit` characters."""
    return steady(clean_text(text, limit))


def _alone(match: re.Match[str]) -> str:
    return chr(ord(match[1]) - _FIRST_LETTER + ord("A")) if match[1] else ""
