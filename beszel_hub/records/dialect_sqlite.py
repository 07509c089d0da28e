"""The spelling of SQLite, whose values have types of their own, whatever their column."""

from collections.abc import Sequence
from typing import Final

import peewee

from beszel_hub.records.dialect import Scalar, Sql
from beszel_hub.records.registry import Kind

_ESCAPE: Final = peewee.SQL("ESCAPE '\\'")


class SqliteSpelling:
    def is_same(self, left: Sql, right: Sql) -> Sql:
        return peewee.Expression(left, "IS", right)

    def differs(self, left: Sql, right: Sql) -> Sql:
        return peewee.Expression(left, "IS NOT", right)

    def matches(self, text: Sql, pattern: str, *, is_negated: bool) -> Sql:
        operator = peewee.SQL("NOT LIKE" if is_negated else "LIKE")
        return peewee.NodeList((text, operator, self.bind(pattern), _ESCAPE), parens=True)

    def contains(self, text: Sql, part: Sql) -> Sql:
        return peewee.fn.instr(peewee.fn.lower(text), peewee.fn.lower(part)) > 0

    def as_text(self, value: Sql, _: Kind) -> Sql:
        return peewee.Cast(value, "TEXT")

    def date_as_text(self, instant_ms: Sql) -> Sql:
        seconds = peewee.fn.strftime("%Y-%m-%d %H:%M:%S", instant_ms / 1000, "unixepoch")
        text = peewee.fn.printf("%s.%03dZ", seconds, peewee.Expression(instant_ms, "%", 1000))
        return peewee.Case(None, ((self.differs(seconds, None), text),), "")

    def json_value(self, column: Sql, keys: Sequence[str]) -> Sql:
        steps = [f"[{key}]" if key.isdecimal() else f'."{key}"' for key in keys]
        return peewee.fn.json_extract(column, "".join(("$", *steps)))

    def items(self, column: Sql) -> Sql:
        return peewee.fn.json_each(column).alias("item")

    def without_affinity(self, value: Sql) -> Sql:
        return peewee.NodeList((peewee.SQL("+"), value), glue="")

    def mixed(self, value: Sql, _: Kind) -> Sql:
        return value

    def bind(self, value: Scalar) -> Sql:
        return peewee.Value(int(value) if isinstance(value, bool) else value, converter=False)

    def bind_mixed(self, value: Scalar) -> Sql:
        return self.bind(value)

    def selected(self, value: Sql, _: Kind) -> Sql:
        return value

    def sort_key(self, value: Sql, *, is_descending: bool) -> Sql:
        # A value of a relation is a query, which has no method `asc`.
        return peewee.Desc(value) if is_descending else peewee.Asc(value)
