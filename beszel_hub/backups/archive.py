"""The file of a backup: a ZIP archive of members and a manifest. What is read from one counts only once checked.

Nothing in it is compressed once more: sealed history would get 2% smaller for many times the work, and programs that
keep many backups see what two have in common.
"""

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from beszel_hub.backups.manifest import FORMAT, MANIFEST_NAME, MEMBER_NAMES, Manifest, Member
from beszel_hub.errors import InvalidBackup, Unavailable
from beszel_hub.store.copying import IsStopped

BLOCK_BYTES: Final = 1 << 20
_MAX_MANIFEST_BYTES: Final = 64 << 10
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError, NotImplementedError,
    ValueError,
)  # fmt: skip
"""What `zipfile` raises for a file that is damaged, encrypted or of a kind it does not know."""


def write_archive(
    file: IO[bytes], members: dict[str, Path], describe: Callable[[tuple[Member, ...]], Manifest], is_stopped: IsStopped
) -> Manifest:
    """Write the files by the names they get; `describe` is asked for the manifest once all are in."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        manifest = describe(tuple(_add(archive, name, path, is_stopped) for name, path in members.items()))
        archive.writestr(MANIFEST_NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest


def _add(archive: zipfile.ZipFile, name: str, path: Path, is_stopped: IsStopped) -> Member:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        while block := source.read(BLOCK_BYTES):
            if is_stopped():
                raise Unavailable("The hub is stopping.")
            digest.update(block)
            size += len(block)
            target.write(block)
    return Member(name=name, bytes=size, sha256=digest.hexdigest())


class Archive:
    """One that is being read; made by `open_archive`. Every method raises `InvalidBackup` if it is not what it says."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = _read_manifest(archive)

    def extract(self, member: Member, target: IO[bytes] | None, is_stopped: IsStopped) -> None:
        """Write a member to `target`, None to check it only; never more bytes than the manifest has announced."""
        digest, size = hashlib.sha256(), 0
        with _complaining(), self._archive.open(member.name) as source:
            while block := source.read(BLOCK_BYTES):
                if is_stopped():
                    raise Unavailable("The hub is stopping.")
                size += len(block)
                if size > member.bytes:
                    break
                digest.update(block)
                if target is not None:
                    target.write(block)
        if size != member.bytes or digest.hexdigest() != member.sha256:
            raise InvalidBackup(f"The backup is damaged: {member.name} is not what the manifest says.")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Raise `InvalidBackup` for anything but a finished backup in a format that this version knows."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidBackup(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        with _complaining():
            archive = zipfile.ZipFile(file)
        with archive:
            yield Archive(archive)


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    names = sorted(archive.namelist())
    if MANIFEST_NAME not in names:
        raise InvalidBackup
    with _complaining(), archive.open(MANIFEST_NAME) as file:
        text = file.read(_MAX_MANIFEST_BYTES)
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBackup from error
    if manifest.format != FORMAT:
        raise InvalidBackup(f"The backup has format {manifest.format}; this version knows format {FORMAT}.")
    announced = [member.name for member in manifest.members]
    if sorted([*announced, MANIFEST_NAME]) != names or not set(announced) <= set(MEMBER_NAMES):
        raise InvalidBackup("The backup is damaged: its members are not those that the manifest names.")
    return manifest


@contextmanager
def _complaining() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise InvalidBackup(f"The backup is damaged: {error}.") from error
