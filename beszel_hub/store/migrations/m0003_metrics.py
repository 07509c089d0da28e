"""History: samples as they came, sealed chunks of them, and which sequences of which spool are stored.

Rows of history do not reference their system: a deleted system's history goes in small steps afterwards.
"""

from typing import Final

from beszel_hub.store.migrations.spelling import Spelled

STATEMENTS: Final = (
    """
    CREATE TABLE hot_samples (
        id INTEGER NOT NULL PRIMARY KEY,
        system_id TEXT NOT NULL,
        instant BIGINT NOT NULL,
        mark INTEGER NOT NULL,
        document BLOB NOT NULL
    )
    """,
    "CREATE INDEX hot_samples_system ON hot_samples (system_id, instant)",
    Spelled(
        sqlite=(
            """
            CREATE TABLE chunks (
                id INTEGER NOT NULL PRIMARY KEY,
                system_id TEXT NOT NULL,
                first BIGINT NOT NULL,
                last BIGINT NOT NULL,
                samples INTEGER NOT NULL,
                data BLOB NOT NULL
            )
            """,
        ),
        postgresql=(
            """
            CREATE TABLE chunks (
                id BIGSERIAL,
                system_id TEXT NOT NULL,
                first BIGINT NOT NULL,
                last BIGINT NOT NULL,
                samples INTEGER NOT NULL,
                data BLOB NOT NULL,
                PRIMARY KEY (id, first)
            ) PARTITION BY RANGE (first)
            """,
            "CREATE TABLE chunks_rest PARTITION OF chunks DEFAULT",
        ),
    ),
    "CREATE INDEX chunks_system ON chunks (system_id, first)",
    "CREATE INDEX chunks_last ON chunks (last)",
    """
    CREATE TABLE happenings (
        id INTEGER NOT NULL PRIMARY KEY,
        system_id TEXT NOT NULL,
        instant BIGINT NOT NULL,
        body TEXT NOT NULL
    )
    """,
    "CREATE INDEX happenings_system ON happenings (system_id, instant)",
    """
    CREATE TABLE spools (
        system_id TEXT NOT NULL,
        spool_id TEXT NOT NULL,
        boot_id TEXT NOT NULL,
        spans_boots INTEGER NOT NULL,
        stored TEXT NOT NULL,
        updated BIGINT NOT NULL,
        PRIMARY KEY (system_id, spool_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE history_removals (
        system_id TEXT NOT NULL PRIMARY KEY,
        requested BIGINT NOT NULL
    )
    """,
)
