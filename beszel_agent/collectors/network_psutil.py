"""Counters of the interfaces as psutil tells them, and which of them count, on systems other than Linux."""

from collections.abc import Mapping
from typing import Any, Final

import psutil

from beszel_agent.errors import ReadingFailed
from beszel_agent.interfaces import Interfaces, link_speed
from beszel_agent.net_dev import Counters

_VIRTUAL_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "darwin": (
        "anpi", "ap", "awdl", "bond", "bridge", "feth", "gif", "ipsec", "llw", "lo", "p2p", "stf", "utun", "vlan",
        "vmenet", "vmnet", "xhc",
    ),
    "freebsd": (
        "bridge", "edsc", "enc", "epair", "gif", "gre", "ipfw", "ipsec", "lagg", "lo", "ng", "ovpn", "pflog", "pfsync",
        "tap", "tun", "usbus", "vlan", "vm-", "vnet", "vxlan", "wg",
    ),
    "windows": (
        "6to4", "isatap", "local area connection*", "loopback", "npcap loopback", "teredo", "vethernet",
        "virtualbox", "vmware network adapter",
    ),
}  # fmt: skip
"""In small letters: what the system itself, hypervisors and tunnels make, and what is stacked on other interfaces."""


def read_counters() -> dict[str, Counters]:
    """Since each came up, wraps and resets included: what they mean is decided for all systems in one place."""
    found = psutil.net_io_counters(pernic=True, nowrap=False)
    if not found:
        raise ReadingFailed("psutil tells of no interface")
    return {
        name: Counters(
            recv_bytes=io.bytes_recv,
            recv_packets=io.packets_recv,
            recv_errors=io.errin,
            recv_drops=io.dropin,
            sent_bytes=io.bytes_sent,
            sent_packets=io.packets_sent,
            sent_errors=io.errout,
            sent_drops=io.dropout,
        )
        for name, io in found.items()
    }


def look_at_interfaces(system: str) -> Interfaces:
    return PsutilInterfaces(psutil.net_if_stats(), system)


class PsutilInterfaces:
    """As they were at one instant."""

    def __init__(self, stats: Mapping[str, Any], system: str) -> None:
        """`stats` as psutil's `net_if_stats` has them."""
        self._stats = stats
        self._virtual = _VIRTUAL_PREFIXES.get(system, ("lo",))

    def is_loopback(self, name: str) -> bool:
        return "loopback" in self._flags(name) or "loopback" in name.lower()

    def is_edge(self, name: str) -> bool:
        if self.is_loopback(name) or "pointopoint" in self._flags(name):
            return False
        parent, dot, _ = name.partition(".")
        is_vlan = bool(dot) and parent in self._stats
        return not is_vlan and not name.lower().startswith(self._virtual)

    def has_peer(self, name: str) -> bool:
        """None that is not known by its name."""
        return False

    def link_bytes_per_second(self, name: str) -> int | None:
        stats = self._stats.get(name)
        return link_speed(stats.speed) if stats is not None and stats.isup else None

    def _flags(self, name: str) -> tuple[str, ...]:
        """Words such as `up` and `loopback`; none on Windows."""
        stats = self._stats.get(name)
        return () if stats is None else tuple(stats.flags.split(","))
