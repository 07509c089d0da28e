"""Copies everything of one database into an empty one, of either kind, and proves that it is the same there.

Nobody else writes to either meanwhile. Until the copy is complete and checked, the target is noted to be a part of one
and no hub starts on it; a move that was cut off is begun again from nothing, since a hub may have written to the source
in between. The source is only read.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import peewee

from beszel_hub.errors import CommandFailed, StartError
from beszel_hub.store.dialect import Dialect
from beszel_hub.store.migrate import UNFINISHED, find_applied, finish_move, require_current
from beszel_hub.store.migrations import MIGRATIONS
from beszel_hub.store.rows import Content, Tally, read_batches, store_batch
from beszel_hub.store.tables import Table, bind_thread


class Step(NamedTuple):
    """How far the move is with one table."""

    table: str
    is_checking: bool
    """First every table is copied, then every one is read again."""
    rows: int
    of_rows: int
    bytes: int


class Moved(NamedTuple):
    """One table that is the same on both sides."""

    table: str
    content: Content


Tell = Callable[[Step], None]
Tables = Sequence[type[Table]]


def move(source: Dialect, target: Dialect, tables: Tables, tell: Tell) -> list[Moved]:
    """Copy `tables`, parents before those that refer to them; on a thread of their own use neither database.

    Raises `StartError` if one of the databases is not as it must be, and `CommandFailed` if the copy broke off.
    """
    with _named_failures("", source, target), _attached(source):
        require_current(source.writing)
        with source.write_transaction():
            is_repeated = _look_for_room(target)
            target.prepare((UNFINISHED, *MIGRATIONS))
            with _attached(target), _bound(target):
                if is_repeated:
                    _empty(target, tables)
                moved = [_copy(source, target, table, tell) for table in tables]
                for table, (_, content) in zip(tables, moved, strict=True):
                    _check(target, table, content, tell)
                with target.write_transaction():
                    finish_move(target.writing)
    return moved


def _look_for_room(target: Dialect) -> bool:
    """Whether the database has a part of a move that was cut off; raise `StartError` unless that or it is empty."""
    try:
        with target.reading.connection_context():
            if UNFINISHED.number in find_applied(target.reading):
                return True
            tables = target.reading.get_tables()
    except target.failures as error:
        raise StartError(f"the database {target.place} cannot be used: {_first_line(error)}") from error
    if tables:
        raise StartError(f"the database {target.place} is not empty: it has a table {tables[0]!r}")
    return False


def _empty(target: Dialect, tables: Tables) -> None:
    with target.write_transaction():
        for table in reversed(tables):
            table.truncate_table(cascade=True)


def _copy(source: Dialect, target: Dialect, table: type[Table], tell: Tell) -> Moved:
    name = table.shape().name
    (of_rows,) = source.writing.execute(table.select(peewee.fn.COUNT(peewee.SQL("*")))).fetchone()
    tally = Tally()
    tell(Step(name, False, 0, of_rows, 0))
    with _named_failures(f" in the table {name}", source, target):
        for rows in read_batches(source.writing, table):
            with target.write_transaction():
                store_batch(table, rows)
            tally.add(rows)
            tell(Step(name, False, tally.rows, of_rows, tally.bytes))
        with target.write_transaction():
            _adopt(target, table)
    return Moved(name, tally.content())


def _adopt(target: Dialect, table: type[Table]) -> None:
    shape = table.shape()
    if shape.counter is None:
        target.adopt(shape.name, None, None)
        return
    (newest,) = target.writing.execute(table.select(peewee.fn.MAX(shape.counter))).fetchone()
    target.adopt(shape.name, shape.counter.column_name, newest)


def _check(target: Dialect, table: type[Table], expected: Content, tell: Tell) -> None:
    name = table.shape().name
    tally = Tally()
    tell(Step(name, True, 0, expected.rows, 0))
    for rows in read_batches(target.writing, table):
        tally.add(rows)
        tell(Step(name, True, tally.rows, expected.rows, tally.bytes))
    if tally.content() != expected:
        raise CommandFailed(
            f"the table {name} is not the same in {target.place}: {tally.rows} rows of {expected.rows},"
            " or others; nothing has been switched over"
        )


@contextmanager
def _attached(dialect: Dialect) -> Iterator[None]:
    """Nobody else serves or moves the database."""
    try:
        dialect.attach(dialect.writing)
    except dialect.failures as error:
        raise StartError(f"the database {dialect.place} cannot be used: {_first_line(error)}") from error
    try:
        dialect.claim()
        yield
    finally:
        dialect.detach(dialect.writing)


@contextmanager
def _bound(target: Dialect) -> Iterator[None]:
    bind_thread(target.writing, target)
    try:
        yield
    finally:
        bind_thread(None)


@contextmanager
def _named_failures(where: str, *dialects: Dialect) -> Iterator[None]:
    failures = tuple(failure for dialect in dialects for failure in dialect.failures)
    try:
        yield
    except failures as error:
        told = f"the move broke off{where}: {_first_line(error)}; the same command begins it again"
        raise CommandFailed(told) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
