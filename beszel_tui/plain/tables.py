"""What one system has many of, once: its services, processes, disks and the rest as a table or JSON."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple, TextIO

import msgspec

from beszel_protocol.feed import Fleet, FleetRow, SystemSample
from beszel_protocol.metrics import Unit
from beszel_protocol.units import format_value
from beszel_tui.client.source import Source
from beszel_tui.errors import HubUnreachable, RequestError, TuiError
from beszel_tui.plain.feed import frames
from beszel_tui.plain.grid import in_columns
from beszel_tui.state.cells import shown_text
from beszel_tui.state.events import ProcessesLoaded, Received, SystemOpened
from beszel_tui.state.filterline import NO_FILTER
from beszel_tui.state.model import Focus, State
from beszel_tui.state.processes import PROCESSES, order_asked
from beszel_tui.state.reduce import reduce
from beszel_tui.state.request import find_system
from beszel_tui.state.selectors import Sort, Thresholds
from beszel_tui.state.sheet import Sheet, SheetColumn, SheetRow, sheet_rows, told_keys

ALL_WELL: Final = 0
SOME_TROUBLED: Final = 1
NOT_POSSIBLE: Final = 2
INTERRUPTED: Final = 130

_LEVELS: Final = {"good": "well", "warning": "of concern", "critical": "in trouble"}


class TableOrder(NamedTuple):
    """What is to be printed, and how."""

    sheet: Sheet
    system: str
    """Its name, or how no other name begins."""
    as_json: bool = False
    sort: str = ""
    """The key of a column; the sheet's own order if empty."""
    thresholds: Thresholds = Thresholds()


def print_table(source: Source, order: TableOrder, out: TextIO | None = None) -> int:
    """Print every row of a system's table; returns the exit status."""
    out = out or sys.stdout
    try:
        sort = _read_sort(order)
        system, focus = asyncio.run(_ask(source, order.system, order.sheet, sort))
    except TuiError as error:
        sys.stderr.write(f"beszel-tui: {error}\n")
        return NOT_POSSIBLE
    except KeyboardInterrupt:
        return INTERRUPTED
    rows = sheet_rows(order.sheet.rows(focus, order.thresholds), NO_FILTER, sort, order.sheet)
    if order.as_json:
        out.write(format_json(system, rows, order.sheet))
    elif rows:
        out.write(format_plain(rows, order.sheet))
    else:
        why = order.sheet.empty.partition("\n")[0]
        out.write(f"{shown_text(system.name)}: {why}\n")
    return SOME_TROUBLED if any(row.level in {"warning", "critical"} for row in rows) else ALL_WELL


def format_json(system: FleetRow, rows: list[SheetRow], sheet: Sheet) -> str:
    """`{"system": ..., "services": [...]}`: units stand in the names, what is not known is absent."""
    document = {"system": system.name, "system_id": system.id, sheet.key: [_json(row) for row in rows if row.told]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def format_plain(rows: list[SheetRow], sheet: Sheet) -> str:
    """A table of words and numbers, without colour or drawing; columns in which nothing would stand are left out."""
    told = told_keys(rows, sheet)
    columns = [column for column in sheet.columns if column.key in told]
    header = [column.title for column in columns]
    if sheet.has_levels:
        header.insert(1, "IS")
    lines = [header, *(_plain(row, columns, sheet) for row in rows)]
    return in_columns(lines)


def _read_sort(order: TableOrder) -> Sort:
    if not order.sort:
        return order.sheet.sort
    column = order.sheet.by_key.get(order.sort)
    if column is None:
        raise RequestError(f"no column {order.sort!r}: {' '.join(order.sheet.by_key)}")
    return Sort(column.key, column.unit is not None or column.by_level)


def _json(row: SheetRow) -> Mapping[str, Any]:
    return dict(row.told) if row.level is None else {**row.told, "level": row.level}


def _plain(row: SheetRow, columns: list[SheetColumn], sheet: Sheet) -> list[str]:
    cells = [shown_text(row.name), *(_cell(row, column) for column in columns[1:])]
    if sheet.has_levels:
        cells.insert(1, "-" if row.level is None else _LEVELS[row.level])
    return cells


def _cell(row: SheetRow, column: SheetColumn) -> str:
    value = row.values.get(column.key)
    if isinstance(value, int | float):
        return format_value(value, row.units.get(column.key) or column.unit or Unit.NUMBER)
    return shown_text(value or "-")


async def _ask(source: Source, name: str, sheet: Sheet, sort: Sort) -> tuple[FleetRow, Focus]:
    """The system as its newest sample has it; with its processes, if they are wanted. Raises `TuiError`."""
    try:
        row, state = await _first_sample(source, name)
        if sheet is PROCESSES:
            told = await source.processes(row.id, order_asked(sort))
            state = reduce(state, [ProcessesLoaded(system_id=row.id, processes=told)])
    finally:
        await source.close()
    if state.focus is None:
        raise HubUnreachable("the hub ended the feed")
    return row, state.focus


async def _first_sample(source: Source, name: str) -> tuple[FleetRow, State]:
    """The first one after subscribing is whole; a system that is not up has none that is of now."""
    state = State()
    row: FleetRow | None = None
    async with aclosing(frames(source)) as told:
        async for frame in told:
            if isinstance(frame, Fleet) and row is None:
                row = find_system(frame.systems, name)
                if row.status != "up":
                    raise RequestError(f"{shown_text(row.name)} is {row.status}: what it would tell is not of now")
                state = reduce(state, [SystemOpened(system_id=row.id)])
                source.watch(row.id)
            elif isinstance(frame, SystemSample) and row is not None and frame.system == row.id:
                return row, reduce(state, [Received(at_ms=0, frame=frame)])
    raise HubUnreachable("the hub ended the feed")
