"""Which network interfaces count: each packet once, where it leaves or enters the host."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final, Protocol

from beszel_agent.paths import HostPaths, list_names, read_number_or_none, read_text_or_none

_VIRTUAL_PREFIXES: Final = (
    "br-", "cali", "cilium", "cni", "docker", "dummy", "erspan", "flannel", "fwbr", "fwln", "fwpr", "gre", "gretap",
    "ifb", "ip6_vti", "ip6gre", "ip6tnl", "ip_vti", "kube-", "lxc", "lxdbr", "nlmon", "podman", "sit", "tap", "teql",
    "tunl", "veth", "virbr", "vnet", "zt",
)  # fmt: skip
"""What containers, virtual machines and the kernel itself make: traffic that stays here, or that is counted again on a
real interface."""
_LOOPBACK: Final = "lo"
_TUNNEL_TYPE: Final = "65534"
"""ARPHRD_NONE: WireGuard, Tailscale and other tunnels, whose packets leave inside those of a real interface."""

MAX_INTERFACES: Final = 256

_MEGABIT_BYTES: Final = 125_000
_MOST_MEGABITS: Final = 10_000_000
"""Some drivers give the 32 bits of -1 for a link that is down."""
USUAL_LINK: Final = 1000 * _MEGABIT_BYTES
"""Taken for a link that gives no speed, in bytes per second."""


class Interfaces(Protocol):
    """What a system tells of its interfaces beside their counters."""

    def is_loopback(self, name: str) -> bool: ...

    def is_edge(self, name: str) -> bool:
        """Not a virtual one, nor stacked on others (bond, team, VLAN, bridge) that carry the same packets."""

    def has_peer(self, name: str) -> bool:
        """It is one end of a pair, as a veth of whatever name: the other is a container's, or outside this one."""

    def link_bytes_per_second(self, name: str) -> int | None:
        """What it can carry each way, by its own account; None while it is down, or if it gives none."""


class SysInterfaces:
    """From `/sys/class/net`."""

    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths

    def is_loopback(self, name: str) -> bool:
        return name == _LOOPBACK

    def is_edge(self, name: str) -> bool:
        if name == _LOOPBACK or name.startswith(_VIRTUAL_PREFIXES):
            return False
        if read_text_or_none(self._paths.sys(f"class/net/{name}/type")) == _TUNNEL_TYPE:
            return False
        return not any(entry.startswith("lower_") for entry in list_names(self._paths.sys(f"class/net/{name}")))

    def has_peer(self, name: str) -> bool:
        own, peer = (self._number(name, field) for field in ("ifindex", "iflink"))
        return own is not None and peer is not None and own != peer

    def link_bytes_per_second(self, name: str) -> int | None:
        return link_speed(self._number(name, "speed"))

    def _number(self, name: str, field: str) -> int | None:
        return read_number_or_none(self._paths.sys(f"class/net/{name}/{field}"))


def choose_interfaces(interfaces: Interfaces, names: Iterable[str], rules: tuple[str, ...] | None) -> frozenset[str]:
    """Those of `names` that count. `rules` are the patterns of `NICS`; None chooses by what the interfaces are."""
    names = sorted(names)
    wanted = tuple(rule for rule in rules or () if not rule.startswith("-"))
    refused = tuple(rule[1:] for rule in rules or () if rule.startswith("-"))
    left = [name for name in names if not _matches(name, refused)]
    if rules is None or (refused and not wanted):
        # Where nothing looks like a real interface, as in some containers, the others are all there is.
        edges = [name for name in left if interfaces.is_edge(name)]
        chosen = [name for name in edges if not interfaces.has_peer(name)] or edges
        chosen = chosen or [name for name in left if not interfaces.is_loopback(name)]
    else:
        chosen = [name for name in left if _matches(name, wanted)]
    return frozenset(chosen[:MAX_INTERFACES])


def link_speed(megabits: int | None) -> int | None:
    """In bytes per second; None of what no link can have."""
    return megabits * _MEGABIT_BYTES if megabits is not None and 0 < megabits <= _MOST_MEGABITS else None


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
