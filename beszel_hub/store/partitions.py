"""History in PostgreSQL lies in tables of a stretch of time each, so that what is too old goes as a whole file.

A partition is made with the first row of its stretch. What has none, because there would be too many, is in the table
named `<table>_rest`.
"""

from typing import Final, NamedTuple

import peewee

DAY_MS: Final = 86_400_000
MOST: Final = 1000
"""Partitions of one table. An agent whose clock jumps about must not make thousands of them."""
_DROP_LOCK_TIMEOUT: Final = "200ms"
"""Dropping needs the table for itself for a moment; if readers are at work, the next time will do."""

_WIDTHS_MS: Final = {None: DAY_MS, 60: 7 * DAY_MS, 600: 90 * DAY_MS, 28_800: 3650 * DAY_MS}
"""By tier, None for single samples: some dozens for what is usually kept."""

DIVIDED: Final[dict[str, tuple[str, str | None]]] = {"chunks": ("first", None), "rollups": ("first", "tier")}
"""Which tables are, by which column with an instant, and which with a tier."""

_BULKY: Final = {"hot_samples": "document", "chunks": "data", "rollups": "data"}
"""Where history lies, and in which column."""
_ROW_BYTES: Final = 300
"""What a row takes beside its data, in the table, in that of its long values and in the indexes."""
_WHOLE: Final = (
    "SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0) FROM pg_class"
    " JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = current_schema() AND relkind = 'r'"
)
_TAKEN: Final = (
    "SELECT pg_total_relation_size(to_regclass(%s)) + coalesce(sum(pg_total_relation_size(inhrelid)), 0)"
    " FROM pg_inherits WHERE inhparent = to_regclass(%s)"
)


class _Stretch(NamedTuple):
    """What one partition holds."""

    name: str
    start_ms: int
    end_ms: int


class Room(NamedTuple):
    """Of history, in bytes."""

    taken: int
    needed: int


class Partitions:
    """Works inside transactions of the writer, so whoever reads finds rows either here or there."""

    def provide(self, database: peewee.Database, table: str, instant_ms: int, tier: int | None) -> None:
        """Have the partition for an instant."""
        if tier not in _WIDTHS_MS:
            return
        stretch = _stretch_of(table, instant_ms, tier)
        if _exists(database, stretch.name) or len(_partitions(database, table)) >= MOST:
            return
        if _has_rows(database, f"{table}_rest", stretch, tier):
            return
        # Made beside the table and attached then: readers need not wait.
        like = f'CREATE TABLE "{stretch.name}" (LIKE "{table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)'
        low, high = _bound(tier, stretch.start_ms), _bound(tier, stretch.end_ms)
        database.execute_sql(like)
        database.execute_sql(
            f'ALTER TABLE "{table}" ATTACH PARTITION "{stretch.name}" FOR VALUES FROM ({low}) TO ({high})'
        )

    def drop(self, database: peewee.Database, table: str, before_ms: int, tier: int | None) -> None:
        """Drop the partitions of a tier that end by an instant and have no rows any more."""
        prefix = _prefix(table, tier)
        for name in _partitions(database, table):
            start = name.removeprefix(prefix)
            if name == start or not start.isdecimal() or int(start) * DAY_MS + _WIDTHS_MS[tier] > before_ms:
                continue
            if not database.execute_sql(f'SELECT EXISTS (SELECT 1 FROM "{name}")').fetchone()[0]:  # noqa: S608
                _try_to_drop(database, name)

    def measure(self, database: peewee.Database) -> tuple[int, Room]:
        """What the database takes, and what of it is history."""
        (whole,) = database.execute_sql(_WHOLE).fetchone()
        taken = needed = 0
        for table, column in _BULKY.items():
            (size,) = database.execute_sql(_TAKEN, (table, table)).fetchone()
            # A sealed chunk does not get smaller by PostgreSQL's own compression.
            rows = f'SELECT coalesce(sum(octet_length("{column}")), 0) + count(*) * {_ROW_BYTES} FROM "{table}"'  # noqa: S608
            (bytes_needed,) = database.execute_sql(rows).fetchone()
            taken, needed = taken + int(size), needed + int(bytes_needed)
        return int(whole), Room(taken, needed)


def _stretch_of(table: str, instant_ms: int, tier: int | None) -> _Stretch:
    width_ms = _WIDTHS_MS[tier]
    start_ms = instant_ms - instant_ms % width_ms
    return _Stretch(f"{_prefix(table, tier)}{start_ms // DAY_MS}", start_ms, start_ms + width_ms)


def _prefix(table: str, tier: int | None) -> str:
    """Of the names of partitions; the number of a day since 1970 follows."""
    return f"{table}_" if tier is None else f"{table}_{tier}_"


def _bound(tier: int | None, instant_ms: int) -> str:
    return str(instant_ms) if tier is None else f"{int(tier)}, {instant_ms}"


def _exists(database: peewee.Database, name: str) -> bool:
    return database.execute_sql("SELECT to_regclass(%s)", (name,)).fetchone()[0] is not None


def _partitions(database: peewee.Database, table: str) -> list[str]:
    query = (
        "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
        " WHERE inhparent = to_regclass(%s) ORDER BY 1"
    )
    return [name for (name,) in database.execute_sql(query, (table,)).fetchall()]


def _has_rows(database: peewee.Database, table: str, stretch: _Stretch, tier: int | None) -> bool:
    condition = "" if tier is None else f" AND tier = {int(tier)}"
    query = f'SELECT EXISTS (SELECT 1 FROM "{table}" WHERE first >= %s AND first < %s{condition})'  # noqa: S608
    return bool(database.execute_sql(query, (stretch.start_ms, stretch.end_ms)).fetchone()[0])


def _try_to_drop(database: peewee.Database, name: str) -> None:
    try:
        with database.atomic():
            (usual,) = database.execute_sql("SHOW lock_timeout").fetchone()
            _limit_waiting(database, _DROP_LOCK_TIMEOUT)
            database.execute_sql(f'DROP TABLE "{name}"')
            _limit_waiting(database, usual)
    except Exception as error:
        if getattr(getattr(error, "orig", error), "sqlstate", None) != "55P03":
            raise


def _limit_waiting(database: peewee.Database, timeout: str) -> None:
    """For locks, until the transaction ends."""
    database.execute_sql("SELECT set_config('lock_timeout', %s, true)", (timeout,))
