"""What `apt-get upgrade` would bring, from dpkg's status and the lists that apt fetched last.

Left out, as apt leaves them out: packages on hold, archives that only offer (backports), updates that so far go to a
part of the machines. Preferences of apt_preferences(5) are not read.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, cast

from beszel_agent.errors import ReadingFailed
from beszel_agent.packages.stanzas import END, read_stanzas
from beszel_agent.packages.versions import debian_is_newer
from beszel_agent.paths import HostPaths, read_bytes
from beszel_protocol.sample import UpdateMetrics

STATUS: Final = "/var/lib/dpkg/status"

_LISTS: Final = "/var/lib/apt/lists"
WATCHED: Final = (STATUS, _LISTS)
_HEAD_BYTES: Final = 4096
_INSTALLED: Final = b"install ok installed"
_ALL: Final = b"all"
_PACKAGE: Final = b"Package: "
_PHASED: Final = b"Phased-Update-Percentage"
_CONTINUES: Final = (b" ", b"\t", b"")


class _Archive(NamedTuple):
    """One Packages file and what its release says of it."""

    path: str
    is_security: bool


Installed = dict[bytes, dict[bytes, str]]
"""Versions by name and architecture."""


def read_updates(paths: HostPaths) -> UpdateMetrics:
    """Raise OSError, or `ReadingFailed` if there are no lists or one is compressed in a way that is not known here."""
    installed = parse_status(read_bytes(paths.root(STATUS)))
    pending: set[tuple[bytes, bytes]] = set()
    security: set[tuple[bytes, bytes]] = set()
    offered = 0
    for archive in _find_archives(paths.root(_LISTS)):
        with _open(archive.path) as file:
            for stanza in read_stanzas(file, archive.path):
                offered += stanza.startswith(_PACKAGE)
                package = find_update(stanza, installed)
                if package is not None:
                    pending.add(package)
                    if archive.is_security:
                        security.add(package)
    if not installed or not offered:
        raise ReadingFailed("no package in dpkg's status or in apt's lists")
    return UpdateMetrics(pending=len(pending), security=len(security))


def parse_status(text: bytes) -> Installed:
    """The format is that of deb-control(5): stanzas with a field a line. Packages on hold are left out."""
    installed: Installed = {}
    for stanza in text.split(END):
        fields = _fields(stanza)
        if fields.get(b"Status") == _INSTALLED and b"Package" in fields:
            version = fields.get(b"Version", b"").decode("utf-8", "replace")
            installed.setdefault(fields[b"Package"], {})[fields.get(b"Architecture", _ALL)] = version
    return installed


def find_update(stanza: bytes, installed: Installed) -> tuple[bytes, bytes] | None:
    """Name and architecture of the installed package that the stanza of a list offers a newer version of."""
    # Nearly all are of packages that are not installed: of those nothing but the name is read.
    name = stanza[len(_PACKAGE) : stanza.find(b"\n")]
    versions = installed.get(name) if stanza.startswith(_PACKAGE) else None
    if versions is None:
        return None
    fields = _fields(stanza)
    if fields.get(_PHASED, b"100") != b"100":
        return None
    offered = fields.get(b"Architecture", _ALL)
    candidate = fields.get(b"Version", b"").decode("utf-8", "replace")
    for architecture, version in versions.items():
        if _ALL in (offered, architecture) or offered == architecture:
            return (name, architecture) if debian_is_newer(candidate, version) else None
    return None


def _find_archives(directory: str) -> Iterator[_Archive]:
    names = sorted(os.listdir(directory))  # noqa: PTH208 - as everywhere, a path is a text here
    releases = [name for name in names if name.endswith(("_InRelease", "_Release"))]
    packages = [name for name in names if name.rpartition("_")[2].startswith("Packages")]
    if not packages:
        raise ReadingFailed("apt has no lists; `apt-get update` fetches them")
    for name in packages:
        release = next((release for release in releases if name.startswith(release.rpartition("_")[0] + "_")), None)
        fields = {} if release is None else _read_release(f"{directory}/{release}")
        if fields.get(b"NotAutomatic") == b"yes":
            continue
        about = b" ".join(fields.get(field, b"") for field in (b"Label", b"Suite", b"Codename"))
        yield _Archive(f"{directory}/{name}", b"security" in about.lower())


def _read_release(path: str) -> dict[bytes, bytes]:
    with open(path, "rb") as file:  # noqa: PTH123
        return _fields(file.read(_HEAD_BYTES))


def _open(path: str) -> BinaryIO:
    if path.endswith("_Packages"):
        return open(path, "rb")  # noqa: PTH123
    if path.endswith(".gz"):
        import gzip  # noqa: PLC0415 - few hosts keep their lists compressed

        return cast("BinaryIO", gzip.open(path))
    raise ReadingFailed(f"{path}: this compression is not known here")


def _fields(stanza: bytes) -> dict[bytes, bytes]:
    """Without the lines that continue one."""
    fields = {}
    for line in stanza.split(b"\n"):
        if line[:1] not in _CONTINUES:
            name, _, value = line.partition(b": ")
            fields[name] = value
    return fields
