"""The services that count, as they were last told, and what became of those that failed. In memory alone."""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from beszel_agent.services.manager import Unit, count_services, shown_name
from beszel_protocol.messages import Event
from beszel_protocol.sample import ServiceMetrics
from beszel_protocol.timestamps import format_timestamp

FAILED: Final = "failed"
_SETTLED: Final = frozenset({"active", "inactive"})
"""States in which one that had failed has recovered; on its way there it may fail again."""
_GONE: Final = "gone"
_UNSEEN: Final = "unseen"
_MOST_TURNS: Final = 256


class Turn(NamedTuple):
    """A service failed, or one that had failed is well again, stopped on purpose or gone."""

    unit: str
    before: str
    after: str

    def as_event(self, sequence: int, *, instant_ms: int, boot_ms: int) -> Event:
        return Event(
            sequence=sequence,
            timestamp=format_timestamp(instant_ms),
            boot_ms=boot_ms,
            kind="unit_failed" if self.after == FAILED else "unit_recovered",
            subject=shown_name(self.unit),
            text=f"{self.before} → {self.after}",
            attributes={"unit": self.unit, "before": self.before, "after": self.after},
        )


class Roster:
    """What is there at first has not changed, failed or not."""

    def __init__(self) -> None:
        self._units: dict[str, Unit] = {}
        self._failed: set[str] = set()
        self._turns: deque[Turn] = deque(maxlen=_MOST_TURNS)
        self._is_complete = False

    def __contains__(self, name: str) -> bool:
        return name in self._units

    def replace(self, units: Iterable[Unit]) -> None:
        """All that there are."""
        told = {unit.name: unit for unit in units}
        for name in self._units.keys() - told.keys():
            self.drop(name)
        for unit in told.values():
            self.put(unit)
        self._is_complete = True

    def put(self, unit: Unit) -> None:
        before = self._units.get(unit.name)
        self._units[unit.name] = unit
        was = _UNSEEN if before is None else before.state
        if unit.state == FAILED and unit.name not in self._failed:
            self._failed.add(unit.name)
            self._tell(Turn(unit.name, was, FAILED))
        elif unit.state in _SETTLED and unit.name in self._failed:
            self._failed.remove(unit.name)
            self._tell(Turn(unit.name, FAILED, unit.state))

    def drop(self, name: str) -> None:
        if self._units.pop(name, None) is not None and name in self._failed:
            self._failed.remove(name)
            self._tell(Turn(name, FAILED, _GONE))

    def counts(self, *, tells_failures: bool = True) -> ServiceMetrics:
        return count_services(self._units.values(), tells_failures=tells_failures)

    def take_turns(self) -> list[Turn]:
        """Those since they were last taken, oldest first."""
        turns = []
        while self._turns:
            turns.append(self._turns.popleft())
        return turns

    def _tell(self, turn: Turn) -> None:
        if self._is_complete:
            self._turns.append(turn)
