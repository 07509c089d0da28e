"""Everything that is known of the containers of this host, whoever tells it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from beszel_agent.config import Config
from beszel_agent.containers.client import EngineClient
from beszel_agent.containers.events import differences
from beszel_agent.containers.guests import GuestScan, has_places
from beszel_agent.containers.hierarchy import Hierarchy
from beszel_agent.containers.model import Container, Containers, Tiding
from beszel_agent.containers.roster import is_excluded, make_inventory, merge_containers
from beszel_agent.containers.sockets import find_engines
from beszel_agent.containers.watch import EngineWatch
from beszel_agent.paths import HostPaths
from beszel_agent.settings import EngineHost
from beszel_protocol.containers import ContainerFacts

LOOK_SECONDS: Final = 60.0
"""How often new engines are looked for."""
SCAN_SECONDS: Final = 1.0
"""How often guests without an engine are looked for, where there can be any."""
_SCAN_SHARE: Final = 0.002
"""Looking for them may take this part of the time, so it is done less often the longer it takes."""
_MAX_TIDINGS: Final = 1000
_OOM_SECONDS: Final = 10.0
"""Engine and kernel both tell of the same; within this time it is one event."""

log = logging.getLogger(__name__)


class Known(NamedTuple):
    """A container with the way to ask about it."""

    container: Container
    client: EngineClient


class ContainerHost:
    """Threads watch; whoever wants to know asks here, at any time and without waiting."""

    def __init__(
        self,
        paths: HostPaths,
        config: Config,
        *,
        connect: Callable[[EngineHost], EngineClient] | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._paths, self._config = paths, config
        self._hierarchy = Hierarchy(paths)
        self._connect = connect or self._dial
        self._look_seconds = look_seconds
        self._watches: dict[EngineHost, EngineWatch] = {}
        self._guests: Containers = {}
        self._guest_scan = GuestScan(paths, self._hierarchy)
        self._has_scanned = False
        self._lock = threading.Lock()
        self._tidings: deque[Tiding] = deque(maxlen=_MAX_TIDINGS)
        self._oom_at: dict[str, float] = {}
        self._is_stale = True
        self._merged: tuple[Container, ...] = ()
        self._names: tuple[tuple[Container, ...], dict[str, str]] = (), {}
        self._listener: Callable[[], None] | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Once; more calls do nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_looking, name="containers", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """All threads end soon; one that waits for an engine, with its time-out."""
        self._stopped.set()
        for watch in list(self._watches.values()):
            watch.stop()

    def join(self, seconds: float) -> bool:
        """Whether all threads have ended."""
        if self._thread is not None:
            self._thread.join(seconds)
        ended = [watch.join(seconds) for watch in self._watches.values()]
        return all(ended) and (self._thread is None or not self._thread.is_alive())

    def listen(self, listener: Callable[[], None]) -> None:
        """It is called, in any thread, after something changed or happened."""
        self._listener = listener

    def containers(self) -> tuple[Container, ...]:
        """All of them, running or not; the same object as long as nothing has changed."""
        if self._is_stale:
            self._is_stale = False
            sources = [*(watch.containers for watch in list(self._watches.values())), self._guests]
            self._merged = merge_containers(sources, self._config.exclude_containers)
        return self._merged

    def names(self) -> Mapping[str, str]:
        """Of all containers, by shortened id."""
        containers = self.containers()
        if self._names[0] is not containers:
            self._names = containers, {item.facts.id: item.facts.name for item in containers}
        return self._names[1]

    def inventory(self) -> list[ContainerFacts] | None:
        """None as long as no engine has told of its containers, and no guest was found either."""
        if not self._has_scanned and all(watch.problem is not None for watch in list(self._watches.values())):
            return None
        return make_inventory(self.containers())

    def take_tidings(self) -> list[Tiding]:
        """What happened since the last call, oldest first."""
        with self._lock:
            found = list(self._tidings)
            self._tidings.clear()
        return found

    def tell(self, tidings: Iterable[Tiding]) -> None:
        """Something happened, or only changed."""
        with self._lock:
            self._tidings.extend(tiding for tiding in tidings if self._is_news(tiding))
        self._is_stale = True
        if self._listener is not None:
            self._listener()

    def find(self, container_id: str) -> Known | None:
        """By id in full or shortened; None if no engine here knows it, or it is one to leave out."""
        for watch in list(self._watches.values()):
            for container in watch.containers.values():
                if container.full_id.startswith(container_id) and watch.client is not None:
                    if is_excluded(container.facts.name, self._config.exclude_containers):
                        return None
                    return Known(container, watch.client)
        return None

    def asks(self) -> Iterator[tuple[EngineClient, Container]]:
        """Running containers of which only the engine has numbers."""
        for watch in list(self._watches.values()):
            for container in watch.containers.values():
                if container.pid is not None and container.place is None and watch.client is not None:
                    yield watch.client, container

    def problems(self) -> list[str]:
        """Engines that do not answer, for people."""
        return [f"{watch.host}: {watch.problem}" for watch in list(self._watches.values()) if watch.problem is not None]

    def _is_news(self, tiding: Tiding) -> bool:
        if is_excluded(tiding.name, self._config.exclude_containers):
            return False
        if tiding.kind != "container_oom":
            return True
        now, last = time.monotonic(), self._oom_at.get(tiding.full_id)
        self._oom_at = {key: at for key, at in self._oom_at.items() if now - at < _OOM_SECONDS}
        self._oom_at[tiding.full_id] = now
        return last is None or now - last >= _OOM_SECONDS

    def _keep_looking(self) -> None:
        look_at, pause = 0.0, self._look_seconds
        while not self._stopped.is_set():
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + self._look_seconds
                self._look_for_engines()
                scans = self._config.docker_host != () and has_places(self._paths)
                pause = SCAN_SECONDS if scans else self._look_seconds
            if pause != self._look_seconds or self._guests:
                pause = max(SCAN_SECONDS, self._scan() / _SCAN_SHARE)
            self._stopped.wait(min(pause, max(0.05, look_at - time.monotonic())))

    def _look_for_engines(self) -> None:
        for host in find_engines(self._paths, self._config):
            if host not in self._watches:
                watch = EngineWatch(host, self._connect, self._hierarchy, self.tell)
                self._watches = {**self._watches, host: watch}
                watch.start()

    def _scan(self) -> float:
        """How long it took, in seconds."""
        started = time.monotonic()
        before, fresh = self._guests, self._guest_scan.scan()
        took = time.monotonic() - started
        first, self._has_scanned = not self._has_scanned, True
        if first or fresh != before:
            self._guests = fresh
            # A guest is only seen while it runs: that it came is a start, that it went is an end.
            self.tell([] if first else [_as_run(tiding) for tiding in differences(before, fresh)])
        return took

    def _dial(self, host: EngineHost) -> EngineClient:
        return EngineClient(
            host, timeout_seconds=self._config.docker_timeout, certificates=self._config.docker_cert_path
        )


def _as_run(tiding: Tiding) -> Tiding:
    return tiding._replace(kind="container_died") if tiding.kind == "container_removed" else tiding
