"""What each running container uses, from its cgroup; from its engine where the cgroup cannot be seen."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Final, Self

from beszel_agent.config import Config
from beszel_agent.containers.devices import read_processors, stacked_devices
from beszel_agent.containers.events import oom
from beszel_agent.containers.guests import has_places
from beszel_agent.containers.host import ContainerHost
from beszel_agent.containers.model import CgroupPlace, Container, Counters, Tiding
from beszel_agent.containers.reader import ContainerReader, FileBudget
from beszel_agent.containers.sockets import find_engines
from beszel_agent.containers.statistics import StatisticsPoller
from beszel_agent.containers.usage import container_metrics
from beszel_agent.errors import Unavailable
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import ContainerMetrics, Metrics

_DEVICES_SECONDS: Final = 60.0

Identity = tuple[str, int | None, CgroupPlace | None, str | None, bool, bool]
"""One run of a container: its files are others after a restart, and of one that gets a limit there are more."""


class _Run:
    """One run of a container, and what was read of it last."""

    __slots__ = ("_container", "_counters", "_looked_at", "_read_at", "_reader", "_standing", "_tell")

    def __init__(self, reader: ContainerReader, container: Container, tell: Callable[[Iterable[Tiding]], None]) -> None:
        self._reader, self._container, self._tell = reader, container, tell
        self._counters: Counters | None = None
        self._read_at = self._looked_at = 0.0
        self._standing: ContainerMetrics | None = None
        """What to tell as long as nothing is used: most containers do nothing most of the time."""

    def update(self, container: Container) -> None:
        """The same run, of which perhaps something else is known."""
        if container is not self._container:
            self._container, self._standing = container, None

    def read(self, now: float, processors: int) -> ContainerMetrics | None:
        """None once it has ended."""
        if self._standing is not None and self._reader.rests(now):
            self._looked_at = now
            return self._standing
        counters = self._reader.read(now)
        if counters is None:
            return None
        before, read_at, looked_at = self._counters, self._read_at, self._looked_at
        self._counters, self._read_at, self._looked_at = counters, now, now
        if self._standing is not None and counters == before:
            return self._standing
        if before is not None and before.cpu_ns != counters.cpu_ns:
            # What it used it has used since it was last seen to rest, not little by little since it was last read.
            read_at = looked_at
        metrics = container_metrics(
            self._container, before, counters, elapsed_seconds=now - read_at, processors=processors
        )
        self._standing = metrics if counters == before and now > read_at else None
        # The kernel may end a process of a container that goes on without it, of which not every engine tells.
        if before is not None and (counters.oom_kills or 0) > (before.oom_kills or 0):
            self._tell([oom(self._container.full_id, self._container.facts.name)])
        return metrics

    def close(self) -> None:
        self._reader.close()


class ContainersCollector:
    name: ClassVar[str] = "containers"
    fields: ClassVar[tuple[str, ...]] = ("containers",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, paths: HostPaths, host: ContainerHost) -> None:
        self.host = host
        self._paths = paths
        self._poller = StatisticsPoller(host.asks, lambda: self._stacked)
        self._budget = FileBudget(_most_files())
        self._seen: tuple[Container, ...] = ()
        self._runs: dict[Identity, _Run] = {}
        self._asked: list[Container] = []
        """Those of which only the engine has numbers."""
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
        processors = self._processors
        read = [run.read(now, processors) for run in self._runs.values()]
        asked = [self._ask(container, now) for container in self._asked]
        found = [metrics for metrics in (*read, *asked) if metrics is not None]
        return Metrics(containers=found or None)

    def settle(self) -> None:
        """Let go of the files of what has ended: they keep its network alive. Cheap if nothing has changed."""
        containers = self.host.containers()
        if containers is self._seen:
            return
        self._seen = containers
        before, self._runs, self._asked = self._runs, {}, []
        for container in containers:
            if container.pid is None:
                continue
            if container.place is None:
                self._asked.append(container)
                continue
            identity = _identify(container)
            run = before.pop(identity, None)
            if run is None:
                run = self._open(container, container.place)
            run.update(container)
            self._runs[identity] = run
        for run in before.values():
            run.close()
        self._poller.wake()

    def shortfall(self) -> str | None:
        """Engines that do not answer, and what is asked of them because it cannot be read."""
        reasons = self.host.problems()
        if self._asked:
            reasons.append(
                f"{len(self._asked)} by the engine's statistics, every {self._poller.pace_seconds:.0f} s: "
                "their cgroups cannot be seen from here"
            )
        return "; ".join(reasons) or None

    def stop(self) -> None:
        """Close everything."""
        self._poller.stop()
        self.host.stop()
        for run in self._runs.values():
            run.close()
        self._runs.clear()

    def _open(self, container: Container, place: CgroupPlace) -> _Run:
        reader = ContainerReader(self._paths, container, place, self._stacked, self._budget)
        return _Run(reader, container, self.host.tell)

    def _ask(self, container: Container, now: float) -> ContainerMetrics | None:
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


def _identify(container: Container) -> Identity:
    facts = container.facts
    is_limited = facts.cpu_limit_cores is not None
    return container.full_id, container.pid, container.place, facts.started_at, is_limited, container.has_network


def _most_files() -> int:
    """Half of those that this process may have open."""
    try:
        import resource  # noqa: PLC0415 - Windows has no such module, and no cgroups either
    except ImportError:
        return 0
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft // 2 if soft != resource.RLIM_INFINITY else 1 << 20
