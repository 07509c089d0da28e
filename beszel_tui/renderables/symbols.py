"""The characters that drawings are made of: braille, blocks, or nothing beyond ASCII."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from beszel_protocol.feed import SystemStatus


class DotSet(NamedTuple):
    """How dots inside one cell become a character."""

    columns: int
    rows: int
    glyphs: str
    """By the bits of the dots: bit `row * columns + column`, from the upper left."""


class Symbols(NamedTuple):
    name: str
    status: Mapping[SystemStatus, str]
    spark: str
    """From lowest to highest; the highest stays clear of the line above."""
    meter_parts: str
    """A meter's cell from just begun to full."""
    meter_empty: str
    dots: DotSet
    ascending: str
    descending: str
    warning: str
    mark: str
    bar: str
    separator: str
    down_arrow: str
    up_arrow: str
    axis_vertical: str
    axis_tick: str
    cursor_line: str
    legend: str
    absent: str
    ellipsis: str
    locked: str
    unlocked: str
    prompt: str
    more_left: str
    """Beside what goes on out of sight."""
    more_right: str
    frame: str
    """Corners and sides of a card: top left, across, top right, bottom left, bottom right, down."""
    folded: str
    unfolded: str
    branches: tuple[str, str, str, str]
    """Of a tree: a child with siblings after it, the last child, a line that goes past, along to the child."""


_BRAILLE_BITS: Final = (0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80)
_BRAILLE: Final = DotSet(
    2, 4, "".join(chr(0x2800 + sum(_BRAILLE_BITS[i] for i in range(8) if bits >> i & 1)) for bits in range(256))
)
_QUADRANTS: Final = DotSet(2, 2, " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")
_ASCII_DOTS: Final = DotSet(1, 2, " '.:")

_UNICODE: Final = Symbols(
    name="braille",
    status={"up": "●", "down": "▼", "paused": "◌", "pending": "◔"},
    spark="▁▂▃▄▅▆▇",
    meter_parts="╸━",
    meter_empty="─",
    dots=_BRAILLE,
    ascending="▲",
    descending="▼",
    warning="⚠",
    mark="▌",
    bar="▏",
    separator="·",
    down_arrow="↓",
    up_arrow="↑",
    axis_vertical="│",
    axis_tick="┤",
    cursor_line="│",
    legend="━",
    absent="–",
    ellipsis="…",
    locked="encrypted",
    unlocked="⚠ unencrypted",
    prompt="❯",
    more_left="‹",
    more_right="›",
    frame="╭─╮╰╯│",
    folded="▸",
    unfolded="▾",
    branches=("├", "└", "│", "─"),
)
_ASCII: Final = Symbols(
    name="ascii",
    status={"up": "+", "down": "!", "paused": "=", "pending": "?"},
    spark="_.,:-=+#",
    meter_parts="#",
    meter_empty="-",
    dots=_ASCII_DOTS,
    ascending="^",
    descending="v",
    warning="!",
    mark=">",
    bar="|",
    separator="-",
    down_arrow="v",
    up_arrow="^",
    axis_vertical="|",
    axis_tick="+",
    cursor_line="|",
    legend="=",
    absent="-",
    ellipsis="~",
    locked="encrypted",
    unlocked="! unencrypted",
    prompt=">",
    more_left="<",
    more_right=">",
    frame="+-+++|",
    folded=">",
    unfolded="v",
    branches=("|", "`", "|", "-"),
)
SYMBOLS: Final[Mapping[str, Symbols]] = {
    "braille": _UNICODE,
    "block": _UNICODE._replace(name="block", dots=_QUADRANTS),
    "ascii": _ASCII,
}
