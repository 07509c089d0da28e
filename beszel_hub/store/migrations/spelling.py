"""How the statements of migrations are written: as SQLite knows them, and where that is not enough, twice.

Statements are SQLite's, with no more types than TEXT, INTEGER, BIGINT, REAL, BOOLEAN and BLOB. `to_postgresql` is all
that it takes to have them understood there.
"""

import re
from typing import Final, NamedTuple


class Spelled(NamedTuple):
    """Statements that have no common form."""

    sqlite: tuple[str, ...]
    postgresql: tuple[str, ...]


_WORDS: Final = {
    "INTEGER NOT NULL PRIMARY KEY": "BIGSERIAL PRIMARY KEY",
    "INTEGER": "BIGINT",
    "REAL": "DOUBLE PRECISION",
    "BLOB": "BYTEA",
    # Texts are compared byte by byte, as in SQLite; without a case but for that of ASCII letters.
    "TEXT": 'TEXT COLLATE "C"',
    "WITHOUT ROWID": "",
}
_PATTERN: Final = re.compile("|".join(rf"\b{word}\b" for word in _WORDS))


def to_postgresql(statement: str) -> str:
    """One statement, with the types that PostgreSQL has for those of SQLite, and as its driver takes it."""
    return _PATTERN.sub(lambda match: _WORDS[match[0]], statement).replace("%", "%%")
