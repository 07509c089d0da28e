"""The directory of backups: what is there, and one backup or restore at a time, whichever process does it."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from beszel_hub.backups.names import is_key
from beszel_hub.errors import BackupFailed, NotFound
from beszel_hub.store.files import give_to_owner_of, make_private_directory
from beszel_hub.store.locks import Held, hold

PART_SUFFIX: Final = ".part"
"""Of what is not finished; such a file is never listed, and removed by the next backup."""
_LOCK_NAME: Final = ".lock"


class BackupFile(msgspec.Struct, frozen=True, kw_only=True):
    """One that is finished."""

    key: str
    """The file's name."""
    bytes: int
    modified_ms: int


class Shelf:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def files(self) -> list[BackupFile]:
        """Newest first."""
        try:
            with os.scandir(self.directory) as entries:
                found = [file for entry in entries if (file := _describe(entry.name, Path(entry.path))) is not None]
        except FileNotFoundError:
            return []
        return sorted(found, key=lambda file: (-file.modified_ms, file.key))

    def find(self, key: str) -> Path:
        """Raise `NotFound` for what is no backup here."""
        if _describe(key, self.directory / key) is None:
            raise NotFound("There is no such backup.")
        return self.directory / key

    def delete(self, key: str) -> None:
        """Raise `NotFound` if it is not there."""
        path = self.find(key)
        try:
            path.unlink()
        except FileNotFoundError as error:
            raise NotFound("There is no such backup.") from error
        except OSError as error:
            raise BackupFailed(f"The backup cannot be deleted: {error.strerror}.") from error

    @contextmanager
    def work(self) -> Iterator[None]:
        """Until the block ends nobody else makes a backup, or puts one back; raise `BackupFailed` if somebody does."""
        try:
            make_private_directory(self.directory)
        except OSError as error:
            raise BackupFailed(f"{self.directory} cannot be used: {error.strerror}.") from error
        lock = self.directory / _LOCK_NAME
        try:
            with hold(lock):
                give_to_owner_of(self.directory.parent, self.directory, lock)
                self._sweep()
                yield
        except Held as error:
            raise BackupFailed("Another backup or restore is being made; try again later.") from error

    def _sweep(self) -> None:
        """Remove what was left by those that were killed."""
        for left in self.directory.glob(f".*{PART_SUFFIX}*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _describe(key: str, path: Path) -> BackupFile | None:
    if not is_key(key):
        return None
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return BackupFile(key=key, bytes=status.st_size, modified_ms=status.st_mtime_ns // 1_000_000)
