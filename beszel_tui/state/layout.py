"""How many charts stand side by side, and how high they are."""

from typing import Final, NamedTuple

_LEAST_WIDTH: Final = 44
"""Below this a chart's legend and axis leave too little of the curve."""
_LEAST_HEIGHT: Final = 8
_MOST_HEIGHT: Final = 16
_LEAST_CHART_LINES: Final = 6
_LEAST_TABLE_LINES: Final = 4


class Grid(NamedTuple):
    columns: int
    row_height: int
    is_tight: bool
    """No blank lines between rows: height is dear."""


def lay_out(charts: int, width: int, height: int) -> Grid:
    """The grid for `charts` charts in `width` × `height` cells; what does not fit is scrolled to."""
    if charts <= 1:
        return Grid(1, max(_LEAST_HEIGHT - 3, height - 1), is_tight=height < 20)
    columns = 1 if width < 2 * _LEAST_WIDTH else (3 if width >= 5 * _LEAST_WIDTH and charts > 4 else 2)
    rows = -(-charts // columns)
    is_tight = height < 20
    gap = 0 if is_tight else 1
    visible = max(1, min(rows, (height + gap) // (_LEAST_HEIGHT + gap)))
    row_height = (height - gap * visible) // visible if not is_tight else height // visible
    return Grid(columns, max(_LEAST_HEIGHT - 2, min(_MOST_HEIGHT, row_height)), is_tight)


def table_height(wanted: int, room: int) -> int:
    """Of a table above charts: as high as it needs, up to half of the lines there are for both."""
    most = max(_LEAST_TABLE_LINES, min(room // 2, room - _LEAST_CHART_LINES))
    return max(_LEAST_TABLE_LINES, min(wanted, most))
