"""Does a name server answer, and with what? By UDP, and by TCP when the answer is too long for that."""

import asyncio
import secrets
import socket
from ipaddress import ip_address
from typing import Final

from beszel_agent.checks.dns_messages import Answer, make_question, read_answer
from beszel_agent.checks.network import Network, datagrams, to_check_error
from beszel_agent.checks.outcome import Outcome
from beszel_agent.errors import CheckError, CheckRefused, TargetDown
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.checks import DNS_PORT, CheckDefinition
from beszel_protocol.reach import IpAddress, Reach, judge, normalize
from beszel_protocol.targets import parse_server

ATTEMPTS: Final = 3
_MAX_PACKET_BYTES: Final = 4096
_MAX_SERVERS: Final = 3
"""As many as the resolver of the C library asks."""


async def check_dns(definition: CheckDefinition, network: Network, paths: HostPaths) -> Outcome:
    """Raise `CheckError`."""
    servers, port = await _servers(definition, network, paths)
    question = make_question(secrets.randbits(16), definition.target, definition.record)
    loop = asyncio.get_running_loop()
    problem: CheckError = TargetDown("the name server does not answer")
    pause_seconds = definition.timeout_seconds / ATTEMPTS
    for attempt in range(ATTEMPTS):
        server = servers[attempt % len(servers)]
        started = loop.time()
        try:
            async with asyncio.timeout(pause_seconds):
                answer = await _ask(server, port, question)
        except TimeoutError:
            continue
        except OSError as error:
            problem = to_check_error(error)
            continue
        return Outcome(_judge(answer, definition), latency_ms=1000 * (loop.time() - started))
    raise problem


async def _servers(definition: CheckDefinition, network: Network, paths: HostPaths) -> tuple[list[IpAddress], int]:
    """Those of this host may be anywhere: its owner has chosen them, and every program here asks them."""
    if definition.server:
        server = parse_server(definition.server, DNS_PORT)
        return await network.find(server.host, allow_private=definition.allow_private), server.port
    servers = parse_name_servers(read_text_or_none(paths.etc("resolv.conf")) or "")
    if not servers:
        raise CheckRefused("cannot be made: no name server of this host is known, and the check names none")
    return servers, DNS_PORT


def parse_name_servers(text: str) -> list[IpAddress]:
    """Of resolv.conf; those with a zone are left out."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            try:
                found.append(ip_address(words[1]))
            except ValueError:
                continue
    return [address for address in found if getattr(address, "scope_id", None) is None][:_MAX_SERVERS]


def _judge(answer: Answer, definition: CheckDefinition) -> str | None:
    """What is wrong with the answer. What it may not show, it may not be asked about bit by bit either."""
    if answer.problem is not None:
        return answer.problem
    if not answer.values:
        return f"there is no {definition.record} of this name"
    shown = answer.values
    if definition.record in {"A", "AAAA"} and not definition.allow_private:
        shown = tuple(value for value in shown if judge(normalize(ip_address(value))) is Reach.PUBLIC)
        if not shown:
            raise CheckRefused("refused: the answer is a private address, which this check is not allowed to see")
    keyword = definition.keyword.lower()
    if keyword and not {keyword, keyword.removesuffix(".")} & {value.lower() for value in shown}:
        return "the keyword is none of the answers"
    return None


async def _ask(server: IpAddress, port: int, question: bytes) -> Answer:
    """Raise OSError."""
    loop = asyncio.get_running_loop()
    with datagrams(server, port) as sock:
        await loop.sock_sendall(sock, question)
        while True:
            try:
                answer = read_answer(await loop.sock_recv(sock, _MAX_PACKET_BYTES), question)
            except ValueError:
                continue  # the true answer may still come behind a forged one
            return await _ask_at_length(server, port, question) if answer.is_truncated else answer


async def _ask_at_length(server: IpAddress, port: int, question: bytes) -> Answer:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if server.version == 6 else socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (str(server), port))
        await loop.sock_sendall(sock, len(question).to_bytes(2, "big") + question)
        length = int.from_bytes(await _receive(sock, 2), "big")
        try:
            answer = read_answer(await _receive(sock, length), question)
        except ValueError as error:
            raise TargetDown("what the name server says is no answer") from error
    if answer.is_truncated:
        raise TargetDown("the name server never gives the whole answer")
    return answer


async def _receive(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        chunk = await asyncio.get_running_loop().sock_recv(sock, count - len(data))
        if not chunk:
            raise TargetDown("the name server ended the connection")
        data += chunk
    return data
