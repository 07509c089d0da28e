"""The columns of the fleet table: what each tells, how wide it may be, and which go first when space is short.

Other tables lay out their own columns by the same rule.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from beszel_tui.state.numbers import NUMBERS

Align: TypeAlias = Literal["left", "right"]
GAP: Final = 2
"""Blank cells between two columns."""


class Column(NamedTuple):
    """Of a table whose rows `number` reads."""

    key: str
    title: str
    short: str
    """The title where the column is narrow."""
    number: Callable[[Any], float | None] | None = None
    """What it sorts by; None: by the text."""
    align: Align = "left"


class Placed(NamedTuple):
    """A column with its place in a row."""

    column: Column
    x: int
    width: int


COLUMNS: Final[tuple[Column, ...]] = (
    Column("name", "NAME", "NAME"),
    Column("cpu", "CPU", "CPU", NUMBERS["cpu"].read),
    Column("memory", "MEMORY", "MEM", NUMBERS["mem"].read),
    Column("disk", "DISK", "DISK", NUMBERS["disk"].read),
    Column("network", "NET ↓/↑", "NET ↓/↑", NUMBERS["net"].read),
    Column("load", "LOAD", "LOAD", NUMBERS["load"].read, "right"),
    Column("temperature", "TEMP", "TEMP", NUMBERS["temp"].read, "right"),
    Column("services", "SVC", "SVC", NUMBERS["failed"].read, "right"),
    Column("uptime", "UP", "UP", NUMBERS["uptime"].read, "right"),
    Column("tags", "TAGS", "TAGS"),
    Column("agent", "AGENT", "AGENT"),
)
HUB: Final = Column("hub", "HUB", "HUB")
"""Where there are several."""
BY_KEY: Final = {column.key: column for column in (*COLUMNS, HUB)}
CLAIMS: Final[tuple[tuple[str, int], ...]] = (
    ("name", 14), ("cpu", 6), ("memory", 5), ("disk", 5), ("network", 13), ("load", 5), ("cpu", 15), ("uptime", 4),
    ("temperature", 5), ("memory", 12), ("disk", 12), ("services", 6), ("name", 20), ("cpu", 20), ("tags", 10),
    ("memory", 15), ("disk", 15), ("agent", 7), ("name", 26), ("cpu", 40), ("memory", 20), ("disk", 20), ("tags", 16),
    ("network", 15),
)  # fmt: skip
"""Who is served first: the width that a column would like next, the most important claim in front."""

COLUMNS_OF_HUBS: Final = (COLUMNS[0], HUB, *COLUMNS[1:])
CLAIMS_OF_HUBS: Final = (*CLAIMS[:2], ("hub", 6), *CLAIMS[2:9], ("hub", 10), *CLAIMS[9:], ("hub", 16))


def fold(width: int, columns: Sequence[Column] = COLUMNS, claims: Sequence[tuple[str, int]] = CLAIMS) -> list[Placed]:
    """Lay out what fits into `width` cells, in the order of `columns`.

    A column appears with its first claim, if that fits as a whole; later claims widen it as far as there is room. The
    first column is there whatever the width.
    """
    widths: dict[str, int] = {claims[0][0]: min(claims[0][1], max(1, width))}
    spare = width - sum(widths.values())
    is_full = False
    for key, wanted in claims[1:]:
        if key in widths:
            more = max(0, min(spare, wanted - widths[key]))
            widths[key] += more
            spare -= more
        elif GAP + wanted <= spare and not is_full:
            widths[key] = wanted
            spare -= GAP + wanted
        else:
            is_full = True  # a less important column that is small enough does not overtake this one
    placed: list[Placed] = []
    x = 0
    for column in columns:
        if column.key in widths:
            placed.append(Placed(column, x, widths[column.key]))
            x += widths[column.key] + GAP
    return placed
