"""All series of some members of a sample over a grid, to be looked up by pattern and key. Pure.

What collections in the shapes of others are made from: one sheet gives a row a bucket.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from beszel_hub.metrics.buckets import Aggregate, Grid
from beszel_hub.metrics.summaries import Bucket
from beszel_protocol.addresses import parse_address

Keys: TypeAlias = tuple[str, ...]


class Sheet:
    def __init__(self, grid: Grid, aggregates: Mapping[str, Aggregate]) -> None:
        self.grid = grid
        self._columns: dict[str, dict[Keys, Aggregate]] = {}
        for text, aggregate in aggregates.items():
            address = parse_address(text)
            keys = tuple(step.key for step in address if step.key is not None)
            self._columns.setdefault(address.pattern, {})[keys] = aggregate

    def keys(self, prefix: str) -> list[str]:
        """The first keys of the series whose patterns begin so: the disks for `disk[]`."""
        found = (
            keys[0] for pattern, columns in self._columns.items() if pattern.startswith(prefix) for keys in columns
        )
        return sorted(dict.fromkeys(found))

    def page(self, index: int) -> "Page":
        return Page(self, index)

    def find(self, pattern: str, keys: Keys) -> Aggregate | None:
        return self._columns.get(pattern, {}).get(keys)

    def find_all(self, pattern: str) -> Iterable[tuple[Keys, Aggregate]]:
        return self._columns.get(pattern, {}).items()


class Page:
    """One bucket of a sheet. What was not read in it is None."""

    def __init__(self, sheet: Sheet, index: int) -> None:
        self._sheet = sheet
        self._index = index

    def main(self, pattern: str, *keys: str) -> float | None:
        """What the series' declaration has for an interval: for most the mean."""
        aggregate = self._sheet.find(pattern, keys)
        return None if aggregate is None else aggregate.main_at(self._index)

    def high(self, pattern: str, *keys: str) -> float | None:
        bucket = self.bucket(pattern, *keys)
        return None if bucket is None else bucket.high

    def bucket(self, pattern: str, *keys: str) -> Bucket | None:
        aggregate = self._sheet.find(pattern, keys)
        found = None if aggregate is None else aggregate.bucket_at(self._index)
        return found if found is not None and found.readings else None

    def by_key(
        self, pattern: str, *before: str, make: Callable[[float], float] = lambda value: value
    ) -> dict[str, float]:
        """The main values of all series of a pattern by their last key, those that were read."""
        found = {}
        for keys, aggregate in self._sheet.find_all(pattern):
            value = aggregate.main_at(self._index) if keys[:-1] == before else None
            if value is not None:
                found[keys[-1]] = make(value)
        return dict(sorted(found.items()))

    def by_position(self, pattern: str) -> list[float | None]:
        """Likewise of a list, by position."""
        found = self.by_key(pattern)
        return [found.get(str(position)) for position in range(1 + max(map(int, found), default=-1))]
