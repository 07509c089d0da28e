"""Tiers of history: what is kept of the series over longer intervals, what of it has still to be made, and since when.

`rollups.tier` is a resolution in seconds, and 0 in `history_floors` stands for single samples.
"""

from typing import Final

from beszel_hub.store.migrations.spelling import Spelled

STATEMENTS: Final = (
    "ALTER TABLE systems ADD COLUMN retention TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE chunks ADD COLUMN readings BIGINT NOT NULL DEFAULT 0",
    Spelled(
        sqlite=(
            """
            CREATE TABLE rollups (
                id INTEGER NOT NULL PRIMARY KEY,
                system_id TEXT NOT NULL,
                tier INTEGER NOT NULL,
                first BIGINT NOT NULL,
                last BIGINT NOT NULL,
                numbers BIGINT NOT NULL,
                data BLOB NOT NULL
            )
            """,
        ),
        postgresql=(
            """
            CREATE TABLE rollups (
                id BIGSERIAL,
                system_id TEXT NOT NULL,
                tier INTEGER NOT NULL,
                first BIGINT NOT NULL,
                last BIGINT NOT NULL,
                numbers BIGINT NOT NULL,
                data BLOB NOT NULL,
                PRIMARY KEY (id, tier, first)
            ) PARTITION BY RANGE (tier, first)
            """,
            "CREATE TABLE rollups_rest PARTITION OF rollups DEFAULT",
        ),
    ),
    "CREATE INDEX rollups_system ON rollups (system_id, tier, first)",
    "CREATE INDEX rollups_age ON rollups (tier, first)",
    """
    CREATE TABLE rollups_due (
        system_id TEXT NOT NULL,
        span INTEGER NOT NULL,
        start BIGINT NOT NULL,
        revision INTEGER NOT NULL,
        PRIMARY KEY (system_id, span, start)
    )
    """,
    """
    CREATE TABLE history_floors (
        system_id TEXT NOT NULL,
        tier INTEGER NOT NULL,
        instant BIGINT NOT NULL,
        PRIMARY KEY (system_id, tier)
    )
    """,
    # Samples that were sealed before there were tiers are rolled up as well.
    """
    INSERT INTO rollups_due (system_id, span, start, revision)
    SELECT DISTINCT system_id, 3600, first - first % 3600000, 0 FROM chunks
    """,
)
