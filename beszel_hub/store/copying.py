"""Copies of a SQLite database that is in use, and whether a copy is sound.

A copy is of one commit: it reads in a transaction of its own, for which no writer waits, and which only keeps the log
from being folded into the file until the copy is done.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from beszel_hub.errors import BackupFailed, InvalidBackup, Unavailable

STEP_PAGES: Final = 256
"""A mebibyte; after each it is asked whether to go on."""
_BUSY_TIMEOUT_SECONDS: Final = 10.0
_OPCODES_BETWEEN_CHECKS: Final = 100_000

IsStopped = Callable[[], bool]


def copy_database(source: Path, target: Path, is_stopped: IsStopped) -> None:
    """Copy to `target`, which is not there yet; raise `BackupFailed` if that cannot be."""

    def go_on(_status: int, _remaining: int, _total: int) -> None:
        if is_stopped():
            raise Unavailable("The hub is stopping.")

    try:
        with closing(_connect(source, "rw")) as reading, closing(_connect(target, "rwc")) as writing:
            reading.execute("PRAGMA query_only = 1")
            writing.execute("PRAGMA synchronous = 0")  # what a crash leaves of a copy is thrown away
            reading.execute("BEGIN")
            reading.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()  # the commit is chosen here
            reading.backup(writing, pages=STEP_PAGES, progress=go_on)
    except sqlite3.Error as error:
        raise BackupFailed(f"The database cannot be copied: {error}.") from error


def check_database(path: Path, is_stopped: IsStopped) -> frozenset[int]:
    """The numbers of the migrations that a copy has had; raise `InvalidBackup` if it is not sound.

    Nobody else may use it.
    """
    try:
        with closing(_connect(path, "ro&immutable=1")) as database:
            database.set_progress_handler(lambda: int(is_stopped()), _OPCODES_BETWEEN_CHECKS)
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise InvalidBackup(f"The database is damaged: {verdict}.")
            return frozenset(int(number) for (number,) in database.execute("SELECT number FROM migrations"))
    except sqlite3.Error as error:
        if is_stopped():
            raise Unavailable("The hub is stopping.") from error
        raise InvalidBackup(f"The database is damaged: {error}.") from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_SECONDS
    )
