"""How well what somebody typed fits a text. Pure, and linear in the text: names come from hosts, who may mean harm.

(Textual's own matcher tries every combination of places: a name of a hundred letters keeps it busy for seconds.)
"""

from itertools import pairwise
from typing import Final, NamedTuple

MAX_LENGTH: Final = 256
"""Of the text that is looked at."""


class Fit(NamedTuple):
    score: float
    """From 0 to 4; what holds the query in one piece has more than 2."""
    places: tuple[int, ...]
    """Of the characters that were found, ascending."""


def fit_of(query: str, text: str) -> Fit | None:
    """How `text` holds the letters of `query` in their order, whatever their case; None if it does not."""
    sought, letters = _folded(query.strip()), _folded(text[:MAX_LENGTH])
    if not sought:
        return None
    begins = {at for at, (before, letter) in enumerate(pairwise(" " + letters)) if _is_begin(before, letter)}
    start = _piece(letters, sought, begins)
    if start is not None:
        share = len(sought) / len(letters)
        return Fit(2 + (start in begins) + share, tuple(range(start, start + len(sought))))
    places = _scattered(letters, sought)
    if not places:
        return None
    span = places[-1] - places[0] + 1
    return Fit((len(places) / span) + sum(place in begins for place in places) / len(places), tuple(places))


def _is_begin(before: str, letter: str) -> bool:
    return letter.isalnum() and not before.isalnum()


def _folded(text: str) -> str:
    """Small letters, each of which stands where its own stood."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _piece(letters: str, sought: str, begins: set[int]) -> int | None:
    """Where all of it stands in one piece, if possible at the beginning of a word."""
    first = at = letters.find(sought)
    while at != -1:
        if at in begins:
            return at
        at = letters.find(sought, at + 1)
    return None if first == -1 else first


def _scattered(letters: str, sought: str) -> list[int]:
    """The first place where it ends, and from there back the latest letters that make it up."""
    at = -1
    for letter in sought:
        at = letters.find(letter, at + 1)
        if at == -1:
            return []
    places: list[int] = []
    for letter in reversed(sought):
        at = letters.rfind(letter, 0, at + 1)
        places.append(at)
        at -= 1
    return places[::-1]
