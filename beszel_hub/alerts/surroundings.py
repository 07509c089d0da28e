"""What is known of a system beside its samples: its containers as their engine has them, what happened, its traffic."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from beszel_protocol.containers import ContainerFacts

MAX_SUBJECTS: Final = 512
"""That events are remembered of; the one that was longest quiet gives way."""
MAX_EVENTS: Final = 100
"""Of one kind and one subject; a rule that wants to count further counts no further."""


class Carried(NamedTuple):
    """Bytes since the month began."""

    sent: float
    received: float


class Surroundings:
    """Of one system. Instants are of the monotonic clock."""

    __slots__ = ("_events", "containers", "now_ms", "traffic")

    def __init__(self) -> None:
        self.now_ms = 0
        self.containers: Sequence[ContainerFacts] = ()
        self.traffic: Mapping[int, Carried] = {}
        """By the day of the month on which it begins."""
        self._events: dict[tuple[str, str], deque[int]] = {}

    def note(self, kind: str, subject: str, at_ms: int) -> None:
        """An event; they may come in any order."""
        self._know(kind, subject).append(at_ms)

    def expect(self, kind: str, subject: str) -> None:
        """Count an event that is known to have happened at an unknown time, too long ago to count."""
        self._know(kind, subject)

    def _know(self, kind: str, subject: str) -> deque[int]:
        known = self._events.pop((kind, subject), None)
        if known is None:
            known = deque(maxlen=MAX_EVENTS)
            if len(self._events) >= MAX_SUBJECTS:
                del self._events[next(iter(self._events))]
        self._events[kind, subject] = known
        return known

    def count(self, kind: str, window_ms: int) -> dict[str, int]:
        """How often it happened lately, by subject; 0 for those that it happened to before."""
        since_ms = self.now_ms - window_ms
        return {
            subject: sum(at_ms > since_ms for at_ms in instants)
            for (known, subject), instants in self._events.items()
            if known == kind
        }
