"""Queries whose text is made once: of a query that finds a few rows, most is the making of its text."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import peewee

from beszel_hub.store.tables import bound_database, bound_dialect


class _Slot(msgspec.Struct, frozen=True):
    """Stands for the parameter of that number."""

    number: int


class Prepared:
    """A query with parameters; its rows are tuples of values as the database gives them."""

    def __init__(self, parameters: int, make: Callable[..., Any]) -> None:
        """`make` returns a Peewee query that has in it what `make` is called with, as many as there are parameters."""
        self._slots = [peewee.Value(_Slot(number), converter=False) for number in range(parameters)]
        self._make = make
        self._texts: dict[str, tuple[str, list[Any]]] = {}
        """By dialect: the statement, and what goes into it."""

    def rows(self, *values: object) -> Iterator[tuple[Any, ...]]:
        """Values are as the database takes them. Raises `peewee.DatabaseError` as any query would."""
        dialect = bound_dialect().name
        if dialect not in self._texts:
            self._texts[dialect] = self._make(*self._slots).sql()
        statement, places = self._texts[dialect]
        given = [values[place.number] if isinstance(place, _Slot) else place for place in places]
        rows: Iterator[tuple[Any, ...]] = iter(bound_database().execute_sql(statement, given))
        return rows
