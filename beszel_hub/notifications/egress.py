"""Where messages may go: a name is resolved once, every address judged, and the connection goes to one that was judged.

What the name means a moment later changes nothing, and neither does the environment: no proxy is used.
"""

import asyncio
import functools
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

import msgspec

from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused
from beszel_protocol.reach import IpAddress, Reach, judge, normalize

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a name, as this machine's own resolver has them. Raises OSError."""

MAX_ADDRESSES: Final = 4
PATIENCE_SECONDS: Final = 3.0
"""With an address that does not answer, while there is another one to try."""
PRIVATE: Final = "it leads to a private address, which only an administrator's channel may"
FORBIDDEN: Final = "it leads to an address that no message may go to"
_THREADS: Final = 4


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel may reach. The addresses where clouds hand out credentials are closed to all of them."""

    allows_private: bool = False
    networks: tuple[str, ...] = ()
    """Private ones that the hub's operator has opened to everybody."""

    def permits(self, address: IpAddress) -> bool:
        reach = reach_of(address)
        if reach is Reach.PRIVATE:
            return self.allows_private or any(address in network for network in _read_networks(self.networks))
        return reach is Reach.PUBLIC


def reach_of(address: IpAddress) -> Reach:
    """As the tables have it; but an address of this very machine is no public one, whatever it looks like."""
    reach = judge(address)
    return Reach.PRIVATE if reach is Reach.PUBLIC and _is_own(address) else reach


async def resolve(host: str) -> Sequence[str]:
    ask = functools.partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_resolvers(), ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def find(host: str, policy: Policy, resolve: Resolve = resolve) -> list[IpAddress]:
    """The addresses of `host` that a message may go to, at least one. Raise `DeliveryFailed` or `TargetRefused`."""
    addresses = [normalize(address) for address in await _look_up(host, resolve)]
    allowed = [address for address in addresses if policy.permits(address)]
    if not allowed:
        is_private = min(reach_of(address) for address in addresses) is Reach.PRIVATE
        raise TargetRefused(PRIVATE if is_private else FORBIDDEN)
    return allowed[:MAX_ADDRESSES]


async def connect(host: str, port: int, policy: Policy, resolve: Resolve = resolve) -> socket.socket:
    """A connected socket. Raise `DeliveryFailed` or `TargetRefused`."""
    addresses = await find(host, policy, resolve)
    loop = asyncio.get_running_loop()
    for address in addresses:
        until = None if address is addresses[-1] else loop.time() + PATIENCE_SECONDS
        try:
            async with asyncio.timeout_at(until):
                return await _connect(address, port)
        except OSError:  # time-outs of one address among them
            continue
    raise DeliveryFailed("no connection")


async def _connect(address: IpAddress, port: int) -> socket.socket:
    sock = socket.socket(_family_of(address), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _look_up(host: str, resolve: Resolve) -> list[IpAddress]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        found = [ip_address(text.partition("%")[0]) for text in await resolve(host)]
    except (OSError, ValueError, UnicodeError) as error:
        raise DeliveryFailed("its name does not resolve") from error
    if not found:
        raise DeliveryFailed("its name has no address")
    return found


def _is_own(address: IpAddress) -> bool:
    """Nothing is sent: the kernel only looks up the way."""
    try:
        with socket.socket(_family_of(address), socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            source: str = probe.getsockname()[0]
    except OSError:
        return False
    return ip_address(source.partition("%")[0]) == address


def _family_of(address: IpAddress) -> socket.AddressFamily:
    return socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET


@functools.cache
def _resolvers() -> ThreadPoolExecutor:
    """Apart from the loop's own threads: a name that is never answered holds up one of these only."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="notify-names")


@functools.cache
def _read_networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)
