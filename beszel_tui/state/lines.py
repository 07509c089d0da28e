"""The lines of a table, made when they are looked at: of a thousand only those on the screen."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

RowT = TypeVar("RowT")
LineT = TypeVar("LineT")


class LazyLines(Sequence[LineT], Generic[RowT, LineT]):
    """As many lines as `rows`; each is made once."""

    def __init__(self, rows: Sequence[RowT], make: Callable[[RowT], LineT]) -> None:
        self._rows = rows
        self._make = make
        self._made: dict[int, LineT] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> LineT: ...

    @overload
    def __getitem__(self, index: slice) -> list[LineT]: ...

    def __getitem__(self, index: int | slice) -> LineT | list[LineT]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if index not in self._made:
            self._made[index] = self._make(self._rows[index])
        return self._made[index]
