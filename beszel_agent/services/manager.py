"""What every manager of services tells of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from beszel_agent.processes.owners import unescape
from beszel_protocol.sample import ServiceMetrics

MAX_UNITS: Final = 512

_SUFFIX: Final = ".service"
_KNOWN_SUFFIXES: Final = (".service", ".timer", ".socket", ".mount", ".target", ".path")


class Unit(NamedTuple):
    name: str
    """As the manager has it, with its escapes."""
    state: str
    sub_state: str | None = None
    path: str | None = None
    """Of the object on the bus."""


class ServiceManager(Protocol):
    @property
    def tells_failures(self) -> bool:
        """Whether one that failed can be told from one that was stopped."""

    def units(self) -> list[Unit]:
        """Those that match the patterns and run or have run. Raise OSError or `ReadingFailed`."""

    def restarts(self, unit: Unit) -> int | None:
        """How often the manager has started it anew by itself; None if it does not count. Raise as `units` does."""


def shown_name(unit: str) -> str:
    r"""`nginx` of `nginx.service`, `a-b` of `a\x2db.service`, `backup.timer` as it is."""
    return unescape(unit.removesuffix(_SUFFIX))


def by_shown_name(units: Iterable[Unit]) -> Mapping[str, Unit]:
    found: dict[str, Unit] = {}
    for unit in units:
        found.setdefault(shown_name(unit.name), unit)
    return found


def full_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """A pattern without the kind of unit means services, and no pattern all of them."""
    return tuple(pattern if pattern.endswith(_KNOWN_SUFFIXES) else pattern + _SUFFIX for pattern in patterns or ("*",))


def count_services(units: Iterable[Unit], *, tells_failures: bool = True) -> ServiceMetrics:
    states = [unit.state for unit in units]
    return ServiceMetrics(total=len(states), failed=states.count("failed") if tells_failures else None)
