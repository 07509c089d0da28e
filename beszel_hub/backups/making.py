"""Makes a backup, beside the hub that goes on: a copy of one commit, checked, and the files that belong to it.

Nothing has the backup's name before all of it is on disk. Blocks for as long as it takes: call it in a thread.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from beszel_hub.backups.archive import write_archive
from beszel_hub.backups.manifest import DATABASE_NAME, FORMAT, MEMBER_NAMES, Manifest, Member
from beszel_hub.backups.shelf import PART_SUFFIX, Shelf
from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import BackupFailed, invalid_field
from beszel_hub.store.copying import IsStopped, check_database, copy_database
from beszel_hub.store.files import give_to_owner_of, make_private_file, sync_directory
from beszel_protocol.timestamps import format_timestamp
from beszel_protocol.units import format_bytes
from beszel_protocol.version import VERSION

SPARE_BYTES: Final = 16 << 20
"""Left free for the hub beside us."""
NOT_FOR_POSTGRESQL: Final = (
    "The database of this hub is in PostgreSQL: back it up with pg_dump, and with it secret.key, id_ed25519, "
    "config.yml and alerts.yml of the data directory."
)


def require_file(config: HubConfig) -> Path:
    """Where the database is; raise `BackupFailed` if it is not in a file."""
    if not isinstance(config.database, Path):
        raise BackupFailed(NOT_FOR_POSTGRESQL)
    return config.database


def make_backup(config: HubConfig, key: str, clock: Clock, is_stopped: IsStopped = lambda: False) -> Manifest:
    """Make the backup `key` of what is stored now; raise `BackupFailed` if that cannot be, and leave nothing then."""
    database = require_file(config)
    if not (database.exists() and config.secret_path.exists()):
        raise BackupFailed(f"No hub has served {config.data_dir} yet.")
    shelf = Shelf(config.backups_path)
    try:
        with shelf.work():
            if (shelf.directory / key).exists():
                raise invalid_field("name", "validation_backup_name_exists", "There is a backup of that name already.")
            _require_room(shelf.directory, database)
            return _make(config, database, shelf.directory / key, clock, is_stopped)
    except OSError as error:
        raise BackupFailed(f"The backup cannot be written: {error.strerror or error}.") from error


def _make(config: HubConfig, database: Path, target: Path, clock: Clock, is_stopped: IsStopped) -> Manifest:
    copy = target.with_name(f".{target.name}.db{PART_SUFFIX}")
    part = target.with_name(f".{target.name}{PART_SUFFIX}")
    members = {name: config.data_dir / name for name in MEMBER_NAMES}
    members = {name: path for name, path in members.items() if path.is_file()} | {DATABASE_NAME: copy}
    try:
        make_private_file(copy)
        created = format_timestamp(clock())
        copy_database(database, copy, is_stopped)
        schema = max(check_database(copy, is_stopped), default=0)

        def describe(written: tuple[Member, ...]) -> Manifest:
            return Manifest(format=FORMAT, version=VERSION, schema=schema, created=created, members=written)

        make_private_file(part)
        with part.open("wb") as file:
            manifest = write_archive(file, members, describe, is_stopped)
            file.flush()
            os.fsync(file.fileno())
        give_to_owner_of(config.data_dir, part)
        part.rename(target)
        sync_directory(target.parent)
        return manifest
    finally:
        for left in (copy, part, *_companions(copy)):
            left.unlink(missing_ok=True)


def _require_room(directory: Path, database: Path) -> None:
    """For the copy and the archive, which are there at the same time."""
    size = sum(path.stat().st_size for path in (database, *_companions(database)) if path.exists())
    require_room(directory, 2 * size)


def require_room(directory: Path, needed_bytes: int) -> None:
    """Raise `BackupFailed` if the disk is too full."""
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes < needed_bytes + SPARE_BYTES:
        raise BackupFailed(
            f"There is not enough room in {directory}: {format_bytes(needed_bytes + SPARE_BYTES)} are needed, "
            f"{format_bytes(free_bytes)} are free."
        )


def _companions(database: Path) -> Iterable[Path]:
    """Files that SQLite keeps beside a database."""
    return (database.with_name(f"{database.name}{suffix}") for suffix in ("-wal", "-shm", "-journal"))
