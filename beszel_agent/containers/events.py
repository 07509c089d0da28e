"""What an engine's event means, and what became of a container between two lists; pure."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from beszel_agent.containers.documents import EventDocument
from beszel_agent.containers.model import Container, Containers, Tiding
from beszel_protocol.containers import is_container_id
from beszel_protocol.hygiene import clean_text

_KINDS: Final = {
    "create": "container_created",
    "start": "container_started",
    "die": "container_died",
    "died": "container_died",
    "oom": "container_oom",
    "rename": "container_renamed",
    "restart": "container_restarted",
    "destroy": "container_removed",
    "remove": "container_removed",
    "health_status: healthy": "container_healthy",
    "health_status: unhealthy": "container_unhealthy",
}
_HEALTHS: Final = {"container_healthy": "healthy", "container_unhealthy": "unhealthy"}
_GONE: Final = frozenset({"container_removed"})


class EngineEvent(NamedTuple):
    full_id: str
    tiding: Tiding | None
    """None if it only changes what is known of the container."""

    @property
    def is_removal(self) -> bool:
        return self.tiding is not None and self.tiding.kind in _GONE


def read_event(document: EventDocument) -> EngineEvent | None:
    """None if it is not about a container."""
    actor = document.actor
    if document.type != "container" or actor is None or actor.id is None or not is_container_id(actor.id):
        return None
    attributes = actor.attributes or {}
    action = (document.action or "").strip()
    if action == "health_status":  # Podman tells which beside it
        action = f"health_status: {attributes.get('health_status', '')}"
    kind = _KINDS.get(action)
    name = clean_text(attributes.get("name", "").lstrip("/")) or actor.id[:12]
    return EngineEvent(actor.id, None if kind is None else _tiding(kind, actor.id, name, attributes))


def _tiding(kind: str, full_id: str, name: str, attributes: dict[str, str]) -> Tiding:
    if kind == "container_died":
        code = _number(attributes.get("exitCode") or attributes.get("containerExitCode"))
        return died(full_id, name, code)
    if kind == "container_renamed" and attributes.get("oldName"):
        return renamed(full_id, name, clean_text(attributes["oldName"].lstrip("/")))
    if kind == "container_oom":
        return oom(full_id, name)
    return Tiding(kind, full_id, name)


def died(full_id: str, name: str, exit_code: int | None) -> Tiding:
    if exit_code is None:
        return Tiding("container_died", full_id, name)
    return Tiding("container_died", full_id, name, f"exit code {exit_code}", {"exit_code": exit_code})


def settle_health(
    told: Iterable[Tiding], asked: Iterable[str], before: Containers, after: Containers
) -> Iterator[Tiding]:
    """What events say, with health only where it becomes another, of the containers that were `asked` about.

    Podman has an event for every check; before version 4.4 it comes ahead of the check and does not say how that ends.
    """
    known = {full_id: before[full_id].facts.health if full_id in before else "none" for full_id in asked}
    for tiding in told:
        health = _HEALTHS.get(tiding.kind)
        if tiding.kind == "container_started":
            known[tiding.full_id] = "starting"
        elif health is not None:
            if known.get(tiding.full_id) == health:
                continue
            known[tiding.full_id] = health
        yield tiding
    for full_id, health in known.items():
        container = after.get(full_id)
        if container is not None and container.facts.health not in {health, "none", "starting"}:
            yield Tiding(f"container_{container.facts.health}", full_id, container.facts.name)


def explain(tiding: Tiding, before: Containers, after: Containers) -> Iterator[Tiding]:
    """What an event says, with what only the container itself tells.

    Not every engine has an event for the end of a container for want of memory, and none says whether it was the engine
    itself that started one again.
    """
    container, known = after.get(tiding.full_id), before.get(tiding.full_id)
    if tiding.kind == "container_died" and container is not None and container.was_oom_killed:
        yield oom(tiding.full_id, tiding.name)
    if tiding.kind == "container_renamed" and not tiding.attributes and known is not None:
        tiding = renamed(tiding.full_id, tiding.name, known.facts.name)  # Podman does not say
    if tiding.kind == "container_started" and container is not None and known is not None:
        # The count goes up at the end of the run before, whose container waits for its restart then.
        was, now = known.facts.restarts, container.facts.restarts
        if known.facts.state == "restarting" or (was is not None and now is not None and now > was):
            tiding = restarted(container)
    yield tiding


def renamed(full_id: str, name: str, before: str) -> Tiding:
    return Tiding("container_renamed", full_id, name, f"was {before}", {"before": before})


def oom(full_id: str, name: str) -> Tiding:
    return Tiding("container_oom", full_id, name, "killed for want of memory")


def restarted(container: Container) -> Tiding:
    restarts = container.facts.restarts
    extra: dict[str, Any] = {} if restarts is None else {"restarts": restarts}
    return Tiding("container_restarted", container.full_id, container.facts.name, "by its restart policy", extra)


def differences(before: Containers, after: Containers) -> Iterator[Tiding]:
    """What must have happened while nobody listened."""
    for full_id, old in before.items():
        if full_id not in after:
            yield Tiding("container_removed", full_id, old.facts.name)
    for full_id, new in after.items():
        known = before.get(full_id)
        if known is None:
            yield Tiding("container_created", full_id, new.facts.name)
        yield from _changes(known, new)


def _changes(old: Container | None, new: Container) -> Iterator[Tiding]:
    name, full_id = new.facts.name, new.full_id
    if old is not None and old.facts.name != name:
        yield renamed(full_id, name, old.facts.name)
    was_up = old is not None and old.pid is not None
    is_up = new.pid is not None
    if old is not None and was_up and is_up and old.facts.started_at != new.facts.started_at:
        yield Tiding("container_restarted", full_id, name)
    elif was_up and not is_up:
        if new.was_oom_killed:
            yield oom(full_id, name)
        yield died(full_id, name, new.facts.exit_code)
    elif is_up and not was_up:
        yield Tiding("container_started", full_id, name)
    if old is not None and old.facts.health != new.facts.health and new.facts.health in {"healthy", "unhealthy"}:
        yield Tiding(f"container_{new.facts.health}", full_id, name)


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or len(text) > 11:
        return None
    try:
        return int(text)
    except ValueError:
        return None
