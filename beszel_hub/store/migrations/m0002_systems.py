"""Systems, who sees them, and how their agents prove themselves."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE systems (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        host TEXT NOT NULL,
        port TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('up', 'down', 'paused', 'pending')),
        status_since BIGINT NOT NULL,
        info TEXT NOT NULL,
        tags TEXT NOT NULL,
        interval_seconds REAL NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE memberships (
        system_id TEXT NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        PRIMARY KEY (system_id, user_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX memberships_user ON memberships (user_id)",
    """
    CREATE TABLE system_details (
        id TEXT NOT NULL PRIMARY KEY REFERENCES systems (id) ON DELETE CASCADE,
        hostname TEXT NOT NULL,
        os INTEGER NOT NULL,
        os_name TEXT NOT NULL,
        kernel TEXT NOT NULL,
        cpu TEXT NOT NULL,
        arch TEXT NOT NULL,
        cores INTEGER NOT NULL,
        threads INTEGER NOT NULL,
        memory BIGINT NOT NULL,
        podman BOOLEAN NOT NULL,
        agent_version TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE agent_tokens (
        id TEXT NOT NULL PRIMARY KEY,
        token_id TEXT NOT NULL UNIQUE,
        sealed BLOB NOT NULL,
        system_id TEXT REFERENCES systems (id) ON DELETE CASCADE,
        owner_id TEXT REFERENCES users (id) ON DELETE CASCADE,
        expires BIGINT,
        created BIGINT NOT NULL,
        CHECK ((system_id IS NULL) <> (owner_id IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX agent_tokens_system ON agent_tokens (system_id)",
    "CREATE INDEX agent_tokens_owner ON agent_tokens (owner_id)",
    """
    CREATE TABLE agent_bindings (
        system_id TEXT NOT NULL PRIMARY KEY REFERENCES systems (id) ON DELETE CASCADE,
        fingerprint TEXT NOT NULL,
        agent_key TEXT NOT NULL,
        owner_id TEXT REFERENCES users (id) ON DELETE CASCADE,
        enrolled BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX agent_bindings_owner ON agent_bindings (owner_id, fingerprint)",
)
