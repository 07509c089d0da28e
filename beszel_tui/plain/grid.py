"""Lines of cells in columns, for pipes and screen readers as for eyes."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size


def in_columns(lines: Sequence[Sequence[str]]) -> str:
    """Each column as wide as its widest cell, two blanks apart; the lines have equally many cells."""
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )
