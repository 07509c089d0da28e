"""Does a host answer echo requests? Over the kernel's datagram socket for ICMP, which needs no privilege but a group.

The kernel fills in checksum and identifier and hands on nothing but answers to this socket (RFC 792, RFC 4443 §4).
"""

import asyncio
import os
import socket
from ipaddress import IPv6Address
from typing import Final

from beszel_agent.checks.grants import missing_ping_grant
from beszel_agent.checks.network import Network, datagrams, to_check_error
from beszel_agent.checks.outcome import Outcome
from beszel_agent.errors import CheckRefused, TargetDown
from beszel_agent.paths import HostPaths
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.reach import IpAddress
from beszel_protocol.targets import parse_host

ATTEMPTS: Final = 3
"""A lost packet or two are no host that is down; the next goes after an equal share of the time-out."""
_TOKEN_BYTES: Final = 16
_HEADER_BYTES: Final = 8
_MAX_PACKET_BYTES: Final = 1024
_ECHO: Final = 8, 0
"""Type of the request and of the answer."""
_ECHO_V6: Final = 128, 129


async def check_ping(definition: CheckDefinition, network: Network, paths: HostPaths) -> Outcome:
    """Raise `CheckError`."""
    host = parse_host(definition.target)
    address = (await network.find(host, allow_private=definition.allow_private))[0]
    protocol = socket.IPPROTO_ICMPV6 if isinstance(address, IPv6Address) else socket.IPPROTO_ICMP
    try:
        with datagrams(address, 0, protocol) as sock:
            seconds = await _await_echo(sock, address, definition.timeout_seconds / ATTEMPTS)
    except PermissionError as error:
        raise CheckRefused(missing_ping_grant(paths) or f"ping is not allowed here: {error.strerror}") from error
    except OSError as error:
        raise to_check_error(error) from error
    return Outcome(latency_ms=1000 * seconds)


async def _await_echo(sock: socket.socket, address: IpAddress, pause_seconds: float) -> float:
    """Seconds from the request to its answer. Raise `TargetDown` or OSError."""
    loop = asyncio.get_running_loop()
    sent: dict[bytes, float] = {}
    for sequence in range(1, ATTEMPTS + 1):
        token = os.urandom(_TOKEN_BYTES)
        sent[token] = loop.time()
        await loop.sock_sendall(sock, make_echo(address, sequence, token))
        try:
            async with asyncio.timeout(pause_seconds):
                while True:
                    answered = read_echo(address, await loop.sock_recv(sock, _MAX_PACKET_BYTES))
                    if answered in sent:
                        return loop.time() - sent[answered]
        except TimeoutError:
            continue
    raise TargetDown("no answer")


def make_echo(address: IpAddress, sequence: int, token: bytes) -> bytes:
    request, _ = _types(address)
    return bytes((request, 0, 0, 0, 0, 0)) + sequence.to_bytes(2, "big") + token


def read_echo(address: IpAddress, packet: bytes) -> bytes | None:
    """The token of an answer, None for anything else. Some systems put the IPv4 header in front of it."""
    if packet[:1] and packet[0] >> 4 == 4:
        packet = packet[4 * (packet[0] & 0x0F) :]
    _, answer = _types(address)
    if len(packet) != _HEADER_BYTES + _TOKEN_BYTES or packet[0] != answer:
        return None
    return packet[_HEADER_BYTES:]


def _types(address: IpAddress) -> tuple[int, int]:
    return _ECHO_V6 if isinstance(address, IPv6Address) else _ECHO
