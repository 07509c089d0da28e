"""Which containers of which systems run which tags, as far as registries can be asked about them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from beszel_protocol.containers import ContainerFacts
from beszel_protocol.images import ImageReference, parse_image

MAX_OF_SYSTEM: Final = 200
"""Tags that one agent can have asked about: names come from agents, and one must not use up the pace for all."""
MAX_REFERENCES: Final = 5000


class Use(NamedTuple):
    """The tag that a container was made from, and what that was then."""

    reference: ImageReference
    digests: frozenset[str]


def uses_in(facts: Iterable[ContainerFacts]) -> dict[str, Use]:
    """By container.

    An image without a digest of its registry was made on its host or has lost its name: nobody is told of it.
    """
    found: dict[str, Use] = {}
    references: set[ImageReference] = set()
    for item in facts:
        reference = parse_image(item.image or "") if item.repo_digests else None
        if reference is None or reference.digest is not None:
            continue
        if reference in references or len(references) < MAX_OF_SYSTEM:
            references.add(reference)
            found[item.id] = Use(reference, frozenset(item.repo_digests))
    return found


class Demand:
    """The uses of all systems, and the other way round."""

    def __init__(self) -> None:
        self._uses: dict[str, dict[str, Use]] = {}
        self._systems: dict[ImageReference, set[str]] = {}

    @property
    def references(self) -> Iterable[ImageReference]:
        return self._systems

    def put(self, system_id: str, facts: Sequence[ContainerFacts]) -> None:
        for use in self._uses.pop(system_id, {}).values():
            systems = self._systems.get(use.reference, set())
            systems.discard(system_id)
            if not systems:
                self._systems.pop(use.reference, None)
        uses = {
            container_id: use
            for container_id, use in uses_in(facts).items()
            if use.reference in self._systems or self._add(use.reference)
        }
        for use in uses.values():
            self._systems[use.reference].add(system_id)
        if uses:
            self._uses[system_id] = uses

    def uses_of(self, system_id: str) -> Mapping[str, Use]:
        return self._uses.get(system_id, {})

    def systems_with(self, reference: ImageReference) -> list[str]:
        return sorted(self._systems.get(reference, ()))

    def _add(self, reference: ImageReference) -> bool:
        if len(self._systems) >= MAX_REFERENCES:
            return False
        self._systems[reference] = set()
        return True
