"""A table of what a host has many of: its rows, columns, order and filter, the same for every kind of thing."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from beszel_protocol.metrics import Unit
from beszel_tui.state.columns import Column
from beszel_tui.state.filterline import Filter, Vocabulary
from beszel_tui.state.numbers import Number
from beszel_tui.state.selectors import Level, Sort, Thresholds, natural_key

Value: TypeAlias = float | str | None
"""A number in the unit of its column, or words; None where the host cannot tell."""

_RANKS: Final[Mapping[Level | None, float]] = {None: -1.0, "good": 0.0, "warning": 1.0, "critical": 2.0}
_SEVERITIES: Final[Mapping[int, Level]] = {0: "good", 1: "warning", 2: "critical"}
_order = lru_cache(maxsize=1 << 14)(natural_key)


class SheetRow(NamedTuple):
    """One thing."""

    key: str
    name: str
    values: Mapping[str, Value]
    """By column."""
    level: Level | None = None
    """How it is; None where nobody can tell, or it is neither good nor bad."""
    units: Mapping[str, Unit] = {}
    """Of values in another unit than their column's."""
    told: Mapping[str, Any] = {}
    """The same for scripts: units stand in the names, what is not known is absent."""
    parent: str | None = None
    """The key of the row that it belongs to."""


class SheetColumn(NamedTuple):
    key: str
    title: str
    unit: Unit | None = None
    """None: words."""
    short: str = ""
    is_share: bool = False
    """Of 100, and bad when it is full: drawn as a bar where there is room."""
    by_level: bool = False
    """Sorted by how the thing is, trouble last; numbers that follow a threshold are drawn by it."""


class Sheet(NamedTuple):
    """One kind of table."""

    key: str
    title: str
    columns: tuple[SheetColumn, ...]
    claims: tuple[tuple[str, int], ...]
    """Who is served first when the table is narrow, as in `columns.fold`."""
    rows: Callable[[Any, Thresholds], list[SheetRow]]
    """Out of what the table is of: the open system, or everything about alerts."""
    sort: Sort
    empty: str
    """Why there may be nothing, and what to do about it."""
    hint: str
    """An example of a filter."""
    has_levels: bool = True
    """Whether a sign before the name says how each thing is."""
    trouble: str = "in trouble"
    """What is said of things of concern and failed ones, after their number."""
    note: Callable[[Any], str] = lambda _source: ""
    """What stands above the table beside the counts."""
    counted: Callable[[SheetRow], bool] = lambda _row: True
    """Which rows are what the title says, and not something that stands below one of these."""
    has_tree: bool = False
    """Whether its rows have parents, to be shown below."""

    @property
    def by_key(self) -> dict[str, SheetColumn]:
        return {column.key: column for column in self.columns}


def level_of(severity: int | None) -> Level | None:
    """Of the severity that agents tell: 0 sound, 1 of concern, 2 failed."""
    return None if severity is None else _SEVERITIES.get(severity, "critical")


def worse(*levels: Level | None) -> Level | None:
    return max(levels, key=lambda level: _RANKS[level], default=None)


def told_keys(rows: Iterable[SheetRow], sheet: Sheet) -> frozenset[str]:
    """The columns in which any row says something; the first always does."""
    rows = list(rows)
    return frozenset(
        column.key
        for column in sheet.columns
        if column is sheet.columns[0] or any(row.values.get(column.key) not in {None, ""} for row in rows)
    )


def fold_columns(sheet: Sheet) -> tuple[Column, ...]:
    """As the layout of tables knows them."""
    return tuple(
        Column(
            column.key, column.title, column.short or column.title,
            None if column.unit is None else _reader(column),
            "left" if column.unit is None or column.is_share else "right",
        )
        for column in sheet.columns
    )  # fmt: skip


def sheet_rows(rows: Iterable[SheetRow], wanted: Filter, sort: Sort, sheet: Sheet) -> list[SheetRow]:
    """Those that pass the filter, sorted; by their first column they stand as they were given.

    What does not tell the sorted value comes last either way.
    """
    shown = [row for row in rows if wanted.matches(row)]
    column = sheet.by_key.get(sort.key)
    if column is None or column is sheet.columns[0]:
        return shown[::-1] if sort.descending else shown
    if column.by_level:
        return sorted(shown, key=lambda row: _RANKS[row.level], reverse=sort.descending)
    told = [row for row in shown if row.values.get(column.key) not in {None, ""}]
    silent = [row for row in shown if row.values.get(column.key) in {None, ""}]
    return sorted(told, key=lambda row: _sort_key(row.values[column.key]), reverse=sort.descending) + silent


def vocabulary_of(sheet: Sheet) -> Vocabulary:
    """The words of its filter line: every number and every text by the key of its column."""
    numbers = {column.key: Number(column.unit, _reader(column)) for column in sheet.columns if column.unit is not None}
    texts = [column.key for column in sheet.columns[1:] if column.unit is None]
    fields: dict[str, Callable[[Any], list[str]]] = {"name": lambda row: [row.name]}
    fields |= {key: lambda row, key=key: [str(row.values.get(key) or "")] for key in texts}  # type: ignore[misc]
    words = " ".join(f"{key}:" for key in texts)
    return Vocabulary(
        numbers=numbers,
        fields=fields,
        prefixed=frozenset({"state"}),
        words=lambda row: [row.name, *(str(row.values.get(key) or "") for key in texts)],
        names=lambda row: [row.name],
        states={},
        hint=sheet.hint,
        help=(
            ("words", f"in the name or any text; also name: {words}".rstrip()),
            *([(f"{next(iter(numbers))}>1", f"numbers: {' '.join(numbers)}; 1.5M, 3d")] if numbers else []),
            ("/^a/", "a regular expression on the name"),
            ("!word", "the opposite; all terms must hold"),
        ),
    )


def _reader(column: SheetColumn) -> Callable[[SheetRow], float | None]:
    key = column.key

    def read(row: SheetRow) -> float | None:
        value = row.values.get(key)
        return value if isinstance(value, int | float) else None

    return read


def _sort_key(value: Value) -> tuple[float, tuple[tuple[int, int, str], ...]]:
    return (0.0, _order(value)) if isinstance(value, str) else (value or 0.0, ())
