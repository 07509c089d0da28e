"""A checked filter tree, or a sort key, as a Peewee expression: every value bound, every name a declared column.

Conditions are two-valued: what is absent equals only null (and, where it is text, the empty text), has no order, and is
an empty text to `~`. `memory` follows the same rules.
"""

from collections.abc import Callable
from typing import Final

import peewee

from beszel_hub.records.dialect import ITEM, Sql
from beszel_hub.records.like import to_sql
from beszel_hub.records.nodes import Among, Comparison, Group, Literal, Node, Operand, Operator, Path
from beszel_hub.records.registry import Field, Kind, Registry, TableSource, Through
from beszel_hub.records.spelling import spelling

_ONE: Final = peewee.SQL("1")
_TRUE: Final = peewee.SQL("TRUE")
_FALSE: Final = peewee.SQL("FALSE")
_TEXTUAL: Final = frozenset({Kind.TEXT, Kind.RELATION, Kind.RELATIONS, Kind.LIST})
_ORDERINGS: Final = frozenset({Operator.GREATER, Operator.GREATER_EQUAL, Operator.LESS, Operator.LESS_EQUAL})


class SqlCompiler:
    """Compiles for one table; relations lead to the tables of other collections of the registry."""

    def __init__(self, registry: Registry, table: Sql) -> None:
        self._registry = registry
        self._table = table

    def condition(self, node: Node) -> Sql:
        """The condition that rows of the table fulfil."""
        if isinstance(node, Group):
            # Flat: SQLite's parser has a small stack for nested parentheses.
            members = [self.condition(member) for member in node.members]
            return peewee.NodeList(members, glue=" AND " if node.is_all else " OR ", parens=True)
        if isinstance(node, Among):
            raise TypeError("conditions on related records are part of the query")
        if isinstance(node.left, Path) and node.left.is_multiple:
            return self._quantify(node, node.left)
        return _match(node, self._operand(node.left), self._operand(node.right))

    def value(self, path: Path) -> Sql:
        """The single value at `path`, null if there is none; the path must not have several."""
        return self._value(self._table, path.relations, path)

    def _operand(self, operand: Operand) -> Sql:
        """The plain value of a literal; the expression of a path."""
        return operand.value if isinstance(operand, Literal) else self.value(operand)

    def _value(self, table: Sql, relations: tuple[Field, ...], path: Path) -> Sql:
        if not relations:
            return _read(_column(table, path.field), path)
        target = self._target(relations[0]).alias()
        return target.select(self._value(target, relations[1:], path)).where(target.id == _column(table, relations[0]))

    def _quantify(self, node: Comparison, path: Path) -> Sql:
        right = self._operand(node.right)
        has_none = ~self._exists(self._table, path.relations, path, lambda _: _TRUE)
        none_matches = has_none & _match(node, None, right)
        if node.any_of:
            some = self._exists(self._table, path.relations, path, lambda value: _match(node, value, right))
            return some | none_matches
        fails = self._exists(self._table, path.relations, path, lambda value: ~_match(node, value, right))
        return (~has_none & ~fails) | none_matches

    def _exists(self, table: Sql, relations: tuple[Field, ...], path: Path, holds: Callable[[Sql], Sql]) -> Sql:
        """Whether one of the values at `path` fulfils a condition."""
        if not relations:
            return _exists_in_field(table, path, holds)
        relation, rest = relations[0], relations[1:]
        target = self._target(relation).alias()
        condition = self._exists(target, rest, path, holds)
        if relation.through is None:
            return _exists(target.select(_ONE).where((target.id == _column(table, relation)) & condition))
        pair, owner, value = _pairs(relation.through)
        return _exists(pair.select(_ONE).join(target, on=(target.id == value)).where((owner == table.id) & condition))

    def _target(self, relation: Field) -> Sql:
        source = self._registry[relation.target].source
        if not isinstance(source, TableSource):
            raise TypeError(f"{relation.target} has no table, so nothing can relate to it")
        return source.table


def _match(node: Comparison, left: Sql, right: Sql) -> Sql:
    """One value against the right side; never null. What is no expression is the value of a literal."""
    if node.operator in {Operator.LIKE, Operator.NOT_LIKE}:
        return _match_like(node, _text(node.left, left), right)
    is_mixed = _is_mixed(node)
    left, right = _side(node.left, left, is_mixed=is_mixed), _side(node.right, right, is_mixed=is_mixed)
    if isinstance(node.right, Path):
        left, right = spelling().without_affinity(left), spelling().without_affinity(right)
    if node.operator in _ORDERINGS:
        return peewee.fn.coalesce(peewee.Expression(left, node.operator.value, right), _FALSE)
    if _is_textual(node.left) and (isinstance(node.right, Literal) or _is_textual(node.right)):
        left, right = _or_empty(left), _or_empty(right)
    is_same = node.operator is Operator.EQUAL
    return spelling().is_same(left, right) if is_same else spelling().differs(left, right)


def _is_mixed(node: Comparison) -> bool:
    """Whether the sides can be of different types: what is in JSON, or written down, can be anything."""
    kinds = [operand.field.kind for operand in (node.left, node.right) if isinstance(operand, Path)]
    return not kinds or Kind.JSON in kinds


def _side(operand: Operand, value: Sql, *, is_mixed: bool) -> Sql:
    if not isinstance(value, peewee.Node):
        return spelling().bind_mixed(value) if is_mixed else spelling().bind(value)
    return spelling().mixed(value, _kind(operand)) if is_mixed else value


def _match_like(node: Comparison, text: Sql, right: Sql) -> Sql:
    is_negated = node.operator is Operator.NOT_LIKE
    if node.pattern is not None:
        return spelling().matches(text, to_sql(node.pattern), is_negated=is_negated)
    found = spelling().contains(text, _text(node.right, right))
    return ~found if is_negated else found


def _text(operand: Operand, value: Sql) -> Sql:
    """The value as text; dates in PocketBase's form."""
    if not isinstance(value, peewee.Node):
        return spelling().as_text(spelling().bind("" if value is None else str(value)), Kind.TEXT)
    kind = _kind(operand)
    if kind is Kind.DATE:
        return spelling().date_as_text(value)
    return _or_empty(spelling().as_text(value, kind))


def _kind(operand: Operand) -> Kind:
    return operand.field.kind if isinstance(operand, Path) else Kind.TEXT


def _exists_in_field(table: Sql, path: Path, holds: Callable[[Sql], Sql]) -> Sql:
    column = _column(table, path.field)
    if path.field.kind is Kind.LIST:
        return _exists(peewee.Select([spelling().items(column)], [_ONE]).where(holds(ITEM)))
    if path.field.through is not None:
        pair, owner, value = _pairs(path.field.through)
        return _exists(pair.select(_ONE).where((owner == table.id) & holds(value)))
    return holds(_read(column, path))


def _pairs(through: Through) -> tuple[Sql, Sql, Sql]:
    """The table of pairs under an alias, with its columns for the owner and the related record."""
    pair: Sql = through.table.alias()
    return pair, getattr(pair, through.owner), getattr(pair, through.value)


def _column(table: Sql, field: Field) -> Sql:
    return None if field.through is not None else getattr(table, field.column)


def _read(column: Sql, path: Path) -> Sql:
    return spelling().json_value(column, path.keys) if path.field.kind is Kind.JSON else column


def _is_textual(operand: Operand) -> bool:
    return isinstance(operand, Path) and operand.field.kind in _TEXTUAL


def _or_empty(value: Sql) -> Sql:
    return peewee.fn.coalesce(value, "")


def _exists(query: Sql) -> Sql:
    return peewee.fn.EXISTS(query)
