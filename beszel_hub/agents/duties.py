"""What each agent is told to do: the checks of its system, and which processes to count for rules of alerts."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from beszel_hub.systems.directory import Directory
from beszel_protocol.messages import Configuration


class Duties:
    """`on_changed` hears of each system whose agent is to do something else. Revisions rise with every change."""

    def __init__(
        self, directory: Directory, checks_of: Callable[[str], Awaitable[Configuration]],
        names_of: Callable[[str], Sequence[str]],
    ) -> None:  # fmt: skip
        """`names_of` a system are the patterns of processes that are counted there."""
        self.on_changed: list[Callable[[str, Configuration], None]] = []
        self._directory = directory
        self._checks_of = checks_of
        self._names_of = names_of
        self._names: dict[str, Sequence[str]] = {}
        self._changes: dict[str, int] = {}

    async def configuration_of(self, system_id: str) -> Configuration:
        self._look(system_id)
        return self._complete(system_id, await self._checks_of(system_id))

    def checks_changed(self, system_id: str, checks: Configuration) -> None:
        configuration = self._complete(system_id, checks)
        for listener in self.on_changed:
            listener(system_id, configuration)

    async def follow(self) -> None:
        """Look whether rules want other processes than before."""
        for entry in list(self._directory):
            if self._look(entry.id):
                self.checks_changed(entry.id, await self._checks_of(entry.id))

    def forget(self, system_id: str) -> None:
        self._names.pop(system_id, None)
        self._changes.pop(system_id, None)

    def _look(self, system_id: str) -> bool:
        names = self._names_of(system_id)
        if names == self._names.get(system_id, ()):
            return False
        self._names[system_id] = names
        self._changes[system_id] = self._changes.get(system_id, 0) + 1
        return True

    def _complete(self, system_id: str, checks: Configuration) -> Configuration:
        """No connection lives longer than this process, so revisions need not either."""
        return msgspec.structs.replace(
            checks,
            revision=checks.revision + self._changes.get(system_id, 0),
            processes=list(self._names.get(system_id, ())),
        )
