"""systemd's units, asked over D-Bus; the interface is that of org.freedesktop.systemd1(5)."""

from collections.abc import Mapping
from typing import Any, Final

from jeepney.wrappers import DBusAddress

from beszel_agent.errors import ReadingFailed
from beszel_agent.services.bus import Bus, BusError
from beszel_agent.services.manager import MAX_UNITS, Unit
from beszel_protocol.hygiene import clean_text

NAME: Final = "org.freedesktop.systemd1"
MANAGER: Final = DBusAddress("/org/freedesktop/systemd1", NAME, "org.freedesktop.systemd1.Manager")
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
UNIT: Final = "org.freedesktop.systemd1.Unit"
_SERVICE: Final = "org.freedesktop.systemd1.Service"
_SERVICE_SUFFIX: Final = ".service"
INACTIVE: Final = "inactive"


class Systemd:
    tells_failures = True

    def __init__(self, bus: Bus, patterns: tuple[str, ...]) -> None:
        self._bus, self._patterns = bus, patterns
        self._seen_active: set[str] = set()

    def units(self) -> list[Unit]:
        """Units that were never started are left out, but one that ran and was stopped since is told as such."""
        units = self.loaded()
        active = {unit.name for unit in units if unit.state != INACTIVE}
        self._seen_active = active | (self._seen_active & {unit.name for unit in units})
        return sorted(unit for unit in units if unit.name in self._seen_active)[:MAX_UNITS]

    def loaded(self) -> list[Unit]:
        """All that systemd has loaded, started or not."""
        (rows,) = self._bus.ask(MANAGER, "ListUnitsByPatterns", "asas", (["loaded"], list(self._patterns)))
        return [_parse_row(row) for row in rows]

    def restarts(self, unit: Unit) -> int | None:
        """None where this systemd does not count, and of what is no service."""
        if not unit.name.endswith(_SERVICE_SUFFIX):
            return None
        try:
            (value,) = self._bus.ask(_properties(unit), "Get", "ss", (_SERVICE, "NRestarts"))
        except BusError:
            return None
        return value[1] if isinstance(value[1], int) else None

    def properties(self, unit: Unit) -> Mapping[str, Any]:
        """Those of every unit and, of a service, those of services."""
        found: dict[str, Any] = {}
        for interface in (UNIT, _SERVICE) if unit.name.endswith(_SERVICE_SUFFIX) else (UNIT,):
            (pairs,) = self._bus.ask(_properties(unit), "GetAll", "s", (interface,))
            found |= {name: variant[1] for name, variant in pairs.items()}
        return found


def _properties(unit: Unit) -> DBusAddress:
    if unit.path is None:
        raise ReadingFailed(f"{unit.name} is not on the bus")
    return DBusAddress(unit.path, NAME, _PROPERTIES)


def _parse_row(row: Any) -> Unit:
    """Name, description, load state, active state, sub-state, followed unit, path, and its job."""
    if len(row) < 7 or not all(isinstance(part, str) for part in row[:7]):
        raise ReadingFailed("systemd lists units in a way that is not known here")
    return Unit(row[0], clean_text(row[3], 32), clean_text(row[4], 32), row[6])
