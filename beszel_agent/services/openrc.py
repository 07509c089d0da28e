"""OpenRC's services: it keeps a link for each in the directory named after its state."""

import os
from fnmatch import fnmatchcase
from typing import Final

from beszel_agent.services.manager import MAX_UNITS, Unit

DIRECTORY: Final = "/run/openrc"

_STATES: Final = {"failed": "failed", "inactive": "inactive", "starting": "activating", "stopping": "deactivating",
                  "started": "active"}  # fmt: skip
"""Directories, and what systemd would call it. A service may be in several; the first tells most."""
_SUFFIX: Final = ".service"


class OpenRc:
    tells_failures = True

    def __init__(self, directory: str, patterns: tuple[str, ...]) -> None:
        self._directory, self._patterns = directory, patterns

    def units(self) -> list[Unit]:
        found: dict[str, Unit] = {}
        for state, meaning in _STATES.items():
            try:
                names = os.listdir(f"{self._directory}/{state}")  # noqa: PTH208 - as everywhere, a path is a text here
            except FileNotFoundError:
                continue
            for name in names:
                if any(fnmatchcase(name + _SUFFIX, pattern) for pattern in self._patterns):
                    found.setdefault(name, Unit(name, meaning, state))
        return sorted(found.values())[:MAX_UNITS]

    def restarts(self, unit: Unit) -> None:
        """Its supervisor tells them to nobody."""
