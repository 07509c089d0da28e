"""A checked filter tree as a predicate over rows in memory, and what of it can be pushed down to whoever reads them.

Follows `sql` in every rule, down to how SQLite orders values of different types. Conditions on related records must
have been looked up before (`Among`).
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from beszel_hub.records.bounds import UNBOUNDED, Bounds
from beszel_hub.records.dates import format_date
from beszel_hub.records.like import lower_ascii, matches
from beszel_hub.records.literals import LARGEST_INTEGER
from beszel_hub.records.nodes import Among, Comparison, Group, Literal, Node, Operand, Operator, Path
from beszel_hub.records.registry import Kind, Row

Scalar: TypeAlias = str | float | int | None
SortKey: TypeAlias = tuple[int, Any]

_TEXTUAL: Final = frozenset({Kind.TEXT, Kind.RELATION, Kind.RELATIONS, Kind.LIST})
_NUMERIC: Final = frozenset({Kind.NUMBER, Kind.DATE})
_BOUNDS_BELOW: Final = frozenset({Operator.EQUAL, Operator.GREATER, Operator.GREATER_EQUAL})
_BOUNDS_ABOVE: Final = frozenset({Operator.EQUAL, Operator.LESS, Operator.LESS_EQUAL})


def holds(node: Node, row: Row) -> bool:
    """Whether the row fulfils the filter."""
    if isinstance(node, Group):
        return (all if node.is_all else any)(holds(member, row) for member in node.members)
    if isinstance(node, Among):
        return _is_among(node, row.get(node.field.name))
    right = _operand(node.right, row)
    if isinstance(node.left, Path) and node.left.is_multiple:
        results = (_match(node, value, right) for value in _values(node.left, row))
        return any(results) if node.any_of else all(results)
    return _match(node, _operand(node.left, row), right)


def sort_key(path: Path, row: Row) -> SortKey:
    """Orders rows as SQLite orders the values at `path`: nothing, numbers, texts."""
    return rank(read_path(path, row))


def push_down(node: Node | None) -> Bounds:
    """What every row that fulfils the filter has in common."""
    if node is None:
        return UNBOUNDED
    if isinstance(node, Group):
        parts = [push_down(member) for member in node.members]
        bounds = parts[0]
        for part in parts[1:]:
            bounds = bounds.intersect(part) if node.is_all else bounds.union(part)
        return bounds
    if isinstance(node, Among):
        is_bound = not node.if_absent and not node.field.is_multiple
        return Bounds(among={node.field.name: frozenset(node.ids)}) if is_bound else UNBOUNDED
    return _bounds_of(node)


def read_path(path: Path, row: Row) -> Scalar:
    """The single value at `path`; None if the row has none."""
    if path.relations:
        raise TypeError("conditions on related records are looked up before")
    value = row.get(path.field.name)
    if path.field.kind is not Kind.JSON:
        return _scalar(value)
    for key in path.keys:
        if key.isdecimal():
            value = value[int(key)] if isinstance(value, list) and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return _scalar(value)


def fits_nothing(node: Comparison) -> bool:
    """Whether a comparison with a literal holds for a value that is not there."""
    return isinstance(node.right, Literal) and _match(node, None, _scalar(node.right.value))


def _is_among(node: Among, related: Any) -> bool:
    if not related:
        return node.if_absent
    results = (related_id in node.ids for related_id in (related if isinstance(related, list) else [related]))
    return any(results) if node.any_of else all(results)


def _bounds_of(node: Comparison) -> Bounds:
    path, literal = node.left, node.right
    if not isinstance(path, Path) or not isinstance(literal, Literal):
        return UNBOUNDED
    if path.is_multiple or path.field.kind is Kind.JSON:
        return UNBOUNDED
    name, value = path.field.name, literal.value
    number = value if path.field.kind in _NUMERIC and isinstance(value, int | float) else None
    return Bounds(
        among={name: frozenset((value,))} if node.operator is Operator.EQUAL and value not in {None, ""} else {},
        at_least={name: number} if number is not None and node.operator in _BOUNDS_BELOW else {},
        at_most={name: number} if number is not None and node.operator in _BOUNDS_ABOVE else {},
    )


def _operand(operand: Operand, row: Row) -> Scalar:
    return _scalar(operand.value) if isinstance(operand, Literal) else read_path(operand, row)


def _values(path: Path, row: Row) -> Iterator[Scalar]:
    """All values at `path`; None stands for there being none."""
    if path.relations:
        raise TypeError("conditions on related records are looked up before")
    yield from (row.get(path.field.name) or (None,))


def _match(node: Comparison, left: Scalar, right: Scalar) -> bool:
    if node.operator in {Operator.LIKE, Operator.NOT_LIKE}:
        text = _text(node.left, left)
        if node.pattern is not None:
            found = matches(node.pattern, text)
        else:
            found = lower_ascii(_text(node.right, right)) in lower_ascii(text)
        return found is (node.operator is Operator.LIKE)
    if node.operator in _COMPARE:
        return left is not None and right is not None and _COMPARE[node.operator](rank(left), rank(right))
    if _is_textual(node.left) and (isinstance(node.right, Literal) or _is_textual(node.right)):
        left, right = left or "", right or ""
    return (rank(left) == rank(right)) is (node.operator is Operator.EQUAL)


_COMPARE: Final[dict[Operator, Callable[[SortKey, SortKey], bool]]] = {
    Operator.GREATER: lambda left, right: left > right,
    Operator.GREATER_EQUAL: lambda left, right: left >= right,
    Operator.LESS: lambda left, right: left < right,
    Operator.LESS_EQUAL: lambda left, right: left <= right,
}


def _is_textual(operand: Operand) -> bool:
    return isinstance(operand, Path) and operand.field.kind in _TEXTUAL


def rank(value: Scalar) -> SortKey:
    """A value's place among values of any type."""
    if value is None:
        return 0, 0
    return (2, value) if isinstance(value, str) else (1, value)


def _scalar(value: Any) -> Scalar:
    """A JSON value as SQLite's `json_extract` gives it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return float(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return msgspec.json.encode(value).decode()


def _text(operand: Operand, value: Scalar) -> str:
    """As SQLite casts to text; dates in PocketBase's form."""
    if value is None:
        return ""
    if isinstance(operand, Path) and operand.field.kind is Kind.DATE and isinstance(value, int):
        return format_date(value)
    if not isinstance(value, float):
        return str(value)
    text = format(value, ".15g")
    mantissa, exponent = text.split("e") if "e" in text else (text, "")
    return (mantissa if "." in mantissa else f"{mantissa}.0") + (f"e{exponent}" if exponent else "")
