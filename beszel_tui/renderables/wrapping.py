"""Long lines broken into rows of a terminal. Pure."""

from rich.cells import cell_len

Row = tuple[int, int]
"""Of one line: the characters from the first to the one before the second."""


def wrap(text: str, width: int) -> list[Row]:
    """At least one row; each at most `width` cells wide, unless a single character is wider."""
    if width <= 0 or (len(text) <= width and cell_len(text) <= width):
        return [(0, len(text))]
    if text.isascii():
        return [(start, min(len(text), start + width)) for start in range(0, len(text), width)]
    rows: list[Row] = []
    start = cells = 0
    for index, character in enumerate(text):
        wide = cell_len(character)
        if cells + wide > width and index > start:
            rows.append((start, index))
            start, cells = index, 0
        cells += wide
    rows.append((start, len(text)))
    return rows


def wrap_words(text: str, width: int) -> list[Row]:
    """As `wrap`, broken at blanks, which are then in no row; within a word only if it is longer than a row."""
    rows: list[Row] = []
    start = 0
    while True:
        end = start + wrap(text[start:], width)[0][1]
        if end == len(text):
            return [*rows, (start, end)]
        blank = text.rfind(" ", start + 1, end + 1)
        rows.append((start, end if blank == -1 else blank))
        start = end if blank == -1 else blank + 1
