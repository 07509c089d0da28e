"""What `pacman -Syu` would bring, from its databases, as of the last time that they were synchronized."""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from beszel_agent.errors import ReadingFailed
from beszel_agent.packages.versions import pacman_is_newer
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.sample import UpdateMetrics

LOCAL: Final = "/var/lib/pacman/local"

_SYNC: Final = "/var/lib/pacman/sync"
WATCHED: Final = (LOCAL, _SYNC)
_CONFIG: Final = "pacman.conf"


def read_updates(paths: HostPaths) -> UpdateMetrics:
    """Raise OSError or `ReadingFailed`."""
    installed = dict(split_names(os.listdir(paths.root(LOCAL))))  # noqa: PTH208 - as everywhere, a path is a text here
    ignored = parse_ignored(read_text_or_none(paths.etc(_CONFIG)) or "")
    directory = paths.root(_SYNC)
    databases = sorted(name for name in os.listdir(directory) if name.endswith(".db"))  # noqa: PTH208
    if not databases:
        raise ReadingFailed("pacman has no databases; `pacman -Sy` fetches them")
    pending = set()
    for database in databases:
        for name, version in split_names(_directories(f"{directory}/{database}")):
            if name in installed and pacman_is_newer(version, installed[name]):
                pending.add(name)
    left = [name for name in pending if not any(fnmatchcase(name, pattern) for pattern in ignored)]
    return UpdateMetrics(pending=len(left))


def split_names(directories: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and version: a directory is called `gcc-libs-13.2.1-3`."""
    for directory in directories:
        parts = directory.rsplit("-", 2)
        if len(parts) == 3:
            yield parts[0], f"{parts[1]}-{parts[2]}"


def parse_ignored(config: str) -> list[str]:
    """The patterns of `IgnorePkg` in pacman.conf(5)."""
    patterns = []
    for line in config.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() == "IgnorePkg":
            patterns += value.split()
    return patterns


def _directories(path: str) -> Iterator[str]:
    import tarfile  # noqa: PLC0415 - only where pacman is

    try:
        # As a stream: nothing is kept of what was read.
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if member.isdir():
                    yield member.name.strip("/")
                archive.members = []  # type: ignore[attr-defined]
    except (tarfile.TarError, EOFError) as error:
        raise ReadingFailed(f"{path}: {error}") from error
