"""Each service: its state from its manager, what it uses from its control group."""

from typing import ClassVar, NamedTuple, Self

from beszel_agent.collector import ToldOnce
from beszel_agent.config import Config
from beszel_agent.deltas import gained, share
from beszel_agent.host import online_processors
from beszel_agent.paths import HostPaths
from beszel_agent.services.cgroups import Group, find_groups, read_usage
from beszel_agent.services.choice import find_manager
from beszel_agent.services.manager import ServiceManager, Unit, by_shown_name
from beszel_protocol.sample import Metrics, ServiceMetrics, ServiceUnitMetrics


class _Cpu(NamedTuple):
    """What a group had used, and when."""

    inode: int
    used_us: int
    read_at: float


class _Restarts(NamedTuple):
    """How often a service was restarted, and in which state it was when that was asked."""

    unit: Unit
    inode: int | None
    times: int | None


class ServiceUnitsCollector(ToldOnce):
    name: ClassVar[str] = "service_units"
    fields: ClassVar[tuple[str, ...]] = ("services",)
    pace_seconds: ClassVar[float] = 30

    def __init__(self, paths: HostPaths, manager: ServiceManager) -> None:
        self._paths, self._manager = paths, manager
        self._processors = online_processors(paths)
        self._cpu: dict[str, _Cpu] = {}
        self._restarts: dict[str, _Restarts] = {}

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(paths, find_manager(paths, config))

    def collect(self, now: float) -> Metrics:
        units = by_shown_name(self._manager.units())
        groups = find_groups(self._paths) if self._paths.is_linux else {}
        found = {name: self._describe(unit, groups.get(unit.name), now) for name, unit in units.items()}
        known = {unit.name for unit in units.values()}
        self._cpu = {name: cpu for name, cpu in self._cpu.items() if name in known}
        self._restarts = {name: restarts for name, restarts in self._restarts.items() if name in known}
        return Metrics(services=ServiceMetrics(units=found or None))

    def _describe(self, unit: Unit, group: Group | None, now: float) -> ServiceUnitMetrics:
        restarts = self._restarts_of(unit, group)
        if group is None:
            return ServiceUnitMetrics(state=unit.state, sub_state=unit.sub_state, restarts=restarts)
        usage = read_usage(group)
        return ServiceUnitMetrics(
            state=unit.state,
            sub_state=unit.sub_state,
            cpu_percent=None if usage.cpu_us is None else self._cpu_percent(group, usage.cpu_us, now),
            memory_bytes=usage.memory_bytes,
            memory_peak_bytes=usage.memory_peak_bytes,
            restarts=restarts,
        )

    def _cpu_percent(self, group: Group, used_us: int, now: float) -> float | None:
        before = self._cpu.get(group.unit)
        self._cpu[group.unit] = _Cpu(group.inode, used_us, now)
        if before is None or before.inode != group.inode:
            return None
        used = gained(before.used_us, used_us)
        return None if used is None else share(used, (now - before.read_at) * 1e6 * self._processors)

    def _restarts_of(self, unit: Unit, group: Group | None) -> int | None:
        """Asked only of a service whose state or group is another: a restart changes at least the latter."""
        inode = None if group is None else group.inode
        known = self._restarts.get(unit.name)
        if known is None or (known.unit, known.inode) != (unit, inode):
            known = self._restarts[unit.name] = _Restarts(unit, inode, self._manager.restarts(unit))
        return known.times
