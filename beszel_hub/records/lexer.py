"""Tokens of a filter expression."""

import re
from typing import Final, NamedTuple

from beszel_hub.errors import BadRequest

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<join>&&|\|\|)
    | (?P<operator>\?(?:!=|!~|>=|<=|=|~|>|<)|!=|!~|>=|<=|=|~|>|<)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<number>[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?![\w.]))
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<word>[A-Za-z_@][\w.]*)
    """,
    re.ASCII | re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    kind: str
    """One of `join operator open close number text word end`."""
    text: str
    """As written; of a quoted text what is between the quotes."""
    position: int


END: Final = "end"


def tokenize(text: str) -> list[Token]:
    """The tokens with one of kind `end` behind them; raise `BadRequest` for what is none."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadRequest(f"The filter is not understood at character {position + 1}.")
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, _unquote(match[0]) if kind == "text" else match[0], position))
        position = match.end()
    tokens.append(Token(END, "", position))
    return tokens


def _unquote(quoted: str) -> str:
    """Only the quote itself is escaped; other backslashes stay, as `~` has its own use for them."""
    quote = quoted[0]
    return quoted[1:-1].replace(f"\\{quote}", quote)
