"""From a URL to a socket: its name is resolved once, every address judged, and one that was judged connected to.

What the name means a moment later changes nothing, and neither does the environment: no proxy is used.
"""

import asyncio
import functools
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias

from beszel_hub.images.failures import RegistryRefused, RegistryUnwell
from beszel_protocol.reach import IpAddress, Reach, judge, normalize

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a name, as this machine's own resolver has them. Raises OSError."""

MAX_ADDRESSES: Final = 4
PATIENCE_SECONDS: Final = 3.0
"""With an address that does not answer, while there is another one to try."""
_THREADS: Final = 4


async def resolve(host: str) -> Sequence[str]:
    ask = functools.partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_resolvers(), ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(host: str, port: int, limit: Reach, resolve: Resolve = resolve) -> socket.socket:
    """A connected socket. Raise `RegistryRefused` or `RegistryUnwell`."""
    addresses = [normalize(address) for address in await _look_up(host, resolve)]
    allowed = [address for address in addresses if reach_of(address) <= limit][:MAX_ADDRESSES]
    if not allowed:
        raise RegistryRefused("it leads to an address that only a listed registry may have")
    loop = asyncio.get_running_loop()
    for address in allowed:
        until = None if address is allowed[-1] else loop.time() + PATIENCE_SECONDS
        try:
            async with asyncio.timeout_at(until):
                return await _connect(address, port)
        except OSError:  # time-outs of one address among them
            continue
    raise RegistryUnwell("no connection")


def reach_of(address: IpAddress) -> Reach:
    """As the tables have it; but an address of this very machine is no public one, whatever it looks like."""
    reach = judge(address)
    return Reach.PRIVATE if reach is Reach.PUBLIC and _is_own(address) else reach


async def _look_up(host: str, resolve: Resolve) -> list[IpAddress]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    try:
        found = [ip_address(text.partition("%")[0]) for text in await resolve(host)]
    except (OSError, ValueError, UnicodeError) as error:
        raise RegistryUnwell("its name does not resolve") from error
    if not found:
        raise RegistryUnwell("its name has no address")
    return found


async def _connect(address: IpAddress, port: int) -> socket.socket:
    sock = socket.socket(_family_of(address), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


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
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="registry-names")
