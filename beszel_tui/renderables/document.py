"""A JSON document as lines with its keys, texts and numbers told apart."""

import re
from collections.abc import Iterator
from typing import Final

from rich.style import Style

from beszel_protocol.colours import expand_tabs
from beszel_tui.renderables.palette import Palette
from beszel_tui.renderables.pane_line import PaneLine
from beszel_tui.renderables.text import Piece
from beszel_tui.state.cells import shown_text

MAX_LINES: Final = 20_000
_MAX_LENGTH: Final = 16 << 10

_TOKEN: Final = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>true|false|null)|(?P<number>-?\d[\d.eE+-]*)'
)


def document_lines(text: str, palette: Palette) -> list[PaneLine]:
    """The first `MAX_LINES` lines of indented JSON."""
    return [_line(line, palette) for line in text.split("\n", MAX_LINES)[:MAX_LINES]]


def _line(raw: str, palette: Palette) -> PaneLine:
    text = shown_text(expand_tabs(raw[:_MAX_LENGTH]), 8 * _MAX_LENGTH)
    return PaneLine(text, tuple(_pieces(text, palette)), ("", palette.text))


def _pieces(text: str, palette: Palette) -> Iterator[Piece]:
    styles: dict[str, Style] = {
        "key": palette.key, "text": palette.text, "word": palette.level["good"], "number": palette.spark["good"],
    }  # fmt: skip
    position = 0
    for match in _TOKEN.finditer(text):
        if match.start() > position:
            yield text[position : match.start()], palette.faint
        yield match.group(), styles[match.lastgroup or "text"]
        position = match.end()
    if position < len(text):
        yield text[position:], palette.faint
