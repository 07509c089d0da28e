"""Checks that agents make of other services, and the revision of what each agent is configured with."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE checks (
        id TEXT NOT NULL PRIMARY KEY,
        system_id TEXT NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        target TEXT NOT NULL,
        interval_seconds REAL NOT NULL,
        timeout_seconds REAL NOT NULL,
        is_enabled BOOLEAN NOT NULL,
        allow_private BOOLEAN NOT NULL,
        keyword TEXT NOT NULL,
        method TEXT NOT NULL,
        expected_status TEXT NOT NULL,
        follow_redirects BOOLEAN NOT NULL,
        verify_certificate BOOLEAN NOT NULL,
        record TEXT NOT NULL,
        server TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX checks_name ON checks (system_id, name)",
    """
    CREATE TABLE configurations (
        system_id TEXT NOT NULL PRIMARY KEY REFERENCES systems (id) ON DELETE CASCADE,
        revision BIGINT NOT NULL
    ) WITHOUT ROWID
    """,
)
