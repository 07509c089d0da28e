"""Locks between processes: files that one process holds, and that are free again when it ends, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beszel_hub.store.files import make_private_file


class Held(Exception):
    """Another process holds the lock."""


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock until the block ends; raise `Held` if somebody else does."""
    make_private_file(path)
    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Held from error
        yield
