"""Which spelling the database of this thread understands."""

from collections.abc import Mapping
from typing import Final

from beszel_hub.records.dialect import Spelling
from beszel_hub.records.dialect_postgresql import PostgresqlSpelling
from beszel_hub.records.dialect_sqlite import SqliteSpelling
from beszel_hub.store.tables import bound_dialect

_SPELLINGS: Final[Mapping[str, Spelling]] = {"sqlite": SqliteSpelling(), "postgresql": PostgresqlSpelling()}


def spelling() -> Spelling:
    """Raise RuntimeError outside `Database.read` and `Database.write`."""
    return _SPELLINGS[bound_dialect().name]
