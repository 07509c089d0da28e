"""All containers of a host in one list, by names that are unique; pure."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from beszel_agent.containers.model import Container, Containers
from beszel_protocol.containers import MAX_CONTAINERS, ContainerFacts

MAX_INVENTORY_BYTES: Final = 900 << 10
"""Of an inventory as JSON: it goes in one frame."""


def merge_containers(sources: Iterable[Containers], excluded: Sequence[str]) -> tuple[Container, ...]:
    """Those of every source in a steady order, without the `excluded`.

    A container that two sources know is told by the first of them; of two that are called the same the older keeps the
    name, the other adds its engine or its id.
    """
    found: dict[str, Container] = {}
    for source in sources:
        for container in source.values():
            found.setdefault(container.facts.id, container)
    kept = [item for item in found.values() if not is_excluded(item.facts.name, excluded)]
    kept.sort(key=lambda item: (item.facts.name, item.facts.started_at or "", item.facts.id))
    return tuple(_with_unique_names(kept[:MAX_CONTAINERS]))


def is_excluded(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def make_inventory(containers: Iterable[Container]) -> list[ContainerFacts]:
    """What goes over the link. Where it would be too long, labels are what it does without, then ports."""
    facts = [container.facts for container in containers]
    if _is_too_long(facts):
        facts = [msgspec.structs.replace(item, labels={}) for item in facts]
    if _is_too_long(facts):
        facts = [msgspec.structs.replace(item, ports=[]) for item in facts]
    while _is_too_long(facts):
        facts = facts[: len(facts) * 3 // 4]
    return facts


def _with_unique_names(containers: Iterable[Container]) -> Iterable[Container]:
    taken: set[str] = set()
    for container in containers:
        facts = container.facts
        choices = (facts.name, f"{facts.name} ({facts.engine})", f"{facts.name} ({facts.id})")
        name = next(choice for choice in choices if choice not in taken)
        taken.add(name)
        if name == facts.name:
            yield container
        else:
            yield container._replace(facts=msgspec.structs.replace(facts, name=name))


def _is_too_long(facts: list[ContainerFacts]) -> bool:
    return len(msgspec.json.encode(facts)) > MAX_INVENTORY_BYTES
