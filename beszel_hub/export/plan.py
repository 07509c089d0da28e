"""What an export has, in which order, and where it goes on."""

from typing import NamedTuple

import msgspec

from beszel_hub.export.selection import Selection


class Source(NamedTuple):
    """A system whose history is exported."""

    system_id: str
    name: str


class Position(NamedTuple):
    """A reading within an export, which goes by system, instant and metric."""

    system_id: str
    instant_ms: int
    metric: str

    def __str__(self) -> str:
        return f"{self.system_id},{self.instant_ms},{self.metric}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`from_ms <= instant < to_ms` of each source."""

    sources: tuple[Source, ...]
    """By system id."""
    from_ms: int
    to_ms: int
    selection: Selection = Selection()
    resolution_seconds: int | None = None
    """None is every sample as it is."""
    after: Position | None = None
    """Only what follows this reading."""


def parse_position(text: str) -> Position:
    """Raise ValueError for anything but `str()` of a position."""
    system_id, comma, rest = text.partition(",")
    instant, second_comma, metric = rest.partition(",")
    if not comma or not second_comma or not metric or not instant.isascii() or not instant.isdecimal():
        raise ValueError("not a position of an export")
    if len(instant) > 15:
        raise ValueError("not an instant")
    return Position(system_id, int(instant), metric)
