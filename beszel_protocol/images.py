"""References of container images, as engines and registries write them. Pure.

The grammar is that of the distribution project (https://github.com/distribution/reference): `redis`,
`ghcr.io/owner/app:1.2`, `registry.lan:5000/app@sha256:…`. What names no registry is Docker Hub's.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from beszel_protocol.targets import parse_server

DOCKER_HUB: Final = "docker.io"
MAX_REFERENCE_LENGTH: Final = 512
MAX_REPOSITORY_LENGTH: Final = 255
MAX_DIGESTS: Final = 8
"""That are told of one image."""

_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)
_HUB_NAMES: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_HTTPS_PORT: Final = 443


class ImageReference(NamedTuple):
    """In full: of `redis` the repository is `library/redis` of `docker.io`, the tag `latest`."""

    registry: str
    """A host, with its port if one is written."""
    repository: str
    tag: str
    digest: str | None = None
    """If the reference is pinned to it; its tag then means nothing."""

    def __str__(self) -> str:
        pinned = "" if self.digest is None else f"@{self.digest}"
        return f"{self.registry}/{self.repository}:{self.tag}{pinned}"


def parse_image(text: str) -> ImageReference | None:
    """None for what is no reference, such as the id of an image in full."""
    if len(text) > MAX_REFERENCE_LENGTH or is_digest(text):
        return None
    name, at, digest = text.partition("@")
    if at and not is_digest(digest):
        return None
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, "latest"
    registry, repository = _split(head)
    if registry in _HUB_NAMES:
        registry = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    if not (_is_registry(registry) and _is_repository(repository) and _TAG.fullmatch(tag)):
        return None
    return ImageReference(registry, repository, tag, digest or None)


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def digests_of(repo_digests: Iterable[str], image: str) -> list[str]:
    """Those digests among `repository@sha256:…` under which the repository of `image` knows it.

    An image has several if its tag was built anew with no change for this platform, or where an engine tells that of
    the list of platforms and that of the platform.
    """
    wanted = parse_image(image)
    if wanted is None:
        return []
    found: dict[str, None] = {}
    for text in repo_digests:
        told = parse_image(text)
        if told is not None and told.digest is not None and told[:2] == wanted[:2]:
            found[told.digest] = None
    return sorted(found)[:MAX_DIGESTS]


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first.lower(), rest
    return DOCKER_HUB, name


def _is_registry(text: str) -> bool:
    try:
        parse_server(text, _HTTPS_PORT)
    except ValueError:
        return False
    return True


def _is_repository(text: str) -> bool:
    return len(text) <= MAX_REPOSITORY_LENGTH and _REPOSITORY.fullmatch(text) is not None
