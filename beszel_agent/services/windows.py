"""The services of Windows, as psutil tells them."""

from fnmatch import fnmatchcase
from typing import Any, Final

import psutil

from beszel_agent.errors import ReadingFailed
from beszel_agent.services.manager import MAX_UNITS, Unit

_STATES: Final = {
    "continue_pending": "activating", "pause_pending": "deactivating", "paused": "inactive", "running": "active",
    "start_pending": "activating", "stop_pending": "deactivating", "stopped": "inactive",
}  # fmt: skip
"""What systemd would call it."""
_SUFFIX: Final = ".service"


class WindowsServices:
    tells_failures = False
    """One that was stopped and one that failed are both `stopped` to psutil."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns

    def units(self) -> list[Unit]:
        """Those that run or are told to start with the system."""
        # Only there; the types of psutil know this system alone.
        services: Any = getattr(psutil, "win_service_iter")()  # noqa: B009
        try:
            found = [self._describe(service) for service in services if self._is_wanted(service.name())]
        except psutil.Error as error:
            raise ReadingFailed(f"the list of services: {error}") from error
        return sorted(unit for unit in found if unit is not None)[:MAX_UNITS]

    def restarts(self, unit: Unit) -> None:
        """Windows counts them for itself."""

    def _is_wanted(self, name: str) -> bool:
        """Names of services are of either case."""
        return any(fnmatchcase(name.lower() + _SUFFIX, pattern.lower()) for pattern in self._patterns)

    def _describe(self, service: Any) -> Unit | None:
        try:
            status = service.status()
            if status == "stopped" and service.start_type() != "automatic":
                return None
        except psutil.Error:  # it was removed meanwhile, or is not to be looked at
            return None
        return Unit(service.name(), _STATES.get(status, "inactive"), status)
