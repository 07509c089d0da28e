"""Pending updates of packages and whether a restart is due: once an hour, and anew only if something changed."""

import os
from collections.abc import Callable
from typing import ClassVar, Final, Self

import msgspec

from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, ReadingIncomplete, Unavailable, describe
from beszel_agent.packages import apk, apt, pacman
from beszel_agent.packages.reboot import RPM, is_reboot_required
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics, UpdateMetrics

_MANAGERS: Final[tuple[tuple[str, tuple[str, ...], Callable[[HostPaths], UpdateMetrics]], ...]] = (
    (apt.STATUS, apt.WATCHED, apt.read_updates),
    (pacman.LOCAL, pacman.WATCHED, pacman.read_updates),
    *((database, apk.WATCHED, apk.read_updates) for database in apk.DATABASES),
)
"""What is there if the manager is, what changes when it did something, and how to read it."""
_NO_LIST: Final = (
    "pending updates cannot be counted: the lists of dnf and zypper are compressed with Zstandard, which this Python"
    " cannot read, and which packages of them apply is up to modules and vendors; only whether a restart is due is told"
)
_OF_AN_IMAGE: Final = ("/.dockerenv", "/run/.containerenv")


class UpdatesCollector:
    name: ClassVar[str] = "updates"
    fields: ClassVar[tuple[str, ...]] = ("updates",)
    pace_seconds: ClassVar[float] = 3600
    timeout_seconds: ClassVar[float] = 60

    def __init__(
        self, paths: HostPaths, watched: tuple[str, ...], read_updates: Callable[[HostPaths], UpdateMetrics] | None
    ) -> None:
        """`read_updates` is None where only a restart can be told of."""
        self._paths, self._watched, self._read_updates = paths, watched, read_updates
        self._state: tuple[int, ...] | None = None
        self._updates = UpdateMetrics()

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if any(_changed_ns(paths, path) for path in _OF_AN_IMAGE):
            raise Unavailable("in a container only the packages of its image could be seen")
        for sign, watched, read_updates in _MANAGERS:
            if _changed_ns(paths, sign):
                return cls(paths, watched, read_updates)
        if any(_changed_ns(paths, path) for path in RPM):
            return cls(paths, (), None)
        raise Unavailable("neither apt, pacman, apk nor RPM")

    def shortfall(self) -> str | None:
        return _NO_LIST if self._read_updates is None else None

    def collect(self, now: float) -> Metrics:
        reboot_required = int(is_reboot_required(self._paths))
        if self._read_updates is None:
            return Metrics(updates=UpdateMetrics(reboot_required=reboot_required))
        state = tuple(_changed_ns(self._paths, path) for path in self._watched)
        if state != self._state:
            self._state, self._updates = None, UpdateMetrics()
            try:
                self._updates = self._read_updates(self._paths)
            except (OSError, ReadingFailed) as error:
                part = Metrics(updates=UpdateMetrics(reboot_required=reboot_required))
                raise ReadingIncomplete(describe(error), part) from error
            self._state = state
        return Metrics(updates=msgspec.structs.replace(self._updates, reboot_required=reboot_required))


def _changed_ns(paths: HostPaths, path: str) -> int:
    """0 if it is not there."""
    try:
        return os.stat(paths.root(path)).st_mtime_ns  # noqa: PTH116 - as everywhere, a path is a text here
    except OSError:
        return 0
