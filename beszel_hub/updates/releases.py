"""Asks the package index for the newest version, seldom, and only when somebody wants to know."""

import asyncio
import logging
import re
from typing import Final

import msgspec

from beszel_hub.clock import Clock
from beszel_hub.errors import Unavailable
from beszel_protocol.hygiene import clean_text

LOOK_MS: Final = 6 * 3_600_000
"""How old an answer may be."""
RETRY_MS: Final = 600_000
"""After a failure."""
TIMEOUT_SECONDS: Final = 10.0
MAX_BODY_BYTES: Final = 4 << 20
"""An index lists every file of every version."""
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}", re.ASCII)

_log = logging.getLogger(__name__)


class Release(msgspec.Struct, frozen=True):
    """Under the names that Beszel's clients read."""

    v: str
    url: str
    """A page about it for people; empty if the index names none that is a web page."""


class _Project(msgspec.Struct, frozen=True):
    version: str
    package_url: str = ""


class _Index(msgspec.Struct, frozen=True):
    """As PyPI's `/pypi/NAME/json` has it."""

    info: _Project


class Releases:
    """The newest version as the index at `url` tells it."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._lock = asyncio.Lock()
        self._newest: Release | None = None
        self._due_ms = 0

    async def newest(self) -> Release:
        """Raise `Unavailable` if the index has never answered, or not well."""
        async with self._lock:
            if self._clock() >= self._due_ms:
                await self._look()
        if self._newest is None:
            raise Unavailable("Nobody could be asked for the newest version; the log says why.")
        return self._newest

    async def _look(self) -> None:
        self._due_ms = self._clock() + RETRY_MS
        try:
            content = await _fetch(self._url)
            project = msgspec.json.decode(content, type=_Index).info
        except (OSError, TimeoutError, ValueError, RecursionError, msgspec.DecodeError) as error:
            _log.warning("the newest version is not known: %s: %s", type(error).__name__, error)
            return
        if not _VERSION.fullmatch(project.version):
            _log.warning("the newest version is not known: %r is none", project.version[:50])
            return
        page = clean_text(project.package_url, 500)
        self._newest = Release(v=project.version, url=page if page.startswith("https://") else "")
        self._due_ms = self._clock() + LOOK_MS


async def _fetch(url: str) -> bytes:
    """Raise OSError, TimeoutError or ValueError."""
    import httpx2  # noqa: PLC0415  # only hubs that look for updates load it

    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as response,
        ):
            content = bytearray()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > MAX_BODY_BYTES:
                    raise ValueError(f"more than {MAX_BODY_BYTES} bytes")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OSError(f"{type(error).__name__} {error}") from error
    if response.status_code != 200:
        raise ValueError(f"the index answers {response.status_code}")
    return bytes(content)
