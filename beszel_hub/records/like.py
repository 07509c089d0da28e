"""The patterns of `~`: part of the text, or the whole of it with `%` for anything and `_` for one character.

Letters of ASCII match whatever their case, as `LIKE` in SQLite has it. A backslash takes `%`, `_` and itself literally.
"""

import enum
from typing import Final, TypeAlias


class Wildcard(enum.Enum):
    ANY = enum.auto()
    ONE = enum.auto()


Pattern: TypeAlias = tuple[str | Wildcard, ...]
"""Single lower-case characters and wildcards."""

_SPECIAL: Final = "%_\\"
_LOWER: Final = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


def lower_ascii(text: str) -> str:
    return text.translate(_LOWER)


def parse_pattern(text: str) -> Pattern:
    """A text without `%` is looked for anywhere, and then `_` is only a character."""
    tokens: list[str | Wildcard] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and text[position + 1 : position + 2] in {"%", "_", "\\"}:
            position += 1
            tokens.append(text[position])
        elif character == "%":
            tokens.append(Wildcard.ANY)
        elif character == "_":
            tokens.append(Wildcard.ONE)
        else:
            tokens.append(lower_ascii(character))
        position += 1
    if Wildcard.ANY in tokens:
        return tuple(tokens)
    return (Wildcard.ANY, *("_" if token is Wildcard.ONE else token for token in tokens), Wildcard.ANY)


def to_sql(pattern: Pattern) -> str:
    """For a `LIKE` whose escape character is the backslash."""
    return "".join(_token_to_sql(token) for token in pattern)


def matches(pattern: Pattern, text: str) -> bool:
    """Whether all of `text` fits; takes time proportional to both lengths whatever the pattern."""
    text = lower_ascii(text)
    position = index = 0
    star = -1
    resume = 0
    while position < len(text):
        token = pattern[index] if index < len(pattern) else None
        if token is Wildcard.ANY:
            star, resume = index, position
            index += 1
        elif token is Wildcard.ONE or token == text[position]:
            index += 1
            position += 1
        elif star >= 0:
            # The last `%` takes one character more; earlier ones never need to.
            resume += 1
            index, position = star + 1, resume
        else:
            return False
    return all(token is Wildcard.ANY for token in pattern[index:])


def _token_to_sql(token: str | Wildcard) -> str:
    if token is Wildcard.ANY:
        return "%"
    if token is Wildcard.ONE:
        return "_"
    return f"\\{token}" if token in _SPECIAL else str(token)
