"""The checked tree of a filter: every path leads to a declared field, every literal has that field's type."""

import enum
from typing import TypeAlias

import msgspec

from beszel_hub.records.like import Pattern
from beszel_hub.records.registry import Field


class Operator(enum.StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_EQUAL = ">="
    LESS = "<"
    LESS_EQUAL = "<="
    LIKE = "~"
    NOT_LIKE = "!~"


class Path(msgspec.Struct, frozen=True):
    """A way from a record to values: relations, a field, and keys into its JSON."""

    relations: tuple[Field, ...]
    field: Field
    keys: tuple[str, ...] = ()

    @property
    def is_multiple(self) -> bool:
        """Whether one record has several values there."""
        return self.field.is_multiple or any(relation.is_multiple for relation in self.relations)


class Literal(msgspec.Struct, frozen=True):
    """A value in the form of the field it is compared with."""

    value: str | float | int | bool | None


Operand: TypeAlias = Path | Literal


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """At most one side has several values, and then it is the left one."""

    left: Operand
    operator: Operator
    right: Operand
    any_of: bool = False
    """Of several values one must match; otherwise all."""
    pattern: Pattern | None = None
    """What the right side means to `~`, if it is a literal."""


class Among(msgspec.Struct, frozen=True, kw_only=True):
    """A relation to one of these records: what is left of a condition on related records once they were looked up."""

    field: Field
    ids: frozenset[str]
    any_of: bool = False
    """Of several related records one must be among them; otherwise all."""
    if_absent: bool = False
    """Whether a record that relates to nothing fulfils the condition."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    members: tuple["Node", ...]
    is_all: bool
    """`&&` if set, else `||`."""


Node: TypeAlias = Comparison | Among | Group
