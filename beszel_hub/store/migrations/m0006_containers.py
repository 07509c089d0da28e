"""Containers as last seen."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE containers (
        system_id TEXT NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
        id TEXT NOT NULL,
        facts TEXT NOT NULL,
        seen BIGINT NOT NULL,
        PRIMARY KEY (system_id, id)
    ) WITHOUT ROWID
    """,
)
