"""Tells a machine that was cloned, identity and all, from one agent that reconnects.

Two processes with the same identity replace each other's connection for ever. One process has one spool, so a return to
a spool that had already been replaced is what a restart never does: three of those within ten minutes are a clone.
"""

from collections import deque
from typing import Final

WINDOW_MS: Final = 600_000
REPLACEMENTS: Final = 3


class CloneWatch:
    """The replacements of one system's connection."""

    __slots__ = ("_replacements", "_spools")

    def __init__(self) -> None:
        self._replacements: deque[tuple[int, str, str]] = deque(maxlen=REPLACEMENTS)
        self._spools: frozenset[str] = frozenset()

    def replaced(self, old_spool: str, new_spool: str, now_ms: int) -> bool:
        """Note that a live connection gives way to another; True if these are two machines, so refuse the new one."""
        if old_spool == new_spool:
            return False
        self._replacements.append((now_ms, old_spool, new_spool))
        if len(self._replacements) < REPLACEMENTS or now_ms - self._replacements[0][0] > WINDOW_MS:
            return False
        pairs = {frozenset((old, new)) for _, old, new in self._replacements}
        if len(pairs) != 1:
            return False
        (self._spools,) = pairs
        return True

    @property
    def spools(self) -> frozenset[str]:
        """The two spools that fought, once they were told apart as clones."""
        return self._spools
