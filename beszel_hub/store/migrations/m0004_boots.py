"""Agents say themselves which records are of an earlier boot, so nothing has to be guessed from their spools."""

from typing import Final

STATEMENTS: Final = (
    "ALTER TABLE spools DROP COLUMN boot_id",
    "ALTER TABLE spools DROP COLUMN spans_boots",
)
