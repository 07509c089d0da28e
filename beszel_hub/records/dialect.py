"""What databases spell differently in filters and sort keys: JSON, dates as text, comparison that knows null.

Everything else that filters and sort keys become is the same in SQLite and PostgreSQL.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeAlias

import peewee

from beszel_hub.records.registry import Kind

Sql: TypeAlias = Any
"""A Peewee expression; the library has no annotations."""
Scalar: TypeAlias = str | float | int | bool | None

ITEM: Final = peewee.Entity("item", "value")
"""One item of `items`."""


class Spelling(Protocol):
    """How one kind of database wants it."""

    def is_same(self, left: Sql, right: Sql) -> Sql:
        """Whether two values are equal or both null; never null itself."""

    def differs(self, left: Sql, right: Sql) -> Sql:
        """The opposite."""

    def matches(self, text: Sql, pattern: str, *, is_negated: bool) -> Sql:
        """`LIKE` with the backslash as its escape character, blind to the case of ASCII letters."""

    def contains(self, text: Sql, part: Sql) -> Sql:
        """Whether `part` is in `text`, blind to the case of ASCII letters."""

    def as_text(self, value: Sql, kind: Kind, /) -> Sql:
        """A value of that kind as text, null as null."""

    def date_as_text(self, instant_ms: Sql) -> Sql:
        """PocketBase's form of an instant; an empty text for null."""

    def json_value(self, column: Sql, keys: Sequence[str]) -> Sql:
        """What is at the keys in a JSON column: a scalar, the text of a list or an object, or null."""

    def items(self, column: Sql) -> Sql:
        """The items of a JSON list, as a table with the column `ITEM`."""

    def without_affinity(self, value: Sql) -> Sql:
        """A column's declared type must not turn the other side's text into a number."""

    def mixed(self, value: Sql, kind: Kind, /) -> Sql:
        """A value of that kind to be compared with one of any other: numbers come before texts."""

    def bind(self, value: Scalar) -> Sql:
        """A value as a bound parameter."""

    def bind_mixed(self, value: Scalar) -> Sql:
        """Likewise, to be compared with one of any other type."""

    def selected(self, value: Sql, kind: Kind, /) -> Sql:
        """A value in the form in which it is read."""

    def sort_key(self, value: Sql, *, is_descending: bool) -> Sql:
        """Nothing, numbers, texts, in this order or backwards."""
