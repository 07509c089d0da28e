"""Who counts the services, and the one that does it by listing them all each time."""

from typing import Protocol

from beszel_agent.services.manager import ServiceManager
from beszel_agent.services.roster import Roster, Turn
from beszel_protocol.sample import ServiceMetrics


class Census(Protocol):
    def counts(self) -> ServiceMetrics | None:
        """As of now; None if that is not known yet. Raise OSError or `ReadingFailed`."""

    def take_turns(self) -> list[Turn]:
        """What failed and what recovered since this was last asked."""

    def stop(self) -> None:
        """No more is asked for."""


class ListedCensus:
    def __init__(self, manager: ServiceManager) -> None:
        self._manager = manager
        self._roster = Roster()

    def counts(self) -> ServiceMetrics:
        self._roster.replace(self._manager.units())
        return self._roster.counts(tells_failures=self._manager.tells_failures)

    def take_turns(self) -> list[Turn]:
        return self._roster.take_turns() if self._manager.tells_failures else []

    def stop(self) -> None:
        """There is nothing to stop."""
