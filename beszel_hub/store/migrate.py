"""Takes a database from whatever version it has to the newest."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import peewee

from beszel_hub.clock import system_clock
from beszel_hub.errors import StartError
from beszel_hub.store.migrations import MIGRATIONS, Migration

_CREATE_HISTORY: Final = (
    "CREATE TABLE IF NOT EXISTS migrations (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,"
    " applied BIGINT NOT NULL)"
)

UNFINISHED: Final = Migration(0, "unfinished move", ())
"""While a database is noted to have had this, it holds a part of what is being moved there, and no hub starts on it."""


class Spelling(NamedTuple):
    """How a database wants to be told."""

    alternative: Literal["sqlite", "postgresql"]
    """Which of several forms of a statement is for it."""
    spell: Callable[[str], str]


SQLITE: Final = Spelling("sqlite", str)


def migrate(
    database: peewee.Database, migrations: Sequence[Migration] = MIGRATIONS, spelling: Spelling = SQLITE
) -> list[Migration]:
    """Run what is missing, each migration in one transaction, and return those that ran.

    Each counts by itself, not by the highest number: one that is added below others still runs where those have run.
    Two processes may start at once: each looks again once it holds the write lock. Raises `StartError` if the database
    has had a migration that is not among `migrations`.
    """
    numbers = {migration.number for migration in migrations}
    if find_applied(database) == numbers:
        return []
    ran: list[Migration] = []
    for migration in migrations:
        with database.atomic("IMMEDIATE"):
            database.execute_sql(spelling.spell(_CREATE_HISTORY))
            applied = find_applied(database)
            _refuse_unknown(applied, numbers)
            if migration.number not in applied:
                _apply(database, migration, spelling)
                ran.append(migration)
    return ran


def require_current(database: peewee.Database) -> None:
    """Raise `StartError` unless the database has the schema of this very version."""
    applied, numbers = find_applied(database), {migration.number for migration in MIGRATIONS}
    if not applied:
        raise StartError("this is not the database of a hub")
    _refuse_unknown(applied, numbers)
    if applied != numbers:
        raise StartError("the database is of an older version: `beszel-hub store info` brings it to this one")


def finish_move(database: peewee.Database) -> None:
    """In a write: what was moved there is complete, and a hub may start on it."""
    mark = database.param
    database.execute_sql(f"DELETE FROM migrations WHERE number = {mark}", (UNFINISHED.number,))  # noqa: S608


def find_applied(database: peewee.Database) -> set[int]:
    """The numbers of the migrations that have run."""
    if not database.table_exists("migrations"):
        return set()
    return {int(number) for (number,) in database.execute_sql("SELECT number FROM migrations").fetchall()}


def _refuse_unknown(applied: set[int], known: set[int]) -> None:
    unknown = applied - known
    if UNFINISHED.number in unknown:
        raise StartError("the database is part of a move that was cut off: run `beszel-hub store move` again")
    if unknown:
        raise StartError(f"the database has schema {max(unknown)}; this version knows those up to {max(known)}")


def _apply(database: peewee.Database, migration: Migration, spelling: Spelling) -> None:
    for statement in migration.statements:
        alternatives = (statement,) if isinstance(statement, str) else getattr(statement, spelling.alternative)
        for alternative in alternatives:
            database.execute_sql(spelling.spell(alternative))
    mark = database.param
    database.execute_sql(
        f"INSERT INTO migrations (number, name, applied) VALUES ({mark}, {mark}, {mark})",  # noqa: S608
        (migration.number, migration.name, system_clock()),
    )
