"""How many services there are and how many have failed."""

from typing import ClassVar, Self

from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_agent.services.choice import find_manager
from beszel_agent.services.manager import ServiceManager, count_services
from beszel_protocol.sample import Metrics


class ServicesCollector:
    name: ClassVar[str] = "services"
    fields: ClassVar[tuple[str, ...]] = ("services",)
    pace_seconds: ClassVar[float] = 30

    def __init__(self, manager: ServiceManager) -> None:
        self._manager = manager

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        return cls(find_manager(paths, config))

    def collect(self, now: float) -> Metrics:
        units = self._manager.units()
        return Metrics(services=count_services(units, tells_failures=self._manager.tells_failures))
