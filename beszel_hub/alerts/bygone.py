"""What was known of a system beside its samples at any instant of the past. Pure.

Containers are put together from three sources: the events of their engine, which containers samples show to run, and
which there are now. Events tell most, but not those that an agent had no engine to hear from, and not what was before
the first; what runs in a sample runs, and what was in samples and is no more has ended.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from beszel_hub.alerts.surroundings import Carried, Surroundings
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.messages import Event
from beszel_protocol.sample import Metrics

MISSED_MS: Final = 30_000
"""How long a container may be missing in samples before it counts as ended, if no event says so."""
_LATE_MS: Final = 2000
"""By how much a sample may be older than the event that it comes after."""
_GUESTS: Final = frozenset({"lxc", "nspawn"})
"""Engines whose guests are known only while they run."""
_RUNS_BEFORE: Final = frozenset({
    "container_died", "container_healthy", "container_oom", "container_restarted", "container_unhealthy",
})  # fmt: skip
_UNKNOWN_ID: Final = "0" * 12


class Bygone(NamedTuple):
    """Everything beside the samples of one system, oldest first; None for what no rule asks for."""

    events: Sequence[tuple[int, Event]] = ()
    containers: Sequence[ContainerFacts] | None = None
    """Those that there are now."""
    traffic: Sequence[tuple[int, Mapping[int, Carried]]] = ()


class Course:
    """Goes through what was, from one sample to the next."""

    def __init__(self, bygone: Bygone) -> None:
        self._events = deque(bygone.events)
        self._traffic = deque(bygone.traffic)
        self._containers = None if bygone.containers is None else ContainerCourse(bygone.events, bygone.containers)

    @property
    def unknown_ends(self) -> frozenset[str]:
        """Containers of which it is not known how they ended."""
        return frozenset() if self._containers is None else frozenset(self._containers.unknown_ends)

    def surround(self, around: Surroundings, instant_ms: int, metrics: Metrics) -> None:
        """Bring `around` to the instant of a sample."""
        while self._events and self._events[0][0] <= instant_ms:
            event_ms, event = self._events.popleft()
            around.note(event.kind, event.subject, event_ms)
            if self._containers is not None:
                self._containers.note(event_ms, event)
        while self._traffic and self._traffic[0][0] <= instant_ms:
            around.traffic = self._traffic.popleft()[1]
        if self._containers is not None:
            running = [container.name for container in metrics.containers or ()]
            around.containers = self._containers.look(instant_ms, running)


class ContainerCourse:
    """The containers of one system, by name; `events` are all that there are, oldest first."""

    def __init__(self, events: Iterable[tuple[int, Event]], now: Sequence[ContainerFacts]) -> None:
        self.unknown_ends: set[str] = set()
        self._now = {facts.name: facts for facts in now}
        self._to_come: dict[str, int] = {}
        """How many events of each are still to come."""
        self._there: dict[str, ContainerFacts] = {}
        self._changed_ms: dict[str, int] = {}
        self._seen_ms: dict[str, int] = {}
        """When each was in a sample last; of those that were in one since they came to run."""
        self._looked_ms: int | None = None
        for _, event in events:
            if event.kind.startswith("container_"):
                if event.subject not in self._to_come:
                    self._begin(event)
                self._to_come[event.subject] = self._to_come.get(event.subject, 0) + 1
        self._there |= {name: facts for name, facts in self._now.items() if name not in self._to_come}

    def note(self, at_ms: int, event: Event) -> None:
        if not event.kind.startswith("container_"):
            return
        name = event.subject
        self._to_come[name] = self._to_come.get(name, 1) - 1
        self._changed_ms[name] = at_ms
        match event.kind:
            case "container_created":
                self._put(name, "created")
            case "container_started" | "container_restarted":
                self._put(name, "running")
            case "container_removed":
                self._drop(name)
            case "container_died":
                code = (event.attributes or {}).get("exit_code")
                self._end(name, code if isinstance(code, int) else None)
            case "container_renamed":
                self._rename(str((event.attributes or {}).get("before", "")), name)

    def look(self, instant_ms: int, running: Sequence[str]) -> Sequence[ContainerFacts]:
        """What there was when a sample was taken that shows these to run."""
        since_ms = self._looked_ms if self._looked_ms is not None else instant_ms
        self._looked_ms = instant_ms
        for name in running:
            if self._changed_ms.get(name, 0) < min(since_ms, instant_ms - _LATE_MS):
                self._seen_ms[name] = instant_ms
                if name not in self._there or self._there[name].state not in {"running", "paused"}:
                    self._put(name, "running")
        for name, seen_ms in list(self._seen_ms.items()):
            if instant_ms - seen_ms >= MISSED_MS and seen_ms < since_ms:
                self._miss(name)
        return list(self._there.values())

    def _begin(self, first: Event) -> None:
        """What a container was before the first that is told of it."""
        if first.kind in _RUNS_BEFORE:
            self._put(first.subject, "running")
        elif first.kind in {"container_started", "container_removed"}:
            self._put(first.subject, "exited")

    def _miss(self, name: str) -> None:
        """It has ended, and no event said so."""
        del self._seen_ms[name]
        facts = self._now.get(name)
        has_more = self._to_come.get(name, 0) > 0
        if self._there[name].state not in {"running", "paused"}:
            return
        if facts is None and not has_more:
            self._drop(name)
        elif facts is None or has_more or facts.state in {"running", "paused"}:
            self._end(name, None, is_known=True)
        else:
            self._there[name] = facts

    def _end(self, name: str, exit_code: int | None, *, is_known: bool = False) -> None:
        facts = self._now.get(name)
        is_guest = facts is None if exit_code is None and not is_known else False
        if is_guest or (facts is not None and facts.engine in _GUESTS):
            self._drop(name)
            return
        if exit_code is None:
            self.unknown_ends.add(name)
        self._put(name, "exited", exit_code or 0)

    def _put(self, name: str, state: str, exit_code: int | None = None) -> None:
        """An end of which nothing is known is not taken for a failure."""
        if state != "running":
            self._seen_ms.pop(name, None)
        code = 0 if state == "exited" and exit_code is None else exit_code
        facts = self._there.get(name) or self._now.get(name)
        if facts is None:
            facts = ContainerFacts(id=_UNKNOWN_ID, name=name, engine="docker", state=state)
        self._there[name] = msgspec.structs.replace(facts, state=state, exit_code=code)

    def _drop(self, name: str) -> None:
        self._there.pop(name, None)
        self._seen_ms.pop(name, None)

    def _rename(self, before: str, name: str) -> None:
        facts = self._there.get(before)
        self._drop(before)
        if facts is not None:
            self._there[name] = msgspec.structs.replace(facts, name=name)
