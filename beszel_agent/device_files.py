"""Reading attributes behind which is a device, a bus or firmware: one that hangs is passed by, the others go on."""

import logging
import threading
import time
from typing import Final

from beszel_agent.paths import read_text_or_none

_REST_SECONDS: Final = 300.0
"""How long one that took longer than the time-out is left alone."""
_LONGEST_INTEGER: Final = len(str(-(2**63)))

log = logging.getLogger(__name__)


def parse_integer(text: str | None) -> int | None:
    """A number as the kernel prints one; None if it is none, or needs more than 64 bits."""
    if text is None or len(text) > _LONGEST_INTEGER:
        return None
    try:
        return int(text)
    except ValueError:
        return None


class DeviceFiles:
    """Reads for one collector. Its threads may overlap: one waits for a device, the next one reads what is left."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._told: set[str] = set()
        self._rests_until: dict[str, float] = {}

    def read(self, path: str) -> str | None:
        """The text of an attribute; None if it has none, cannot be read, or did not answer in time before."""
        started = time.monotonic()
        with self._lock:
            if path in self._asked:
                self._tell(path)
                return None
            if self._rests_until.get(path, started) > started:
                return None
            self._rests_until.pop(path, None)
            self._asked.add(path)
        text = read_text_or_none(path)
        elapsed = time.monotonic() - started
        with self._lock:
            self._asked.discard(path)
            if elapsed > self._timeout_seconds:
                self._rests_until[path] = started + elapsed + _REST_SECONDS
                log.info("%s took %.1f s and is left alone for %g s", path, elapsed, _REST_SECONDS)
        return text

    def shortfall(self) -> str | None:
        """Which do not answer, for people."""
        with self._lock:
            silent = sorted(path for path in self._told if path in self._asked)
        return f"no answer from {', '.join(silent)}" if silent else None

    def _tell(self, path: str) -> None:
        if path not in self._told:
            self._told.add(path)
            log.warning("%s does not answer and is passed by", path)
