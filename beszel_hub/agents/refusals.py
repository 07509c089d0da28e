"""Refusals in the log: every one while they are few, a count of them while somebody hammers at the door."""

import logging
from typing import Final

from beszel_protocol.handshake import AgentRefused

BURST: Final = 20
SECONDS_PER_LINE: Final = 3.0

log = logging.getLogger(__name__)


class RefusalLog:
    def __init__(self) -> None:
        self._lines = float(BURST)
        self._at_seconds = 0.0
        self._silent = 0

    def note(self, address: str, refusal: AgentRefused, now_seconds: float) -> None:
        """Write a line if there has been room for one lately."""
        self._lines = min(BURST, self._lines + (now_seconds - self._at_seconds) / SECONDS_PER_LINE)
        self._at_seconds = now_seconds
        if self._lines < 1:
            self._silent += 1
            return
        self._lines -= 1
        more = f" (and {self._silent} more that are not listed)" if self._silent else ""
        self._silent = 0
        log.warning("refused the agent at %s: %s (%s)%s", address, refusal, refusal.code, more)
