"""Takes a database from whatever version it has to the newest."""

from collections.abc import Sequence
from typing import Final

import peewee

from beszel_hub.clock import system_clock
from beszel_hub.errors import StartError
from beszel_hub.store.migrations import MIGRATIONS, Migration

_CREATE_HISTORY: Final = (
    "CREATE TABLE IF NOT EXISTS migrations (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,"
    " applied BIGINT NOT NULL)"
)


def migrate(database: peewee.Database, migrations: Sequence[Migration] = MIGRATIONS) -> list[Migration]:
    """Run what is missing, each migration in one transaction, and return those that ran.

    Two processes may start at once: each looks again once it holds the write lock. Raises `StartError` if the schema is
    newer than the newest of `migrations`.
    """
    newest = migrations[-1].number
    if _version(database) == newest:
        return []
    ran: list[Migration] = []
    for migration in migrations:
        with database.atomic("IMMEDIATE"):
            database.execute_sql(_CREATE_HISTORY)
            version = _version(database)
            if version > newest:
                raise StartError(f"the database has schema {version}; this version knows no newer one than {newest}")
            if version < migration.number:
                _apply(database, migration)
                ran.append(migration)
    return ran


def _apply(database: peewee.Database, migration: Migration) -> None:
    for statement in migration.statements:
        database.execute_sql(statement)
    database.execute_sql(
        "INSERT INTO migrations (number, name, applied) VALUES (?, ?, ?)",
        (migration.number, migration.name, system_clock()),
    )


def _version(database: peewee.Database) -> int:
    if not database.table_exists("migrations"):
        return 0
    (number,) = database.execute_sql("SELECT max(number) FROM migrations").fetchone()
    return int(number or 0)
