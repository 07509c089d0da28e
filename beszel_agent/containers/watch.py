"""Keeps the list of one engine's containers: from its events, and now and then from the whole list."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from beszel_agent.containers.client import EngineClient, NoSuchContainer, Stream, read_events
from beszel_agent.containers.documents import Listed
from beszel_agent.containers.events import EngineEvent, differences, explain, read_event, settle_health
from beszel_agent.containers.facts import make_container, status_words, with_digests
from beszel_agent.containers.hierarchy import Hierarchy
from beszel_agent.containers.images import ImageDigests
from beszel_agent.containers.model import Container, Containers, Tiding
from beszel_agent.errors import EngineFailed
from beszel_agent.settings import EngineHost
from beszel_protocol.containers import MAX_CONTAINERS

RECONCILE_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_MAX_WAITING: Final = 4096
_MOST_STUCK: Final = 3
"""Containers in a row that an engine may fail to describe before it is the engine that fails."""

log = logging.getLogger(__name__)

Tell = Callable[[Iterable[Tiding]], None]


class _Ended(EngineFailed):
    """The stream of events is over."""


class EngineWatch:
    """One engine. Its threads are daemons: an engine that hangs must not keep the agent from ending.

    `containers` is a new mapping whenever something changed, for whoever reads it in another thread.
    """

    def __init__(
        self,
        host: EngineHost,
        connect: Callable[[EngineHost], EngineClient],
        hierarchy: Hierarchy,
        tell: Tell,
        *,
        reconcile_seconds: float = RECONCILE_SECONDS,
    ) -> None:
        """`tell` is called with what happened, perhaps nothing, whenever `containers` may have changed."""
        self.host = host
        self.containers: Containers = {}
        self.problem: str | None = "not asked yet"
        self.client: EngineClient | None = None
        self._connect, self._hierarchy, self._tell = connect, hierarchy, tell
        self._reconcile_seconds = reconcile_seconds
        self._images = ImageDigests(time.monotonic)
        self._has_listed = False
        self._stuck = 0
        self._stopped = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name=f"containers {host}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Does not wait for an engine that hangs."""
        self._stopped.set()
        if self._stream is not None:
            self._stream.close()

    def join(self, seconds: float) -> bool:
        """Whether its thread has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            started = time.monotonic()
            try:
                self._serve()
            except EngineFailed as error:
                self._fail(str(error))
            except Exception as error:  # a mistake in here must not end the watch for good
                log.exception("container engine %s", self.host)
                self._fail(f"unexpected {type(error).__name__}")
            pause = _FIRST_PAUSE_SECONDS if time.monotonic() - started > _LONGEST_PAUSE_SECONDS else pause
            self._stopped.wait(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)

    def _fail(self, problem: str) -> None:
        if problem != self.problem and not self._stopped.is_set():
            log.warning("container engine %s: %s", self.host, problem)
        self.problem = problem

    def _serve(self) -> None:
        """Until the engine fails, or this is stopped: then with `_Ended`."""
        client = self._connect(self.host)
        self.client = client
        try:
            # The events begin before the list is made, so that nothing can fall between them.
            self._stream = stream = client.events()
            waiting: queue.Queue[EngineEvent | None] = queue.Queue(_MAX_WAITING)
            listener = threading.Thread(target=_listen, args=(stream, waiting), name=f"events {self.host}", daemon=True)
            listener.start()
            self._reconcile(client, thoroughly=True)
            if self.problem is not None:
                log.info("container engine %s: %s, %d containers", self.host, client.engine, len(self.containers))
            self.problem = None
            self._follow(client, waiting)
        finally:
            if self._stream is not None:
                self._stream.close()
            self._stream = None
            client.close()

    def _follow(self, client: EngineClient, waiting: "queue.Queue[EngineEvent | None]") -> None:
        reconcile_at = time.monotonic() + self._reconcile_seconds
        while not self._stopped.is_set():
            try:
                first = waiting.get(timeout=max(0.0, reconcile_at - time.monotonic()))
            except queue.Empty:
                self._reconcile(client)
                reconcile_at = time.monotonic() + self._reconcile_seconds
                continue
            if waiting.full():
                # Some may be lost already; the list tells what they said.
                reconcile_at = 0.0
            batch = [first, *_drain(waiting)]
            self._take(client, [event for event in batch if event is not None])
            if None in batch:
                raise _Ended("it closed the stream of events")

    def _take(self, client: EngineClient, events: list[EngineEvent]) -> None:
        """Ask about each container once, however many events tell of it."""
        before = self.containers
        gone = {event.full_id for event in events if event.is_removal}
        fresh = dict(before)
        for full_id in dict.fromkeys(event.full_id for event in events):
            found = None if full_id in gone else self._inspect(client, full_id)
            if found is None:
                fresh.pop(full_id, None)
            elif full_id in fresh or len(fresh) < MAX_CONTAINERS:
                fresh[full_id] = found
        self.containers = fresh
        told = settle_health(
            [event.tiding for event in events if event.tiding is not None],
            [event.full_id for event in events],
            before,
            fresh,
        )
        self._tell([said for tiding in told for said in explain(tiding, before, fresh)])

    def _reconcile(self, client: EngineClient, *, thoroughly: bool = False) -> None:
        """Look at what differs from what is known, or at all. The first list is not news."""
        before = self.containers
        fresh: dict[str, Container] = {}
        for row in client.listed()[:MAX_CONTAINERS]:
            known = before.get(row.id)
            if known is not None and not thoroughly and self._is_as_known(row, known):
                found: Container | None = with_digests(known, self._digests(client, known.image_id))
            else:
                found = self._inspect(client, row.id)
            if found is not None:
                fresh[row.id] = found
        self.containers = fresh
        self._tell(list(differences(before, fresh)) if self._has_listed else [])
        self._has_listed = True

    def _is_as_known(self, row: Listed, known: Container) -> bool:
        """A list does not tell of a restart, but the process that was the first is another then."""
        return is_as_told(row, known) and (known.place is None or self._hierarchy.is_alive(known))

    def _inspect(self, client: EngineClient, full_id: str) -> Container | None:
        """None if it is gone. One that the engine is stuck on stays as it is known; then the others still tell."""
        try:
            document = client.inspect(full_id)
        except NoSuchContainer:
            return None
        except EngineFailed:
            self._stuck += 1
            if self._stuck >= _MOST_STUCK:
                raise
            return self.containers.get(full_id)
        self._stuck = 0
        container = make_container(document, client.engine, self._digests(client, document.image))
        if container.pid is None:
            return container
        place = self._hierarchy.locate(container.pid, full_id) if self._hierarchy.can_be_read else None
        statistics = "engine" if place is None else "cgroup"
        container = container._replace(
            facts=msgspec.structs.replace(container.facts, statistics=statistics), place=place
        )
        # Where its processes cannot be seen from here that number is somebody else's, and so is that one's network.
        return container._replace(has_network=container.has_network and self._hierarchy.is_alive(container))

    def _digests(self, client: EngineClient, image_id: str | None) -> Sequence[str]:
        return self._images.get(client, image_id) if image_id else ()


def _listen(stream: Stream, waiting: "queue.Queue[EngineEvent | None]") -> None:
    """A full queue holds the engine up, which keeps events for its slow readers; None is the end."""
    try:
        for document in read_events(stream):
            event = read_event(document)
            if event is not None:
                waiting.put(event, timeout=RECONCILE_SECONDS)
    except (EngineFailed, queue.Full) as error:
        log.debug("events: %s", error)
    finally:
        try:
            waiting.put(None, timeout=1.0)
        except queue.Full:
            stream.close()


def _drain(waiting: "queue.Queue[EngineEvent | None]") -> list[EngineEvent | None]:
    found: list[EngineEvent | None] = []
    while True:
        try:
            found.append(waiting.get_nowait())
        except queue.Empty:
            return found


def is_as_told(row: Listed, known: Container) -> bool:
    """Whether a row of the list says what was known."""
    facts = known.facts
    name = (row.names or [""])[0].lstrip("/")
    health = next((word for word in ("unhealthy", "healthy", "starting") if f"{word})" in (row.status or "")), "none")
    state = "exited" if row.state == "stopped" else row.state
    words = status_words(facts.state, facts.health, facts.exit_code)
    return name == facts.name and state == facts.state and health == facts.health and words == facts.status
