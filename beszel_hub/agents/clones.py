"""Tells a machine that was cloned, identity and all, from one agent that reconnects.

Two processes with the same identity replace each other's connection for ever. Each start of an agent has an id of its
own, so a return to one that had already been replaced is what a restart never does: three of those within ten minutes
are a clone.
"""

from collections import deque
from typing import Final

WINDOW_MS: Final = 600_000
REPLACEMENTS: Final = 3


class CloneWatch:
    """The replacements of one system's connection."""

    __slots__ = ("_replacements", "_starts")

    def __init__(self) -> None:
        self._replacements: deque[tuple[int, str, str]] = deque(maxlen=REPLACEMENTS)
        self._starts: frozenset[str] = frozenset()

    def replaced(self, old_start: str, new_start: str, now_ms: int) -> bool:
        """Note that a live connection gives way to another; True if these are two machines, so refuse the new one."""
        if old_start == new_start:
            return False
        self._replacements.append((now_ms, old_start, new_start))
        if len(self._replacements) < REPLACEMENTS or now_ms - self._replacements[0][0] > WINDOW_MS:
            return False
        pairs = {frozenset((old, new)) for _, old, new in self._replacements}
        if len(pairs) != 1:
            return False
        (self._starts,) = pairs
        return True

    @property
    def starts(self) -> frozenset[str]:
        """The two starts that fought, once they were told apart as clones."""
        return self._starts
