"""Users' settings."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE user_settings (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
        settings TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
)
