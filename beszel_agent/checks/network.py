"""From the name of a target to a socket that is connected to it, past the one gate that says where checks may go.

A name is resolved once, every address of it is judged, and the connection goes to an address that was judged: what the
name means a moment later changes nothing.
"""

import asyncio
import contextlib
import errno
import functools
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_address
from typing import Final

from beszel_agent.errors import CheckError, CheckRefused, TargetDown, describe
from beszel_protocol.reach import IpAddress, Reach, judge, normalize

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a name, as the host's own resolver has them. Raises OSError."""

MAX_ADDRESSES: Final = 4
"""Of one name, tried one after the other within the time-out."""
PATIENCE_SECONDS: Final = 2.0
"""With an address that does not answer, while there is another one to try."""
THREADS: Final = 4
"""That wait for the host's resolver, which cannot be asked otherwise; a name that is never answered holds up one."""


@functools.cache
def _resolvers() -> ThreadPoolExecutor:
    """Made with the first name; apart from the loop's own threads, which the link needs to find its hub."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="check")


async def resolve(host: str) -> Sequence[str]:
    """Ask the host's own resolver: its hosts file, name servers, and whatever else it is set up to ask."""
    ask = functools.partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_resolvers(), ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Network:
    """Where the checks of an agent go through."""

    def __init__(self, resolve: Resolve = resolve) -> None:
        self._resolve = resolve

    async def find(self, host: str, *, allow_private: bool) -> list[IpAddress]:
        """The addresses of `host` that a check may go to, at least one.

        Raise `TargetDown` if it has none, `CheckRefused` if it may go to none of them. Neither tells an address: that
        may be a secret of this network.
        """
        addresses = [normalize(address) for address in await self._look_up(host)]
        limit = Reach.PRIVATE if allow_private else Reach.PUBLIC
        reaches = [self.judge(address) for address in addresses]
        allowed = [address for address, reach in zip(addresses, reaches, strict=True) if reach <= limit]
        if not allowed:
            raise CheckRefused(
                "refused: it leads to a private address, which this check is not allowed to"
                if min(reaches) is Reach.PRIVATE
                else "refused: it leads to an address that no check may go to"
            )
        return allowed[:MAX_ADDRESSES]

    @staticmethod
    def judge(address: IpAddress) -> Reach:
        """As the tables have it; but an address of this very host is no public one, whatever it looks like."""
        reach = judge(address)
        return Reach.PRIVATE if reach is Reach.PUBLIC and is_own(address) else reach

    async def connect(self, host: str, port: int, *, allow_private: bool) -> "Connected":
        """A TCP connection. Raise `TargetDown` or `CheckRefused`."""
        addresses = await self.find(host, allow_private=allow_private)
        started = asyncio.get_running_loop().time()
        connected = await _connect_any(addresses, port)
        return Connected(connected, asyncio.get_running_loop().time() - started)

    async def _look_up(self, host: str) -> list[IpAddress]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            found = [ip_address(text.partition("%")[0]) for text in await self._resolve(host)]
        except (OSError, ValueError, UnicodeError) as error:
            raise TargetDown(f"its name does not resolve: {describe(error)}") from error
        if not found:
            raise TargetDown("its name has no address")
        return found


class Connected:
    """A connected socket, and how long that took."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.socket, self.seconds = sock, seconds


def is_own(address: IpAddress) -> bool:
    """Whether this host has the address itself. Nothing is sent: the kernel only looks up the way."""
    try:
        with socket.socket(family_of(address), socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            source: str = probe.getsockname()[0]
    except OSError:
        return False
    return ip_address(source.partition("%")[0]) == address


def family_of(address: IpAddress) -> socket.AddressFamily:
    return socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET


@contextlib.contextmanager
def datagrams(address: IpAddress, port: int, protocol: int = 0) -> Iterator[socket.socket]:
    """A connected datagram socket: the kernel drops what comes from anybody else. Raise OSError; nothing waits."""
    with socket.socket(family_of(address), socket.SOCK_DGRAM, protocol) as sock:
        sock.setblocking(False)
        sock.connect((str(address), port))
        yield sock


async def _connect_any(addresses: Sequence[IpAddress], port: int) -> socket.socket:
    """The first that takes the connection. Only the last may use up the time-out of the check."""
    problem: CheckError = TargetDown("no answer")
    loop = asyncio.get_running_loop()
    for address in addresses:
        until = None if address is addresses[-1] else loop.time() + PATIENCE_SECONDS
        try:
            async with asyncio.timeout_at(until):
                return await _connect(address, port)
        except OSError as error:
            problem = to_check_error(error)
    raise problem


async def _connect(address: IpAddress, port: int) -> socket.socket:
    sock = socket.socket(family_of(address), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


def to_check_error(error: OSError) -> CheckError:
    """What the network says, in words, without the address."""
    if error.errno in _OUR_FAULT:
        return CheckRefused(f"cannot be made: {error.strerror}")
    match error:
        case TimeoutError():
            return TargetDown("no answer")
        case ConnectionRefusedError():
            return TargetDown("nothing listens there")
        case ConnectionError():
            return TargetDown("it broke the connection")
    return TargetDown(_REASONS.get(error.errno or 0) or error.strerror or type(error).__name__)


_OUR_FAULT: Final = frozenset(
    (
        errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EACCES, errno.EPERM,
        errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT,
    )
)  # fmt: skip
_REASONS: Final = {
    errno.ENETUNREACH: "there is no way to its network",
    errno.EADDRNOTAVAIL: "there is no way to its network",
    errno.EHOSTUNREACH: "there is no way to it",
}
