"""What registries say of the images that containers run."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE image_digests (
        reference TEXT NOT NULL PRIMARY KEY,
        digest TEXT,
        told BIGINT NOT NULL,
        due BIGINT NOT NULL
    ) WITHOUT ROWID
    """,
)
