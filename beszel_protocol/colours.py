"""Colours in text that a program wrote for a terminal: kept apart, and nothing else of what a terminal would obey.

Of escape sequences only SGR ("select graphic rendition", ECMA-48 8.3.117) has a meaning here. Whatever else a terminal
would act on, complete or cut off, is taken out together with its parameters.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from beszel_protocol.hygiene import clean_text

TAB_CELLS: Final = 8
_MAX_PARAMETERS: Final = 32

_SEQUENCE: Final = re.compile(
    r"""
      (?:\x1b\[|\x9b) (?P<parameters>[0-?]*) [ -/]* (?P<final>[@-~])?   # CSI
    | (?:\x1b[\]P^_X]|[\x9d\x90\x9e\x9f\x98]) [^\x07\x1b\x9c]* (?:\x07|\x1b\\|\x9c)?   # OSC, DCS, PM, APC, SOS
    | \x1b [ -/]* [0-~]?                                                # anything shorter
    """,
    re.VERBOSE,
)
_SGR: Final = re.compile(r"[0-9;:]*", re.ASCII)
_ATTRIBUTES: Final = frozenset({1, 2, 3, 4, 7, 9})
"""Bold, dim, italic, underlined, reversed, struck through; what blinks or hides is not wanted."""
_COLOURS: Final = {3: 39, 9: 39, 4: 49, 10: 49}
"""Foreground and background by the tens of their parameters, as the parameter that ends them."""
_ENDS: Final[dict[int, tuple[int, ...]]] = {
    22: (1, 2), 23: (3,), 24: (4,), 27: (7,), 29: (9,), 39: (39,), 49: (49,),
}  # fmt: skip


class Stretch(NamedTuple):
    """Text that looks alike."""

    text: str
    codes: tuple[int, ...]
    """SGR parameters in force: of attributes 1 2 3 4 7 9, of colours 30-37, 90-97, 38;5;n, 38;2;r;g;b and the same for
    the background."""


def keep_colours(text: str, limit: int) -> str:
    """Printable text and tabulators, with colour sequences in a canonical form; at most `limit` characters of text."""
    parts: list[str] = []
    codes: tuple[int, ...] = ()
    for stretch in stretches(text, limit):
        if stretch.codes != codes:
            codes = stretch.codes
            parts.append("\x1b[" + ";".join(str(code) for code in (0, *codes)) + "m" if codes else "\x1b[m")
        parts.append(stretch.text)
    return "".join(parts)


def strip_colours(text: str, limit: int) -> str:
    """Printable text and tabulators only."""
    return "".join(stretch.text for stretch in stretches(text, limit))


def stretches(text: str, limit: int) -> Iterator[Stretch]:
    """`text` cut where its colours change; at most `limit` characters in all."""
    codes: tuple[int, ...] = ()
    position = 0
    for match in _SEQUENCE.finditer(text):
        piece = _printable(text[position : match.start()], limit)
        limit -= len(piece)
        position = match.end()
        if piece:
            yield Stretch(piece, codes)
        if match["final"] == "m" and _SGR.fullmatch(match["parameters"]):
            codes = _apply(codes, match["parameters"])
    piece = _printable(text[position:], limit)
    if piece:
        yield Stretch(piece, codes)


def expand_tabs(text: str, column: int = 0) -> str:
    """`text` with blanks for tabulators, beginning at a column of its line; characters count as one cell."""
    if "\t" not in text:
        return text
    return (" " * column + text).expandtabs(TAB_CELLS)[column:]


def _printable(text: str, limit: int) -> str:
    if text.isprintable():
        return text[: max(0, limit)]
    return "\t".join(clean_text(part, len(part)) for part in text[: max(0, limit)].split("\t"))


def _apply(codes: tuple[int, ...], parameters: str) -> tuple[int, ...]:
    """The codes in force after a sequence: a later colour takes the place of an earlier one."""
    numbers = [int(part) if part and len(part) <= 3 else 0 for part in parameters.replace(":", ";").split(";")]
    if len(numbers) > _MAX_PARAMETERS:
        return codes
    in_force = _by_slot(codes)
    _change(in_force, numbers)
    return tuple(code for slot in sorted(in_force) for code in in_force[slot])


def _by_slot(codes: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    in_force: dict[int, tuple[int, ...]] = {}
    _change(in_force, list(codes))
    return in_force


def _change(in_force: dict[int, tuple[int, ...]], numbers: list[int]) -> None:
    """Carry out SGR parameters; a slot is an attribute's own number, or that which ends a kind of colour."""
    index = 0
    while index < len(numbers):
        number = numbers[index]
        count = 1
        if number == 0:
            in_force.clear()
        elif number in {38, 48, 58}:
            count = {5: 3, 2: 5}.get(numbers[index + 1] if index + 1 < len(numbers) else 0, 2)
            colour = tuple(numbers[index : index + count])
            if len(colour) == count > 2 and number != 58 and max(colour) <= 255:
                in_force[number + 1] = colour
        elif number in _ATTRIBUTES:
            in_force[number] = (number,)
        elif number // 10 in _COLOURS and number % 10 <= 7:
            in_force[_COLOURS[number // 10]] = (number,)
        else:
            for slot in _ENDS.get(number, ()):
                in_force.pop(slot, None)
        index += count
