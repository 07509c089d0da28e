"""Many rows by one prepared statement: of the way Peewee writes thousands of rows, most is the making of its text."""

from collections.abc import Sequence
from typing import Any

import peewee

from beszel_hub.store.tables import bound_database


def execute_many(query: Any, rows: Sequence[Sequence[object]]) -> None:
    """Run an insert of one row, with `fields`, for each of these; their values are as the database takes them.

    Raises `peewee.DatabaseError` as the query itself would.
    """
    statement, _ = query.sql()
    with peewee.__exception_wrapper__:  # type: ignore[attr-defined]  # what `execute` itself is wrapped in
        bound_database().cursor().executemany(statement, rows)
