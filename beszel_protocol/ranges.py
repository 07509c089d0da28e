"""Sets of sequences as sorted, disjoint, closed ranges: what a hub has stored of a spool."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from beszel_protocol.messages import Range


class SequenceRanges:
    """A growing set of sequences. Sequences arrive nearly in order, so there are few ranges."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in sorted(ranges):
            self.add_range(first, last)

    def __contains__(self, sequence: int) -> bool:
        index = bisect_right(self._firsts, sequence) - 1
        return index >= 0 and sequence <= self._lasts[index]

    def __iter__(self) -> Iterator[Range]:
        return zip(self._firsts, self._lasts, strict=True)

    def __len__(self) -> int:
        """How many ranges."""
        return len(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SequenceRanges) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"SequenceRanges({list(self)})"

    def add(self, sequence: int) -> None:
        self.add_range(sequence, sequence)

    def add_range(self, first: int, last: int) -> None:
        """Raise ValueError if the range is empty."""
        if last < first:
            raise ValueError(f"an empty range: {first}-{last}")
        start = bisect_right(self._firsts, first)
        if start > 0 and self._lasts[start - 1] >= first - 1:
            start -= 1
            first = self._firsts[start]
        end = start
        while end < len(self._firsts) and self._firsts[end] <= last + 1:
            last = max(last, self._lasts[end])
            end += 1
        self._firsts[start:end] = [first]
        self._lasts[start:end] = [last]

    def newest(self, limit: int) -> list[Range]:
        """The `limit` ranges with the highest sequences, in order."""
        return list(zip(self._firsts[-limit:], self._lasts[-limit:], strict=True))

    def missing_between(self, first: int, last: int) -> Iterator[Range]:
        """The runs within `first`-`last` that are not in the set."""
        position = first
        for start, end in self:
            if end < position:
                continue
            if start > last:
                break
            if start > position:
                yield position, start - 1
            position = end + 1
        if position <= last:
            yield position, last
