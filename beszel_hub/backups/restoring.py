"""Puts a backup back in the place of what a data directory has; nothing of that is deleted, it is moved aside.

The whole backup is unpacked and checked before anything moves, and what has moved goes back if the rest cannot. While
files move, `restore.unfinished` lies in the data directory: nobody starts a hub on half of one and half of the other.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from beszel_hub.backups.archive import Archive, open_archive
from beszel_hub.backups.making import require_file, require_room
from beszel_hub.backups.manifest import DATABASE_NAME, MEMBER_NAMES, SECRET_NAME, Manifest
from beszel_hub.backups.shelf import PART_SUFFIX, Shelf
from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import BackupFailed, InvalidBackup, StartError
from beszel_hub.store.copying import IsStopped, check_database
from beszel_hub.store.files import (
    give_to_owner_of,
    make_private_directory,
    make_private_file,
    sync_directory,
    write_private_file,
)
from beszel_hub.store.locks import Held, hold
from beszel_hub.store.migrations import MIGRATIONS

_UNFINISHED: Final = "restore.unfinished"
_REQUEST: Final = "restore.request"
_MOVED: Final = (*MEMBER_NAMES, *(f"{DATABASE_NAME}{suffix}" for suffix in ("-wal", "-shm", "-journal")))
"""What gives way to a backup, also where the backup has nothing of that name."""
_KNOWN: Final = frozenset(migration.number for migration in MIGRATIONS)


class Restored(NamedTuple):
    manifest: Manifest
    aside: Path
    """Where the files that were there before are now."""


def check_backup(path: Path, is_stopped: IsStopped = lambda: False) -> Manifest:
    """Read all of a backup; raise `InvalidBackup` if it could not be put back by this version.

    The database is unpacked beside the backup for that.
    """
    try:
        with _unpacked(path, path.absolute().parent, is_stopped) as (manifest, _):
            return manifest
    except OSError as error:
        raise BackupFailed(f"The backup cannot be unpacked: {error.strerror or error}.") from error


def restore(config: HubConfig, path: Path, clock: Clock) -> Restored:
    """Put a backup in place, on a data directory that nobody uses and where nobody can start a hub; see `alone`.

    Raises `InvalidBackup` or `BackupFailed`, and then everything is as it was.
    """
    require_file(config)
    try:
        with Shelf(config.backups_path).work():
            _sweep(config.data_dir)
            with _unpacked(path, config.data_dir, lambda: False) as (manifest, unpacked):
                aside = _make_aside(config.data_dir, clock())
                give_to_owner_of(config.data_dir, aside, *unpacked.iterdir())
                _move(config.data_dir, unpacked, aside, manifest)
    except OSError as error:
        raise BackupFailed(f"The backup cannot be put back: {error.strerror or error}.") from error
    return Restored(manifest, aside)


@contextmanager
def alone(config: HubConfig) -> Iterator[None]:
    """Raise `BackupFailed` if a hub serves the data directory; until the block ends none starts."""
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(config.lock_path))
            give_to_owner_of(config.data_dir, config.lock_path)
        except Held as error:
            raise BackupFailed(f"A hub serves {config.data_dir}; stop it first.") from error
        except OSError as error:
            raise BackupFailed(f"The lock {config.lock_path} cannot be used: {error.strerror}.") from error
        yield


def request_restore(config: HubConfig, key: str) -> None:
    """Have the next start of the hub put that backup back; empty for none after all."""
    path = config.data_dir / _REQUEST
    if key:
        write_private_file(path, f"{key}\n".encode())
    else:
        path.unlink(missing_ok=True)


def requested_restore(config: HubConfig) -> str:
    """The key of the backup that the next start puts back; empty for none."""
    try:
        return (config.data_dir / _REQUEST).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def refuse_half_restored(config: HubConfig) -> None:
    """Raise `StartError` on what a restore has left that did not end."""
    if (config.data_dir / _UNFINISHED).exists():
        raise StartError(
            f"a restore in {config.data_dir} did not end; run `beszel-hub backup restore` again, or move the files in "
            f"before-restore-… back yourself and delete {_UNFINISHED}"
        )


def _sweep(data_dir: Path) -> None:
    for left in data_dir.glob(f".unpacked-*{PART_SUFFIX}"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _unpacked(path: Path, beside: Path, is_stopped: IsStopped) -> Iterator[tuple[Manifest, Path]]:
    """The manifest, and a directory with every member, checked; removed when the block ends."""
    with open_archive(path) as archive:
        manifest = archive.manifest
        if manifest.schema > max(_KNOWN):
            raise _newer(manifest.schema, manifest)
        if not (manifest.has(DATABASE_NAME) and manifest.has(SECRET_NAME)):
            raise InvalidBackup("The backup has no database, or no secret.")
        require_room(beside, sum(member.bytes for member in manifest.members))
        with tempfile.TemporaryDirectory(dir=beside, prefix=".unpacked-", suffix=PART_SUFFIX) as name:
            directory = Path(name)
            _unpack(archive, directory, is_stopped)
            unknown = check_database(directory / DATABASE_NAME, is_stopped) - _KNOWN
            if unknown:
                raise _newer(max(unknown), manifest)
            yield manifest, directory


def _unpack(archive: Archive, directory: Path, is_stopped: IsStopped) -> None:
    for member in archive.manifest.members:
        target = directory / member.name
        make_private_file(target)
        with target.open("wb") as file:
            archive.extract(member, file, is_stopped)
            file.flush()
            os.fsync(file.fileno())


def _newer(schema: int, manifest: Manifest) -> InvalidBackup:
    return InvalidBackup(
        f"The backup is of version {manifest.version} and has schema {schema}; this version knows those up to "
        f"{max(_KNOWN)}."
    )


def _make_aside(data_dir: Path, now_ms: int) -> Path:
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d%H%M%S")
    number = 0
    while (aside := data_dir / f"before-restore-{stamp}{f'-{number}' if number else ''}").exists():
        number += 1
    make_private_directory(aside)
    return aside


def _move(data_dir: Path, unpacked: Path, aside: Path, manifest: Manifest) -> None:
    mark = data_dir / _UNFINISHED
    moves = [(data_dir / name, aside / name) for name in _MOVED if (data_dir / name).exists()]
    moves += [(unpacked / member.name, data_dir / member.name) for member in manifest.members]
    earlier = mark.read_bytes() if mark.exists() else b""
    write_private_file(mark, earlier + f"{aside.name}\n".encode())
    _rename_all(moves, mark, earlier)
    sync_directory(aside)
    sync_directory(data_dir)
    mark.unlink()
    (data_dir / _REQUEST).unlink(missing_ok=True)
    sync_directory(data_dir)


def _rename_all(moves: list[tuple[Path, Path]], mark: Path, earlier: bytes) -> None:
    """All, or none and the mark as it was; a file that something is mounted on cannot be moved, for one.

    `earlier` is the mark of a restore that did not end: what this one has put back is still half of that.
    """
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.rename(target)
            done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            target.rename(source)
        if earlier:
            write_private_file(mark, earlier)
        else:
            mark.unlink()
        raise
