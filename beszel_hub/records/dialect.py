"""The SQL that databases spell differently, in one place: JSON, dates as text, comparison that knows null.

Everything else that filters and sort keys become is the same in SQLite and PostgreSQL. This is SQLite's spelling.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import peewee

Sql: TypeAlias = Any
"""A Peewee expression; the library has no annotations."""

ITEM: Final = peewee.Entity("item", "value")
"""One item of `items`."""
_ESCAPE: Final = peewee.SQL("ESCAPE '\\'")


def is_same(left: Sql, right: Sql) -> Sql:
    """Whether two values are equal or both null; never null itself."""
    return peewee.Expression(left, "IS", right)


def differs(left: Sql, right: Sql) -> Sql:
    return peewee.Expression(left, "IS NOT", right)


def matches(text: Sql, pattern: str, *, is_negated: bool) -> Sql:
    """`LIKE` with the backslash as its escape character, blind to the case of ASCII letters."""
    operator = peewee.SQL("NOT LIKE" if is_negated else "LIKE")
    return peewee.NodeList((text, operator, bind(pattern), _ESCAPE), parens=True)


def contains(text: Sql, part: Sql) -> Sql:
    """Whether `part` is in `text`, blind to the case of ASCII letters."""
    return peewee.fn.instr(peewee.fn.lower(text), peewee.fn.lower(part)) > 0


def as_text(value: Sql) -> Sql:
    return peewee.Cast(value, "TEXT")


def date_as_text(instant_ms: Sql) -> Sql:
    """PocketBase's form of an instant; an empty text for null."""
    seconds = peewee.fn.strftime("%Y-%m-%d %H:%M:%S", instant_ms / 1000, "unixepoch")
    text = peewee.fn.printf("%s.%03dZ", seconds, peewee.Expression(instant_ms, "%", 1000))
    return peewee.Case(None, ((differs(seconds, None), text),), "")


def json_value(column: Sql, keys: Sequence[str]) -> Sql:
    """What is at the keys in a JSON column: a scalar, the text of a list or an object, or null."""
    steps = [f"[{key}]" if key.isdecimal() else f'."{key}"' for key in keys]
    return peewee.fn.json_extract(column, "".join(("$", *steps)))


def items(column: Sql) -> Sql:
    """The items of a JSON list, as a table with the column `ITEM`."""
    return peewee.fn.json_each(column).alias("item")


def without_affinity(value: Sql) -> Sql:
    """A column's declared type must not turn the other side's text into a number."""
    return peewee.NodeList((peewee.SQL("+"), value), glue="")


def bind(value: Sql) -> Sql:
    """A value as a bound parameter."""
    return peewee.Value(int(value) if isinstance(value, bool) else value, converter=False)
