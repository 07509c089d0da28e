"""Files that only their owner may read, whatever the umask of whoever started the hub."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE_DIRECTORY_MODE: Final = 0o700
PRIVATE_FILE_MODE: Final = 0o600


def make_private_directory(path: Path) -> None:
    """Create `path` with its parents; also takes others' rights away from one that exists."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(PRIVATE_DIRECTORY_MODE)


def make_private_file(path: Path) -> None:
    """Create `path` empty unless it is there; in both cases only its owner may use it afterwards."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, PRIVATE_FILE_MODE)
    try:
        os.fchmod(descriptor, PRIVATE_FILE_MODE)
    finally:
        os.close(descriptor)


def give_to_owner_of(directory: Path, *paths: Path) -> None:
    """What root makes in somebody's directory is theirs: a hub that runs as another user could not read it else."""
    if os.geteuid() == 0:
        owner = directory.stat()
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)


def write_private_file(path: Path, content: bytes) -> None:
    """Write `path` in one step: a reader, or a crash, finds the old content or the new, never a part."""
    temporary = _write_beside(path, content)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def create_private_file(path: Path, content: bytes) -> bool:
    """Write `path` in one step unless it is there; False if it was, then it stays as it is."""
    temporary = _write_beside(path, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True


def _write_beside(path: Path, content: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), PRIVATE_FILE_MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def sync_directory(path: Path) -> None:
    """Have names that were made, changed or removed there survive a crash."""
    # Some filesystems cannot sync a directory; the rename itself is done all the same.
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
