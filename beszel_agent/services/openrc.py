"""OpenRC's services: it keeps a link for each in the directory named after its state."""

import os
import time
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from beszel_agent.services.manager import MAX_UNITS, Unit

DIRECTORY: Final = "/run/openrc"

_STATES: Final = {"failed": "failed", "inactive": "inactive", "starting": "activating", "stopping": "deactivating",
                  "started": "active"}  # fmt: skip
"""Directories, and what systemd would call it. A service may be in several; the first tells most."""
_SUFFIX: Final = ".service"
_SETTLED_NS: Final = 1_000_000_000

_Stamp: TypeAlias = tuple[int, int] | None
"""Of a directory: which it is, and when something in it changed last; None if there is none."""


class OpenRc:
    tells_failures = True

    def __init__(self, directory: str, patterns: tuple[str, ...]) -> None:
        self._directory, self._patterns = directory, patterns
        self._stamps: list[_Stamp] = []
        self._listed: list[Unit] = []

    def units(self) -> list[Unit]:
        """Listed anew only if one of the directories is another than when they were listed."""
        now_ns, stamps = time.time_ns(), [self._stamp(state) for state in _STATES]
        if stamps != self._stamps:
            self._listed = self._list()
            # The clock of the files is coarse: what changes right after a change may bear the same stamp.
            is_settled = all(stamp is None or stamp[1] + _SETTLED_NS < now_ns for stamp in stamps)
            self._stamps = stamps if is_settled else []
        return self._listed

    def _stamp(self, state: str) -> _Stamp:
        try:
            status = os.stat(f"{self._directory}/{state}")  # noqa: PTH116 - as everywhere, a path is a text here
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _list(self) -> list[Unit]:
        found: dict[str, Unit] = {}
        for state, meaning in _STATES.items():
            try:
                names = os.listdir(f"{self._directory}/{state}")  # noqa: PTH208
            except FileNotFoundError:
                continue
            for name in names:
                if any(fnmatchcase(name + _SUFFIX, pattern) for pattern in self._patterns):
                    found.setdefault(name, Unit(name, meaning, state))
        return sorted(found.values())[:MAX_UNITS]

    def restarts(self, unit: Unit) -> None:
        """Its supervisor tells them to nobody."""
