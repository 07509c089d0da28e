"""Commands on backups; made beside a running hub, put back without one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec

from beszel_hub.backups.making import make_backup, require_file
from beszel_hub.backups.manifest import HUB_KEY_NAME, Manifest
from beszel_hub.backups.names import check_name, make_name
from beszel_hub.backups.restoring import (
    alone,
    check_backup,
    refuse_half_restored,
    request_restore,
    requested_restore,
    restore,
)
from beszel_hub.backups.shelf import BackupFile, Shelf
from beszel_hub.cli.opening import note, open_database, prepare_directory
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import CommandFailed, HubError
from beszel_protocol.timestamps import format_timestamp
from beszel_protocol.units import format_bytes

_log = logging.getLogger(__name__)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A new backup."""

    file: str
    bytes: int
    manifest: Manifest


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore has done."""

    manifest: Manifest
    aside: str
    """Where the data of before is."""


def create_backup(config: HubConfig, name: str) -> Made:
    """Raise `BackupFailed` if it cannot be made; an empty name stands for one made of the time.

    Half of a restore is not backed up: `StartError`.
    """
    require_file(config)
    refuse_half_restored(config)
    key = check_name(name) if name else make_name(system_clock())
    manifest = make_backup(config, key, system_clock)
    with open_database(config) as database:
        database.write_now(lambda: note("backups.create", "backups", key))
    path = config.backups_path / key
    return Made(file=str(path), bytes=path.stat().st_size, manifest=manifest)


def list_backups(config: HubConfig) -> list[BackupFile]:
    """Newest first."""
    return Shelf(config.backups_path).files()


def describe_file(file: BackupFile) -> str:
    return f"{format_timestamp(file.modified_ms)}  {format_bytes(file.bytes):>10}  {file.key}"


def describe_manifest(manifest: Manifest) -> str:
    size = format_bytes(sum(member.bytes for member in manifest.members))
    key = "" if manifest.has(HUB_KEY_NAME) else "; the hub's key is not in it, keep what KEY names"
    return f"of {manifest.created}, by version {manifest.version}, {size} unpacked{key}"


def check(config: HubConfig, file: str) -> Manifest:
    """Raise `InvalidBackup` if it could not be put back, `CommandFailed` if there is none."""
    path = _find(config, file)
    with _undisturbed(config, path):
        return check_backup(path)


def put_back(config: HubConfig, file: str) -> Back:
    """Raise `BackupFailed` beside a running hub, `InvalidBackup` for what cannot be put back: nothing has changed."""
    path = _find(config, file)
    prepare_directory(config.data_dir)
    with alone(config):
        return _put_back(config, path)


def put_back_as_requested(config: HubConfig) -> None:
    """What somebody asked of the running hub before it was stopped; without that backup the hub starts as it is.

    For a server that nobody can start a second time.
    """
    key = requested_restore(config)
    if not key:
        return
    try:
        back = _put_back(config, Shelf(config.backups_path).find(key))
    except HubError as error:
        request_restore(config, "")
        _log.error("the backup %s could not be put back, the hub starts as it was: %s", key, error)
    else:
        _log.warning("put back the backup %s (%s)", key, describe_manifest(back.manifest))
        _log.warning("the data of before is in %s", back.aside)


def _put_back(config: HubConfig, path: Path) -> Back:
    restored = restore(config, path, system_clock)
    with open_database(config) as database:
        database.write_now(lambda: note("backups.restore", "backups", path.name, aside=restored.aside.name))
    return Back(manifest=restored.manifest, aside=str(restored.aside))


def _find(config: HubConfig, file: str) -> Path:
    """A file, or the key of one in the directory of backups."""
    for path in (Path(file), config.backups_path / file):
        if path.is_file():
            return path.absolute()
    raise CommandFailed(f"there is no backup {file}")


@contextmanager
def _undisturbed(config: HubConfig, path: Path) -> Iterator[None]:
    """In the hub's own directory nobody sweeps up meanwhile."""
    is_own = path.parent.resolve() == config.backups_path.resolve()
    with Shelf(config.backups_path).work() if is_own else nullcontext():
        yield
