"""Which addresses checks and notifications may go to. Pure: it judges the very address that is to be connected to.

The tables are those of IANA's special-purpose registries, spelled out because what Python's `ipaddress` calls global
differs between versions. An address that carries an IPv4 address within it is no better than that one.
"""

import enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address


class Reach(enum.IntEnum):
    """Worse is higher."""

    PUBLIC = 0
    PRIVATE = 1
    """Only to be had from this host or its network; an administrator may allow it."""
    FORBIDDEN = 2
    """Nobody may allow it: it is no single host, or it hands out the credentials of this one."""


def judge(address: IpAddress) -> Reach:
    if isinstance(address, IPv4Address):
        return _judge_v4(address)
    embedded = _embedded_v4(address)
    return max(_judge_v6(address), Reach.PUBLIC if embedded is None else _judge_v4(embedded))


def normalize(address: IpAddress) -> IpAddress:
    """The address that packets really go to: that of IPv4 where it is only written as one of IPv6."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _judge_v4(address: IPv4Address) -> Reach:
    if any(address in network for network in _FORBIDDEN_V4):
        return Reach.FORBIDDEN
    return Reach.PRIVATE if any(address in network for network in _PRIVATE_V4) else Reach.PUBLIC


def _judge_v6(address: IPv6Address) -> Reach:
    if address in _FORBIDDEN_V6 or address in _MULTICAST_V6:
        return Reach.FORBIDDEN
    if address in _NAT64 or address in _MAPPED:
        return Reach.PUBLIC
    is_public = address in _GLOBAL_UNICAST and not any(address in network for network in _PRIVATE_V6)
    return Reach.PUBLIC if is_public else Reach.PRIVATE


def _embedded_v4(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in _TAILS_ARE_V4) and address != _LOOPBACK_V6:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


_FORBIDDEN_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # "this host": connecting there reaches loopback
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "169.254.169.0/24",  # instance metadata of nearly every cloud
            "169.254.170.0/24",  # credentials of containers and pods at Amazon
            "169.254.42.42/32",  # metadata at Scaleway
            "100.100.100.200/32",  # metadata at Alibaba
            "168.63.129.16/32",  # the wire server of Azure, by an address that looks public
            "192.0.0.192/32",  # metadata at Oracle
        ),
    )
)
_PRIVATE_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by the customers of a carrier
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
        ),
    )
)
_FORBIDDEN_V6: Final = frozenset(
    map(
        IPv6Address,
        (
            "::",
            "fd00:ec2::254",  # metadata at Amazon
            "fd00:ec2::23",  # credentials of pods at Amazon
            "fd20:ce::254",  # metadata at Google
            "fd00:42::42",  # metadata at Scaleway
            "fe80::a9fe:a9fe",  # metadata of OpenStack
        ),
    )
)
_LOOPBACK_V6: Final = IPv6Address("::1")
_MULTICAST_V6: Final = IPv6Network("ff00::/8")
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_PRIVATE_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",
            "3fff::/20",
        ),
    )
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_TAILS_ARE_V4: Final = (_MAPPED, _NAT64, IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
