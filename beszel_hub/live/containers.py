"""The topics `containers` and `containers:<system>`: inventories when they change, and what is used at a steady pace.

Each host is encoded once however many clients get it; a client's frame is put together from those pieces.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

import msgspec

from beszel_hub.live.frames import SharedFrame, share_encoded
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.feed import CONTAINERS_TOPIC, CONTAINERS_TOPIC_PREFIX, HostContainers
from beszel_protocol.sample import ContainerMetrics

CONTAINERS_A_SECOND: Final = 500
"""What one client is sent of usage, about; who sees more gets each less often."""

_encoder: Final = msgspec.json.Encoder()


class _Frame(msgspec.Struct, kw_only=True, omit_defaults=True, tag="containers", tag_field="type"):
    """`beszel_protocol.feed.Containers` of pieces that are encoded already."""

    sequence: int
    hub_ms: int
    hosts: list[msgspec.Raw]
    removed: list[str] = []


class Host:
    """One system's containers; a version for each half of them, never used twice."""

    def __init__(self, system_id: str) -> None:
        self.system_id = system_id
        self.facts: Sequence[ContainerFacts] = ()
        self.image_updates: Mapping[str, bool] = {}
        self.usage: Sequence[ContainerMetrics] = ()
        self.updated_ms: int | None = None
        self.facts_version = 0
        self.usage_version = 0
        self._pieces: dict[bool, tuple[tuple[int, int], msgspec.Raw]] = {}

    def piece(self, *, with_facts: bool) -> msgspec.Raw:
        versions = (self.facts_version, self.usage_version)
        known = self._pieces.get(with_facts)
        if known is None or known[0] != versions:
            told = HostContainers(
                system=self.system_id,
                facts=list(self.facts) if with_facts else None,
                image_updates=dict(self.image_updates) if with_facts else None,
                usage=list(self.usage),
                updated_ms=self.updated_ms,
            )
            known = self._pieces[with_facts] = (versions, msgspec.Raw(_encoder.encode(told)))
        return known[1]


class Known:
    """What one client has been sent."""

    __slots__ = ("due_ms", "is_new", "versions")

    def __init__(self) -> None:
        self.is_new = True
        self.versions: dict[str, tuple[int, int]] = {}
        self.due_ms = 0


class ContainerTopics:
    """The newest of every host, and what of it is news to whom."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._versions = count(1)

    def put_facts(self, system_id: str, facts: Sequence[ContainerFacts]) -> None:
        host = self._hosts.setdefault(system_id, Host(system_id))
        host.facts = facts
        host.facts_version = next(self._versions)

    def put_image_updates(self, system_id: str, updates: Mapping[str, bool]) -> None:
        host = self._hosts.get(system_id)
        if host is not None:
            host.image_updates = updates
            host.facts_version = next(self._versions)

    def put_usage(self, system_id: str, updated_ms: int, usage: Sequence[ContainerMetrics]) -> None:
        host = self._hosts.get(system_id)
        if host is not None:
            host.usage, host.updated_ms = usage, updated_ms
            host.usage_version = next(self._versions)

    def remove(self, system_id: str) -> None:
        self._hosts.pop(system_id, None)

    def frame_for(
        self, visible: frozenset[str], topics: Sequence[str], known: Known, now_ms: int
    ) -> SharedFrame | None:
        """What is news to a client that sees these systems; None if nothing is, or if it is not yet time for it."""
        wanted = self._wanted(visible, topics)
        removed = sorted(known.versions.keys() - wanted)
        is_due = now_ms >= known.due_ms
        pieces: list[msgspec.Raw] = []
        for system_id in sorted(wanted):
            host = self._hosts[system_id]
            facts_version, usage_version = known.versions.get(system_id, (0, 0))
            has_new_facts = host.facts_version != facts_version
            if has_new_facts or (is_due and host.usage_version != usage_version):
                pieces.append(host.piece(with_facts=has_new_facts))
                known.versions[system_id] = (host.facts_version, host.usage_version)
        for system_id in removed:
            del known.versions[system_id]
        if not pieces and not removed and not known.is_new:
            return None
        known.is_new = False
        if is_due:
            containers = sum(len(self._hosts[system_id].facts) for system_id in wanted)
            known.due_ms = now_ms + 1000 * (containers // CONTAINERS_A_SECOND)
        frame = _Frame(sequence=0, hub_ms=now_ms, hosts=pieces, removed=removed)
        return share_encoded(_encoder.encode(frame), topics[0])

    def _wanted(self, visible: frozenset[str], topics: Sequence[str]) -> frozenset[str]:
        known = visible & self._hosts.keys()
        if CONTAINERS_TOPIC in topics:
            return known
        return known & {topic.removeprefix(CONTAINERS_TOPIC_PREFIX) for topic in topics}


def is_container_topic(topic: str) -> bool:
    return topic == CONTAINERS_TOPIC or topic.startswith(CONTAINERS_TOPIC_PREFIX)
