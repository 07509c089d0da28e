"""What the parts of this package hand to each other."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from beszel_protocol.containers import ContainerFacts

SHORT_ID: Final = 12
"""How many digits of an id go over the link."""


class CgroupPlace(NamedTuple):
    """Where the kernel keeps the numbers of one container."""

    unified: str | None
    """Its directory under cgroup v2, if that has controllers."""
    controllers: tuple[tuple[str, str], ...]
    """Its directories under cgroup v1, each with its controller."""

    def directory(self, controller: str) -> str | None:
        return next((path for name, path in self.controllers if name == controller), None)


class Container(NamedTuple):
    """One container as its engine, or its cgroup, tells of it."""

    facts: ContainerFacts
    full_id: str
    pid: int | None = None
    """Of its first process, while it runs."""
    place: CgroupPlace | None = None
    """None if it does not run, or its cgroup cannot be seen from here."""
    has_network: bool = True
    """False if it uses that of the host, whose traffic is not its own."""
    has_terminal: bool = False
    """What it writes is one stream then."""
    was_oom_killed: bool = False
    """In its last run."""
    image_id: str | None = None
    """As its engine knows the image."""

    @property
    def is_running(self) -> bool:
        return self.facts.state == "running"


Containers = Mapping[str, Container]
"""By full id."""


class Tiding(NamedTuple):
    """What became of a container."""

    kind: str
    """One of `EVENT_KINDS`."""
    full_id: str
    name: str
    text: str = ""
    attributes: Mapping[str, Any] = {}


class Counters(NamedTuple):
    """What one container has used; None is what nobody could tell."""

    cpu_ns: int | None = None
    periods: int | None = None
    """In which it could use CPU under a limit."""
    throttled_periods: int | None = None
    memory_bytes: int | None = None
    """Without file cache that the kernel can take back at once."""
    oom_kills: int | None = None
    pids: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None
    network_rx: int | None = None
    network_tx: int | None = None
