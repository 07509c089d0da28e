"""The database of a Beszel, read from a copy: nothing in its own directory is opened for writing, locked or created.

SQLite itself would make files beside a database it only reads. A database that changes while it is copied is refused.
What is in it was written by somebody else, so it is read with every guard SQLite has.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from beszel_hub.errors import CommandFailed

COPY_ATTEMPTS: Final = 3
MAX_VALUE_BYTES: Final = 8 << 20
"""Of one text in one row; Beszel itself takes 2 MB."""
_FETCHED_ROWS: Final = 200
_PARTS: Final = ("", "-wal")

Row = dict[str, Any]

_SELECT: Final = {
    "users": "SELECT * FROM users ORDER BY created, id",
    "systems": "SELECT * FROM systems ORDER BY created, id",
    "system_details": "SELECT * FROM system_details",
    "fingerprints": "SELECT * FROM fingerprints",
    "universal_tokens": "SELECT * FROM universal_tokens",
    "user_settings": "SELECT * FROM user_settings",
    "alerts": "SELECT * FROM alerts",
    "quiet_hours": "SELECT * FROM quiet_hours",
    "alerts_history": "SELECT * FROM alerts_history ORDER BY created, id",
}
_COUNT: Final = {
    "_superusers": "SELECT count(*) FROM _superusers",
    "containers": "SELECT count(*) FROM containers",
    "systemd_services": "SELECT count(*) FROM systemd_services",
    "smart_devices": "SELECT count(*) FROM smart_devices",
    "system_stats": "SELECT count(*) FROM system_stats",
    "container_stats": "SELECT count(*) FROM container_stats",
}
_STATISTICS: Final = {
    "system_stats": "SELECT created, stats FROM system_stats WHERE system = ? AND type = ? ORDER BY created",
    "container_stats": "SELECT created, stats FROM container_stats WHERE system = ? AND type = ? ORDER BY created",
}


class SourceDatabase:
    """Made by `open_source`. A table that is not there has no rows; columns are whatever that version had."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        self.tables = frozenset(str(row["name"]) for row in found)

    def rows(self, table: str) -> Iterator[Row]:
        yield from self._read(table, _SELECT[table], ())

    def statistics(self, table: str, system_id: str, kind: str) -> Iterator[Row]:
        """Rows of one system and one of Beszel's intervals, oldest first."""
        yield from self._read(table, _STATISTICS[table], (system_id, kind))

    def count(self, table: str) -> int:
        return next((int(row["count(*)"]) for row in self._read(table, _COUNT[table], ())), 0)

    def _read(self, table: str, query: str, parameters: tuple[str, ...]) -> Iterator[Row]:
        if table not in self.tables:
            return
        try:
            cursor = self._connection.execute(query, parameters)
            while rows := cursor.fetchmany(_FETCHED_ROWS):
                for row in rows:
                    yield dict(row)
        except (sqlite3.DatabaseError, OverflowError, UnicodeDecodeError) as error:
            raise CommandFailed(f"the table {table} of that database cannot be read: {error}") from error


@contextmanager
def open_source(path: Path, scratch: Path) -> Iterator[SourceDatabase]:
    """The database in `path` (a data directory, or the file itself), copied into `scratch` while it is used.

    Raises `CommandFailed` if there is none, it is damaged, or it keeps changing.
    """
    file = path / "data.db" if path.is_dir() else path
    if not file.is_file():
        raise CommandFailed(f"there is no Beszel database at {file}")
    try:
        with tempfile.TemporaryDirectory(prefix=".takeover-", dir=scratch) as directory:
            copy = Path(directory) / "data.db"
            _copy(file, copy)
            with closing(_connect(copy)) as connection:
                yield SourceDatabase(connection)
    except sqlite3.DatabaseError as error:
        raise CommandFailed(f"{file} is no database of a Beszel: {error}") from error
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror or error}") from error


def _copy(file: Path, copy: Path) -> None:
    for _ in range(COPY_ATTEMPTS):
        before = _state(file)
        _require_room(file, copy)
        for part in _PARTS:
            beside = Path(f"{file}{part}")
            Path(f"{copy}{part}").unlink(missing_ok=True)
            if beside.exists():
                shutil.copyfile(beside, f"{copy}{part}")
        if _state(file) == before:
            return
    raise CommandFailed(f"{file} is being written to: stop that Beszel, or give a backup of its data")


def _state(file: Path) -> list[tuple[int, int] | None]:
    """What changes with every write."""
    found = []
    for part in _PARTS:
        path = Path(f"{file}{part}")
        facts = path.stat() if path.exists() else None
        found.append(None if facts is None else (facts.st_size, facts.st_mtime_ns))
    return found


def _require_room(file: Path, copy: Path) -> None:
    needed = sum(Path(f"{file}{part}").stat().st_size for part in _PARTS if Path(f"{file}{part}").exists())
    free = shutil.disk_usage(copy.parent).free
    if needed > free:
        raise CommandFailed(f"copying {file} needs {needed >> 20} MiB, and {copy.parent.parent} has {free >> 20} left")


def _connect(copy: Path) -> sqlite3.Connection:
    # Rows are read where they are written, on the database's own thread, while the caller waits for it.
    connection = sqlite3.connect(copy, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    for pragma in ("PRAGMA trusted_schema = 0", "PRAGMA cell_size_check = 1", "PRAGMA query_only = 1"):
        connection.execute(pragma)
    return connection
