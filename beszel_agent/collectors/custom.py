"""What scripts of the host's owner measure: the `*.prom` files of `TEXTFILE_DIR`."""

import os
import time
from collections.abc import Iterator
from typing import ClassVar, Final, NamedTuple, Self

from beszel_agent.collector import ToldOnce
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, ReadingIncomplete, Unavailable, describe
from beszel_agent.paths import HostPaths
from beszel_agent.textfile import parse_textfile
from beszel_protocol.hygiene import clean_text
from beszel_protocol.sample import Metrics

MAX_FILES: Final = 64
MAX_FILE_BYTES: Final = 256 << 10
MAX_SERIES: Final = 1000
"""Of all files together. More would cost the hub more than all that the agent reads itself."""

_SUFFIX: Final = ".prom"
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A pipe among the files would wait for its writer."""


class _Parsed(NamedTuple):
    version: tuple[int, int, int]
    """Inode, size and instant of the last change."""
    series: dict[str, float]


class CustomCollector(ToldOnce):
    name: ClassVar[str] = "custom"
    fields: ClassVar[tuple[str, ...]] = ("custom", "custom_age_seconds")
    pace_seconds: ClassVar[float] = 10

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._parsed: dict[str, _Parsed] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if config.textfile_dir is None:
            raise Unavailable("TEXTFILE_DIR is not set")
        # A directory that is not there yet may be made by the first script that writes to it.
        return cls(paths.root(config.textfile_dir))

    def collect(self, now: float) -> Metrics:
        custom: dict[str, float] = {}
        ages: dict[str, float] = {}
        complaints: list[str] = []
        parsed: dict[str, _Parsed] = {}
        for name in self._names(complaints):
            try:
                one = self._read(name)
                _add(custom, one.series)
            except (OSError, ReadingFailed) as error:
                complaints.append(f"{clean_text(name)}: {_reason(error)}")
                continue
            parsed[name] = one
            ages[clean_text(name)] = max(0.0, round(time.time() - one.version[2] / 1e9))
        self._parsed = parsed
        part = Metrics(custom=custom or None, custom_age_seconds=ages or None)
        if complaints:
            raise ReadingIncomplete("; ".join(complaints[:3]), part)
        return part

    def _names(self, complaints: list[str]) -> Iterator[str]:
        names = sorted(name for name in os.listdir(self._directory) if name.endswith(_SUFFIX))  # noqa: PTH208
        if len(names) > MAX_FILES:
            complaints.append(f"of {len(names)} files only the first {MAX_FILES} are read")
        yield from names[:MAX_FILES]

    def _read(self, name: str) -> _Parsed:
        """What did not change since it was read is not read again."""
        descriptor = os.open(f"{self._directory}/{name}", _FLAGS)
        try:
            about = os.fstat(descriptor)
            version = about.st_ino, about.st_size, about.st_mtime_ns
            known = self._parsed.get(name)
            if known is not None and known.version == version:
                return known
            text = os.read(descriptor, MAX_FILE_BYTES + 1)
        finally:
            os.close(descriptor)
        if len(text) > MAX_FILE_BYTES:
            raise ReadingFailed(f"has more than {MAX_FILE_BYTES >> 10} KiB")
        try:
            return _Parsed(version, parse_textfile(text.decode()))
        except UnicodeDecodeError as error:
            raise ReadingFailed("is not UTF-8") from error


def _add(custom: dict[str, float], series: dict[str, float]) -> None:
    """All of a file or nothing of it."""
    doubled = next((name for name in series if name in custom), None)
    if doubled is not None:
        raise ReadingFailed(f"{doubled} is in another file, too")
    if len(custom) + len(series) > MAX_SERIES:
        raise ReadingFailed(f"with it there are more than {MAX_SERIES} series")
    custom.update(series)


def _reason(error: OSError | ReadingFailed) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else describe(error)
