"""Rows of a table as the database holds them, in batches of bounded size and in the order of the key.

SQLite and PostgreSQL give the same rows in the same order, so what a table holds can be compared by its digest.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import peewee

from beszel_hub.store.bulk import execute_many
from beszel_hub.store.partitions import DAY_MS, DIVIDED
from beszel_hub.store.tables import Shape, Table, bound_dialect

BATCH_BYTES: Final = 4 << 20
"""Of what may be large; a single row can have more."""
BATCH_ROWS: Final = 1000
_VALUE_BYTES: Final = 8
"""What a number, a flag or an absence counts for."""

Row = tuple[Any, ...]


class Content(NamedTuple):
    """What a table holds."""

    rows: int
    bytes: int
    digest: str


class Tally:
    """Adds rows up, one after the other."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0
        self._hash = hashlib.blake2b(digest_size=32)
        self._encode = msgspec.msgpack.Encoder().encode

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._hash.update(self._encode(row))
        self.rows += len(rows)
        self.bytes += size_of(rows)

    def content(self) -> Content:
        return Content(self.rows, self.bytes, self._hash.hexdigest())


def read_batches(database: peewee.Database, table: type[Table]) -> Iterator[list[Row]]:
    """Every row, with every field of its shape, in the order of the primary key; a few mebibytes at a time."""
    shape = table.shape()
    places = [shape.place_of(field.column_name) for field in shape.key]
    normalise = _normaliser(shape.fields)
    bulky = [peewee.fn.LENGTH(field) for field in shape.fields if isinstance(field, peewee.BlobField)]
    after, limit = None, BATCH_ROWS
    while True:
        if bulky:
            limit = _count_fitting(database.execute(_page(table, bulky, after, limit)).fetchall())
        found = database.execute(_page(table, shape.fields, after, limit)).fetchall()
        if not found:
            return
        yield [normalise(row) for row in found]
        after = [found[-1][place] for place in places]
        limit = min(BATCH_ROWS, 4 * limit)


def _page(table: type[Table], chosen: Sequence[Any], after: Sequence[Any] | None, limit: int) -> Any:
    key = table.shape().key
    query = table.select(*chosen).order_by(*key).limit(limit)
    return query if after is None else query.where(peewee.Tuple(*key) > peewee.Tuple(*after))


def _count_fitting(lengths: Sequence[Sequence[int | None]]) -> int:
    """How many of the next rows are read at once."""
    total = 0
    for count, row in enumerate(lengths):
        total += sum(length or 0 for length in row)
        if total > BATCH_BYTES:
            return max(1, count)
    return max(1, len(lengths))


def store_batch(table: type[Table], rows: Sequence[Row]) -> None:
    """In a write: insert rows as `read_batches` gave them, where this database wants them."""
    shape = table.shape()
    if shape.name in DIVIDED:
        for instant, tier in _stretches(shape, rows):
            bound_dialect().provide_partition(shape.name, instant, tier)
    execute_many(table.insert_many(rows[:1], fields=shape.fields).returning(), rows)


def size_of(rows: Sequence[Row]) -> int:
    """About how many bytes rows take."""
    return sum(len(value) if isinstance(value, (bytes, str)) else _VALUE_BYTES for row in rows for value in row)


def _stretches(shape: Shape, rows: Sequence[Row]) -> set[tuple[int, int | None]]:
    """An instant of every day that rows of a divided table are of, and the tier."""
    by_instant, by_tier = DIVIDED[shape.name]
    instant = shape.place_of(by_instant)
    if by_tier is None:
        return {(row[instant] // DAY_MS * DAY_MS, None) for row in rows}
    tier = shape.place_of(by_tier)
    return {(row[instant] // DAY_MS * DAY_MS, row[tier]) for row in rows}


def _normaliser(fields: Sequence[peewee.Field]) -> Callable[[Row], Row]:
    """SQLite tells flags as numbers, and does not keep the sign of a zero."""
    flags = [place for place, field in enumerate(fields) if isinstance(field, peewee.BooleanField)]
    floats = [place for place, field in enumerate(fields) if isinstance(field, peewee.FloatField)]
    if not flags and not floats:
        return tuple

    def normalise(row: Row) -> Row:
        values = list(row)
        for place in flags:
            values[place] = None if values[place] is None else bool(values[place])
        for place in floats:
            values[place] = None if values[place] is None else values[place] + 0.0
        return tuple(values)

    return normalise
