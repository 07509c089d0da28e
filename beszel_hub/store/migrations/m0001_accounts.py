"""Users and their API tokens. Instants are milliseconds since the epoch."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE users (
        id TEXT NOT NULL PRIMARY KEY,
        email TEXT NOT NULL,
        username TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('admin', 'user', 'readonly')),
        verified BOOLEAN NOT NULL,
        email_visibility BOOLEAN NOT NULL,
        password_hash TEXT NOT NULL,
        token_key TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX users_email ON users (lower(email))",
    "CREATE UNIQUE INDEX users_username ON users (lower(username))",
    """
    CREATE TABLE api_tokens (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        scope TEXT NOT NULL CHECK (scope IN ('read', 'write')),
        system_ids TEXT,
        expires BIGINT NOT NULL,
        last_used BIGINT,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE INDEX api_tokens_user ON api_tokens (user_id)",
)
