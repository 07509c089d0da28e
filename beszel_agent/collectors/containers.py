"""What each running container uses, from its cgroup; from its engine where the cgroup cannot be seen."""

from typing import ClassVar, Final, Self

from beszel_agent.config import Config
from beszel_agent.containers.devices import read_processors, stacked_devices
from beszel_agent.containers.events import oom
from beszel_agent.containers.guests import has_places
from beszel_agent.containers.host import ContainerHost
from beszel_agent.containers.model import CgroupPlace, Container, Counters
from beszel_agent.containers.reader import ContainerReader, FileBudget
from beszel_agent.containers.sockets import find_engines
from beszel_agent.containers.statistics import StatisticsPoller
from beszel_agent.containers.usage import container_metrics
from beszel_agent.errors import Unavailable
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import ContainerMetrics, Metrics

_DEVICES_SECONDS: Final = 60.0

Identity = tuple[str, int | None, CgroupPlace | None]
"""One run of a container: its files are others after a restart."""


class _Tracked:
    """The open files of one run of a container, and what was read last."""

    def __init__(self, reader: ContainerReader) -> None:
        self.reader = reader
        self.counters: Counters | None = None
        self.read_at = 0.0
        self.still: tuple[Container, ContainerMetrics] | None = None
        """What to tell as long as nothing is used: most containers do nothing most of the time."""


class ContainersCollector:
    name: ClassVar[str] = "containers"
    fields: ClassVar[tuple[str, ...]] = ("containers",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, paths: HostPaths, host: ContainerHost) -> None:
        self.host = host
        self._paths = paths
        self._poller = StatisticsPoller(host.asks, lambda: self._stacked)
        self._budget = FileBudget(_most_files())
        self._tracked: dict[Identity, _Tracked] = {}
        self._seen: tuple[Container, ...] = ()
        self._running: list[tuple[Identity, Container]] = []
        self._stacked: frozenset[bytes] = frozenset()
        self._processors = 1
        self._devices_at = float("-inf")

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        if config.docker_host == ():
            raise Unavailable("DOCKER_HOST is empty: switched off by the host's owner")
        if not find_engines(paths, config) and not has_places(paths):
            raise Unavailable("no container engine: neither Docker nor Podman has a socket here")
        return cls(paths, ContainerHost(paths, config))

    def collect(self, now: float) -> Metrics:
        self.host.start()
        if now - self._devices_at >= _DEVICES_SECONDS:
            self._devices_at = now
            self._stacked = stacked_devices(self._paths)
            self._processors = read_processors(self._paths)
        self.settle()
        found: list[ContainerMetrics] = []
        for identity, container in self._running:
            metrics = self._read(identity, container, now)
            if metrics is not None:
                found.append(metrics)
        return Metrics(containers=found or None)

    def settle(self) -> None:
        """Let go of the files of what has ended: they keep its network alive. Cheap if nothing has changed."""
        containers = self.host.containers()
        if containers is self._seen:
            return
        self._seen = containers
        self._running = [((item.full_id, item.pid, item.place), item) for item in containers if item.pid is not None]
        alive = {identity for identity, _ in self._running}
        for identity in [identity for identity in self._tracked if identity not in alive]:
            self._tracked.pop(identity).reader.close()
        self._poller.wake()

    def shortfall(self) -> str | None:
        """Engines that do not answer, and what is asked of them because it cannot be read."""
        reasons = self.host.problems()
        asked = sum(item.place is None for _, item in self._running)
        if asked:
            reasons.append(
                f"{asked} by the engine's statistics, every {self._poller.pace_seconds:.0f} s: "
                "their cgroups cannot be seen from here"
            )
        return "; ".join(reasons) or None

    def stop(self) -> None:
        """Close everything."""
        self._poller.stop()
        self.host.stop()
        for tracked in self._tracked.values():
            tracked.reader.close()
        self._tracked.clear()

    def _read(self, identity: Identity, container: Container, now: float) -> ContainerMetrics | None:
        if container.place is None:
            return self._asked(container, now)
        tracked = self._tracked.get(identity)
        if tracked is None:
            reader = ContainerReader(self._paths, container, container.place, self._stacked, self._budget)
            tracked = self._tracked[identity] = _Tracked(reader)
        counters = tracked.reader.read(now)
        if counters is None:
            return None
        before, elapsed_seconds = tracked.counters, now - tracked.read_at
        tracked.counters, tracked.read_at = counters, now
        if counters == before:
            if tracked.still is not None and tracked.still[0] is container:
                return tracked.still[1]
        else:
            tracked.still = None
            self._notice_oom(container, before, counters)
        metrics = container_metrics(
            container, before, counters, elapsed_seconds=elapsed_seconds, processors=self._processors
        )
        if counters == before and elapsed_seconds > 0:
            tracked.still = container, metrics
        return metrics

    def _asked(self, container: Container, now: float) -> ContainerMetrics | None:
        pair = self._poller.find(container.full_id, now)
        if pair is None:
            return None
        before = pair.before
        return container_metrics(
            container,
            None if before is None else before.counters,
            pair.now.counters,
            elapsed_seconds=0.0 if before is None else pair.now.seconds - before.seconds,
            processors=self._processors,
        )

    def _notice_oom(self, container: Container, before: Counters | None, now: Counters) -> None:
        """The kernel may end a process of a container that goes on without it, of which engines say nothing."""
        if before is not None and (now.oom_kills or 0) > (before.oom_kills or 0):
            self.host.tell([oom(container.full_id, container.facts.name)])


def _most_files() -> int:
    """Half of those that this process may have open."""
    try:
        import resource  # noqa: PLC0415 - Windows has no such module, and no cgroups either
    except ImportError:
        return 0
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft // 2 if soft != resource.RLIM_INFINITY else 1 << 20
