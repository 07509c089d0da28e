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
        self._since_ms: dict[ImageReference, int] = {}

    @property
    def since_ms(self) -> Mapping[ImageReference, int]:
        """Every tag, and when it was first wanted: who comes with ever new names does not get ahead of the others."""
        return self._since_ms

    def put(self, system_id: str, facts: Sequence[ContainerFacts], now_ms: int) -> None:
        """All that a system runs now."""
        before = {use.reference for use in self._uses.pop(system_id, {}).values()}
        uses = {
            container_id: use
            for container_id, use in uses_in(facts).items()
            if use.reference in self._systems or self._add(use.reference, now_ms)
        }
        after = {use.reference for use in uses.values()}
        for reference in after:
            self._systems[reference].add(system_id)
        for reference in before - after:
            self._remove(reference, system_id)
        if uses:
            self._uses[system_id] = uses

    def uses_of(self, system_id: str) -> Mapping[str, Use]:
        return self._uses.get(system_id, {})

    def systems_with(self, reference: ImageReference) -> list[str]:
        return sorted(self._systems.get(reference, ()))

    def _add(self, reference: ImageReference, now_ms: int) -> bool:
        if len(self._systems) >= MAX_REFERENCES:
            return False
        self._systems[reference] = set()
        self._since_ms[reference] = now_ms
        return True

    def _remove(self, reference: ImageReference, system_id: str) -> None:
        systems = self._systems[reference]
        systems.discard(system_id)
        if not systems:
            del self._systems[reference], self._since_ms[reference]
