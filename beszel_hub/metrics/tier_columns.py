"""The buckets of one series of a tier, column by column, as a chart takes them. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from beszel_hub.metrics.summaries import Number


class Columns(NamedTuple):
    """Those buckets that have readings, as whole numbers of `unit`, and that of `places`.

    `numbers` counts buckets since the epoch. Columns are empty that a series of its kind does not have, or that nobody
    asked for. The sum of a bucket of a gauge is its mean times its count and the rest, without means the rest alone.
    """

    numbers: Sequence[int]
    counts: Sequence[int]
    lows: Sequence[Number]
    highs: Sequence[Number]
    lasts: Sequence[Number]
    means: Sequence[Number]
    rests: Sequence[Number]
    firsts: Sequence[Number]
    gains: Sequence[Number]
    unit: int
    places: int | None
    is_counter: bool

    def totals(self, begin: int = 0, end: int | None = None) -> Sequence[Number]:
        """The sums of the buckets from one position until before another."""
        rests = self.rests[begin:end]
        if not self.means:
            return rests
        parts = zip(self.means[begin:end], self.counts[begin:end], rests, strict=True)
        return [mean * count + rest for mean, count, rest in parts]

    def whole(self) -> "Columns":
        """The same in units of 1."""
        if self.unit == 1:
            return self
        lows, highs, lasts, means, rests, firsts, gains = (
            [number * self.unit for number in column] for column in self[2:9]
        )
        return self._replace(
            lows=lows, highs=highs, lasts=lasts, means=means, rests=rests, firsts=firsts, gains=gains, unit=1
        )


def join_columns(parts: Iterable[Columns]) -> list[Columns]:
    """Stretches of one series in the order of time, those as one that have a unit in common and do not overlap."""
    groups: list[list[Columns]] = []
    for part in parts:
        if part.numbers and groups and _continues(part, groups[-1][-1]):
            groups[-1].append(part)
        elif part.numbers:
            groups.append([part])
    return [group[0] if len(group) == 1 else _end_to_end(group) for group in groups]


def _continues(part: Columns, before: Columns) -> bool:
    return part.numbers[0] > before.numbers[-1] and part[9:] == before[9:]


def _end_to_end(parts: Sequence[Columns]) -> Columns:
    numbers: Sequence[int] = range(parts[0].numbers[0], parts[-1].numbers[-1] + 1)
    if len(numbers) != sum(len(part.numbers) for part in parts):  # there are gaps
        numbers = _joined(part.numbers for part in parts)
    counts, lows, highs, lasts, means, rests, firsts, gains = (
        _joined(stretches) for stretches in zip(*(part[1:9] for part in parts), strict=True)
    )
    return Columns(numbers, counts, lows, highs, lasts, means, rests, firsts, gains, *parts[0][9:])


def _joined(stretches: Iterable[Sequence[Any]]) -> list[Any]:
    joined: list[Any] = []
    for stretch in stretches:
        joined += stretch
    return joined
