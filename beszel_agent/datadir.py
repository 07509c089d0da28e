"""The agent's data directory: the little it keeps between starts, for its own user only."""

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from beszel_agent.errors import DataDirError
from beszel_agent.system import data_dirs, host_system

_LOCK_NAME: Final = "lock"
_PRIVATE_FILE: Final = 0o600
_PRIVATE_DIR: Final = 0o700


def default_dirs() -> tuple[Path, ...]:
    return data_dirs(host_system())


def choose_data_dir(wanted: str | None, candidates: Iterable[Path]) -> Path:
    """Without a wish: the first candidate that is there and writable, else the first that can be made."""
    if wanted is not None:
        path = Path(wanted).expanduser()
        if _can_use(path, make=True):
            return path
        raise DataDirError(f"DATA_DIR {path} cannot be made or written to by this user")
    candidates = tuple(candidates)
    there = next((path for path in candidates if _can_use(path, make=False)), None)
    return there or make_dir(candidates)


def make_dir(candidates: Iterable[Path]) -> Path:
    """The first that is there and writable or can be made. Raise `DataDirError`."""
    candidates = tuple(candidates)
    for path in candidates:
        if _can_use(path, make=True):
            return path
    raise DataDirError(f"none of {', '.join(map(str, candidates))} can be written to; set DATA_DIR")


def find_data_dir(wanted: str | None, candidates: Iterable[Path]) -> Path | None:
    """The directory that a running agent with the same settings uses; None if there is none. Makes nothing."""
    paths = candidates if wanted is None else (Path(wanted).expanduser(),)
    return next((path for path in paths if _can_use(path, make=False)), None)


class DataDir:
    """Files of mode 0600 in a directory, whatever the umask."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def claim(self) -> Self:
        """Make this process the only agent of the directory until it ends. Raise `DataDirError` if there is one."""
        lock = self.path / _LOCK_NAME
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        except OSError as error:  # such as one that an agent of another user has left
            raise DataDirError(f"cannot open {lock}: {error.strerror}") from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise DataDirError(f"another agent runs with {self.path}; give this one its own DATA_DIR") from error
        self._lock = descriptor
        return self

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self, name: str) -> str | None:
        """None if there is no such file."""
        try:
            return (self.path / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise DataDirError(f"cannot read {self.path / name}: {error}") from error

    def write(self, name: str, text: str, *, durably: bool = True) -> None:
        """Replace a file as a whole, so that nobody ever reads half of it."""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text + "\n")
                    file.flush()
                    if durably:
                        os.fsync(file.fileno())
                Path(temporary).replace(self.path / name)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise DataDirError(f"cannot write {self.path / name}: {error}") from error

    def remove(self, name: str) -> None:
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise DataDirError(f"cannot remove {self.path / name}: {error}") from error


def _lock(descriptor: int) -> None:
    """Until it is closed. Raise OSError if another process has it."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - only there

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - not there

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _can_use(path: Path, *, make: bool) -> bool:
    try:
        if make:
            path.mkdir(_PRIVATE_DIR, parents=True, exist_ok=True)
        return path.is_dir() and os.access(path, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        return False
