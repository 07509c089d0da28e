"""The spelling of PostgreSQL, where both sides of a comparison have one type, known before.

What is in JSON can be anything, and becomes a pair to be compared: `[1, number]` or `[2, text]`, in SQLite's order.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import peewee

from beszel_hub.records.dialect import Scalar, Sql
from beszel_hub.records.registry import Kind

_NUMBER, _TEXT = 1, 2
_ESCAPE: Final = peewee.SQL("ESCAPE '\\'")
_BYTEWISE: Final = peewee.SQL('COLLATE "C"')
_NUMERIC: Final = frozenset({Kind.NUMBER, Kind.DATE})


class PostgresqlSpelling:
    def is_same(self, left: Sql, right: Sql) -> Sql:
        return peewee.Expression(left, "IS NOT DISTINCT FROM", right)

    def differs(self, left: Sql, right: Sql) -> Sql:
        return peewee.Expression(left, "IS DISTINCT FROM", right)

    def matches(self, text: Sql, pattern: str, *, is_negated: bool) -> Sql:
        """Where texts are bytes, only ASCII letters have a case."""
        operator = peewee.SQL("NOT ILIKE" if is_negated else "ILIKE")
        return peewee.NodeList((_bytewise(text), operator, self.bind(pattern), _ESCAPE), parens=True)

    def contains(self, text: Sql, part: Sql) -> Sql:
        return peewee.fn.strpos(peewee.fn.lower(_bytewise(text)), peewee.fn.lower(_bytewise(part))) > 0

    def as_text(self, value: Sql, kind: Kind) -> Sql:
        if kind is Kind.JSON:
            return peewee.Expression(value, "->>", peewee.SQL("1"))
        if kind is Kind.BOOL:
            return _cast(_cast(value, "INTEGER"), "TEXT")
        text = _cast(value, "TEXT")
        if kind is Kind.NUMBER:
            # As everywhere else, a number with a fraction shows one: 2.0 is not 2.
            is_double = peewee.Expression(peewee.fn.pg_typeof(value), "=", peewee.SQL("'double precision'::regtype"))
            shown = peewee.fn.regexp_replace(text, "^(-?[0-9]+)(e.*)?$", r"\1.0\2")
            return peewee.Case(None, ((is_double, shown),), text)
        return text

    def date_as_text(self, instant_ms: Sql) -> Sql:
        seconds = peewee.Expression(instant_ms, "/", self.bind(1000.0))
        instant = peewee.NodeList((peewee.fn.to_timestamp(seconds), peewee.SQL("AT TIME ZONE 'UTC'")))
        text = peewee.fn.to_char(peewee.NodeList((instant,), parens=True), 'YYYY-MM-DD HH24:MI:SS.MS"Z"')
        return peewee.fn.coalesce(text, "")

    def json_value(self, column: Sql, keys: Sequence[str]) -> Sql:
        value = _cast(column, "JSON")
        for key in keys:
            step = _cast(self.bind(int(key)), "INTEGER") if key.isdecimal() else _cast(self.bind(key), "TEXT")
            value = peewee.Expression(value, "->", step)
        is_true = peewee.Expression(_cast(value, "TEXT"), "=", peewee.SQL("'true'"))
        text = _pair(_TEXT, _cast(value, "TEXT"))
        forms = (
            ("string", _pair(_TEXT, _cast(value, "JSONB"))),
            ("number", _pair(_NUMBER, _cast(value, "JSONB"))),
            ("boolean", _pair(_NUMBER, _cast(is_true, "INTEGER"))),
            ("object", text),
            ("array", text),
        )
        return peewee.Case(peewee.fn.json_typeof(value), [(_quoted(name), form) for name, form in forms])

    def items(self, column: Sql) -> Sql:
        return peewee.fn.json_array_elements_text(_cast(column, "JSON")).alias("item")

    def without_affinity(self, value: Sql) -> Sql:
        return value

    def mixed(self, value: Sql, kind: Kind) -> Sql:
        if kind is Kind.JSON:
            return value
        if kind is Kind.BOOL:
            pair = _pair(_NUMBER, _cast(value, "INTEGER"))
        else:
            pair = _pair(_NUMBER, value) if kind in _NUMERIC else _pair(_TEXT, _cast(value, "TEXT"))
        return peewee.Case(None, ((peewee.Expression(value, "IS NOT", peewee.SQL("NULL")), pair),))

    def bind(self, value: Scalar) -> Sql:
        return peewee.Value(value, converter=False)

    def bind_mixed(self, value: Scalar) -> Sql:
        if value is None:
            return peewee.SQL("NULL::jsonb")
        plain = int(value) if isinstance(value, bool) else value
        pair = [_TEXT if isinstance(plain, str) else _NUMBER, plain]
        return _cast(self.bind(msgspec.json.encode(pair).decode()), "JSONB")

    def selected(self, value: Sql, kind: Kind) -> Sql:
        return peewee.Expression(value, "->", peewee.SQL("1")) if kind is Kind.JSON else value

    def sort_key(self, value: Sql, *, is_descending: bool) -> Sql:
        if isinstance(value, peewee.Field) and not value.null:
            return value.desc() if is_descending else value.asc()
        # A value of a relation is a query, which has no method `asc`.
        return peewee.Desc(value, nulls="LAST") if is_descending else peewee.Asc(value, nulls="FIRST")


def _cast(value: Sql, to: str) -> Sql:
    return peewee.Cast(value, to)


def _pair(rank: int, value: Sql) -> Sql:
    return peewee.fn.jsonb_build_array(peewee.SQL(str(rank)), value)


def _quoted(name: str) -> Sql:
    return peewee.SQL(f"'{name}'")


def _bytewise(text: Sql) -> Sql:
    return peewee.NodeList((text, _BYTEWISE), parens=True)
