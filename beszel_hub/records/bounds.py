"""What a filter demands of single fields whatever else it says: enough to read only a part of the history."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Every matching row lies within; a row within need not match.

    A field that is in none of the three is not bounded. Dates are milliseconds since the epoch.
    """

    among: Mapping[str, frozenset[str | float | int | bool | None]] = {}
    """The only values that the field can have."""
    at_least: Mapping[str, float] = {}
    at_most: Mapping[str, float] = {}

    def texts(self, name: str, every: frozenset[str]) -> frozenset[str]:
        """Those of `every` text that the field can have."""
        values = self.among.get(name)
        return every if values is None else every & {value for value in values if isinstance(value, str)}

    def lowest(self, names: Iterable[str]) -> float | None:
        """What fields that mean the same must reach; None without a bound."""
        return max((self.at_least[name] for name in names if name in self.at_least), default=None)

    def highest(self, names: Iterable[str]) -> float | None:
        """What fields that mean the same may not exceed; None without a bound."""
        return min((self.at_most[name] for name in names if name in self.at_most), default=None)

    def intersect(self, other: "Bounds") -> "Bounds":
        """What both demand."""
        among = dict(self.among)
        for name, values in other.among.items():
            among[name] = among[name] & values if name in among else values
        at_least = dict(self.at_least)
        for name, value in other.at_least.items():
            at_least[name] = max(value, at_least.get(name, value))
        at_most = dict(self.at_most)
        for name, value in other.at_most.items():
            at_most[name] = min(value, at_most.get(name, value))
        return Bounds(among=among, at_least=at_least, at_most=at_most)

    def union(self, other: "Bounds") -> "Bounds":
        """What is demanded if either holds."""
        return Bounds(
            among={name: values | other.among[name] for name, values in self.among.items() if name in other.among},
            at_least={
                name: min(value, other.at_least[name])
                for name, value in self.at_least.items()
                if name in other.at_least
            },
            at_most={
                name: max(value, other.at_most[name]) for name, value in self.at_most.items() if name in other.at_most
            },
        )


UNBOUNDED: Final = Bounds()
