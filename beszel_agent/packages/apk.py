"""What `apk upgrade` would bring, from apk's database and the indexes that `apk update` fetched last.

Left out, as apk leaves them out: packages that its world(5) holds at a version, and what only repositories with a tag
offer to packages without it. An index does not say what is there for the sake of security.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from beszel_agent.errors import ReadingFailed
from beszel_agent.packages.stanzas import read_stanzas
from beszel_agent.packages.versions import alpine_is_newer
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.sample import UpdateMetrics

DATABASES: Final = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
"""That of a host is at one of them; where `/lib` is a link, at both."""

_WORLD: Final = "/etc/apk/world"
_ARCH: Final = "/etc/apk/arch"
_REPOSITORIES: Final = "/etc/apk/repositories"
_MORE_REPOSITORIES: Final = ("/etc/apk/repositories.d", "/lib/apk/repositories.d")
_CACHES: Final = ("/etc/apk/cache", "/var/cache/apk")
WATCHED: Final = (*DATABASES, _WORLD, _REPOSITORIES, *_MORE_REPOSITORIES, *_CACHES)
_INDEX: Final = "APKINDEX"
_MAX_INDEX_BYTES: Final = 256 << 20
_NO_ARCH: Final = "noarch"
_WISH: Final = re.compile(r"([^@=<>~!]+)(?:@([^=<>~]+))?([=<>~].*)?")
"""Name, tag and constraint of what an administrator asked for."""
_HOLDS: Final = ("=", "<", "~", "><")


class Repository(NamedTuple):
    url: str
    tag: str | None


class World(NamedTuple):
    held: frozenset[str]
    tags: dict[str, str]
    """By name, of the packages that are to come from a tagged repository."""


class _Package(NamedTuple):
    name: str
    version: str
    arch: str


def read_updates(paths: HostPaths) -> UpdateMetrics:
    """Raise OSError, or `ReadingFailed` if an index was not fetched or cannot be read."""
    installed = _read_installed(paths)
    world = parse_world(read_text_or_none(paths.root(_WORLD)) or "")
    arch = read_text_or_none(paths.root(_ARCH)) or _arch_of(installed)
    repositories = [one for one in _read_repositories(paths) if one.url.startswith(("http://", "https://"))]
    if not repositories:
        raise ReadingFailed("apk knows no repository on the network")
    pending: set[str] = set()
    for repository in repositories:
        for package in _read_index(_find_index(paths, repository.url, arch)):
            known = installed.get(package.name)
            if (
                known
                and _is_allowed(package.name, repository, world)
                and alpine_is_newer(package.version, known.version)
            ):
                pending.add(package.name)
    return UpdateMetrics(pending=len(pending))


def parse_world(text: str) -> World:
    """The format is that of apk-world(5)."""
    wishes = [found.groups() for word in text.split() if (found := _WISH.fullmatch(word))]
    return World(
        held=frozenset(name for name, _, constraint in wishes if (constraint or "").startswith(_HOLDS)),
        tags={name: tag for name, tag, _ in wishes if tag},
    )


def parse_repositories(text: str) -> list[Repository]:
    """The format is that of apk-repositories(5), without its variables and its other kinds of indexes.

    Raise `ReadingFailed` if the text makes use of them.
    """
    repositories = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in {"set", "ndx", "v3"} or "$" in line or line.rstrip().endswith((".adb", ".tar.gz")):
            raise ReadingFailed("apk's repositories are given in a way that is not known here")
        words = words[1:] if words[0] == "v2" else words
        tag = words.pop(0)[1:] if words and words[0].startswith("@") else None
        url, *components = words or [""]
        url = url.rstrip("/")
        repositories += [Repository(f"{url}/{part}", tag) for part in components] or [Repository(url, tag)]
    return repositories


def index_names(url: str, arch: str) -> list[str]:
    """What the index of a repository is called in the cache: by apk 3, by 2.14 and by those before."""
    whole = f"{url}/{arch}/{_INDEX}.tar.gz".encode()
    digests = (hashlib.sha256(whole), _sha1(whole), _sha1(url.encode()))
    return [f"{_INDEX}.{digest.hexdigest()[:8]}.tar.gz" for digest in digests]


def _sha1(text: bytes) -> "hashlib._Hash":
    return hashlib.sha1(text, usedforsecurity=False)


def _is_allowed(name: str, repository: Repository, world: World) -> bool:
    return name not in world.held and (repository.tag is None or world.tags.get(name) == repository.tag)


def _read_installed(paths: HostPaths) -> dict[str, _Package]:
    path = next((path for path in map(paths.root, DATABASES) if os.path.exists(path)), DATABASES[0])  # noqa: PTH110
    with open(path, "rb") as file:  # noqa: PTH123 - as everywhere, a path is a text here
        installed = {package.name: package for package in map(_package, read_stanzas(file, path)) if package}
    if not installed:
        raise ReadingFailed(f"{path}: no package in apk's database")
    return installed


def _arch_of(installed: dict[str, _Package]) -> str:
    return next((package.arch for package in installed.values() if package.arch != _NO_ARCH), _NO_ARCH)


def _read_repositories(paths: HostPaths) -> list[Repository]:
    files: dict[str, str] = {}
    for directory in map(paths.root, reversed(_MORE_REPOSITORIES)):
        try:
            names = os.listdir(directory)  # noqa: PTH208
        except OSError:
            continue
        files |= {name: f"{directory}/{name}" for name in names if name.endswith(".list")}
    texts = map(read_text_or_none, [paths.root(_REPOSITORIES), *(files[name] for name in sorted(files))])
    return [repository for text in texts for repository in parse_repositories(text or "")]


def _find_index(paths: HostPaths, url: str, arch: str) -> str:
    """The newest, as one of an older apk may lie beside it."""
    found = []
    for cache in map(paths.root, _CACHES):
        for name in index_names(url, arch):
            try:
                found.append((os.stat(f"{cache}/{name}").st_mtime_ns, f"{cache}/{name}"))  # noqa: PTH116
            except OSError:
                continue
    if not found:
        raise ReadingFailed("apk lacks the index of a repository; `apk update` fetches it")
    return max(found)[1]


def _read_index(path: str) -> Iterator[_Package]:
    import gzip  # noqa: PLC0415 - only where apk is
    import tarfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    try:
        # As a stream: the signature before the index is a gzip file of its own, and nothing is kept of what was read.
        with gzip.open(path) as whole, tarfile.open(fileobj=whole, mode="r|") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name == _INDEX else None
                if file is not None and member.size <= _MAX_INDEX_BYTES:
                    yield from filter(None, map(_package, read_stanzas(file, path)))
                    return
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ReadingFailed(f"{path} is no index, or not whole") from error
    raise ReadingFailed(f"{path}: no index in it")


def _package(stanza: bytes) -> _Package | None:
    name, version, arch = (_field(stanza, letter) for letter in (b"P", b"V", b"A"))
    return _Package(name, version, arch or _NO_ARCH) if name and version else None


def _field(stanza: bytes, letter: bytes) -> str:
    """Of a line such as `P:curl`; empty if there is none."""
    start = (b"\n" + stanza).find(b"\n" + letter + b":")
    return stanza[start + 2 :].partition(b"\n")[0].decode("utf-8", "replace") if start >= 0 else ""
