"""What SQLite and PostgreSQL do each in its own way; everything else about the store is the same for both."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import peewee

from beszel_hub.store.migrations import Migration

Place: TypeAlias = Path | str
"""A file of SQLite, or the URL of a PostgreSQL database."""


class FileSize(NamedTuple):
    """Of the database, in bytes."""

    whole: int
    free: int
    """Room that deleted rows have left, for others or to be given back."""


class Dialect(Protocol):
    """One kind of database at one place. `writing` and `reading` keep a connection for each thread that uses them."""

    name: str
    place: str
    """As people may see it: without a password."""
    failures: tuple[type[Exception], ...]
    """What comes of a database that cannot be used, reached or understood."""

    @property
    def writing(self) -> peewee.Database: ...

    @property
    def reading(self) -> peewee.Database: ...

    def prepare(self, migrations: Sequence[Migration] = ..., /) -> None:
        """Create or upgrade the database; raise `StartError` if it cannot be used or is newer than this version."""

    def claim(self) -> None:
        """On the writer's thread: be the only hub that serves this database, or raise `StartError`."""

    def attach(self, connections: peewee.Database) -> None:
        """A worker's thread begins."""

    def detach(self, connections: peewee.Database) -> None:
        """A worker's thread ends."""

    def read_transaction(self, timeout_seconds: float) -> AbstractContextManager[Any]:
        """All that is read in it is of one commit, nothing can be written, and nothing takes longer than this."""

    def write_transaction(self) -> AbstractContextManager[Any]:
        """Nobody else writes, from its beginning to its end."""

    def can_go_on(self) -> bool:
        """On the writer's thread: whether a transaction is left after something in it has failed."""

    def changed_elsewhere(self) -> bool:
        """On the writer's thread: whether another process has written since the last call; False at the first."""

    def measure(self) -> FileSize:
        """On a reader's thread, in a transaction."""

    def reclaim(self, pages: int, /) -> bool:
        """On the writer's thread: give room back to the filesystem; whether there was any."""

    def provide_partition(self, table: str, instant_ms: int, tier: int | None = None) -> None:
        """In a write: have a place ready for history of that time, where tables are divided by it."""

    def drop_partitions(self, table: str, before_ms: int, tier: int | None = None) -> None:
        """In a write: give back whole what is empty and lies before an instant."""

    def adopt(self, table: str, key: str | None, newest: int | None, /) -> None:
        """In a write: rows have come from elsewhere; `key` counts up by itself, and the next comes after `newest`."""

    def translate(self, error: Exception) -> Exception:
        """What passes by itself becomes `Unavailable`, a broken rule `Conflict`; all else comes back as it is."""
