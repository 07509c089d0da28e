"""Lists of packages as apt and apk have them: a stanza a package, with an empty line after each."""

import zlib
from collections.abc import Iterator
from typing import IO, Final

from beszel_agent.errors import ReadingFailed

END: Final = b"\n\n"

_CHUNK_BYTES: Final = 1 << 18
_MAX_STANZA_BYTES: Final = 8 << 20


def read_stanzas(file: IO[bytes], path: str) -> Iterator[bytes]:
    """Piece by piece: some lists have 60 MB. Raise OSError or `ReadingFailed`; `path` is for its words."""
    rest = b""
    while chunk := _read(file, path):
        *stanzas, rest = (rest + chunk).split(END)
        if len(rest) > _MAX_STANZA_BYTES:
            raise ReadingFailed(f"{path} is no list of packages")
        yield from stanzas
    yield rest


def _read(file: IO[bytes], path: str) -> bytes:
    try:
        return file.read(_CHUNK_BYTES)
    except (EOFError, zlib.error) as error:  # its manager is still writing it, or it is damaged
        raise ReadingFailed(f"{path} is not whole") from error
