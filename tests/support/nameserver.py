"""A name server on loopback, by UDP and TCP on one port, that says what a test has written."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import cast

from beszel_agent.checks.dns_messages import TYPES

Reply = Callable[[bytes], Sequence[bytes]]
"""What is sent back for a question, one after the other."""


@dataclass
class NameServer:
    port: int
    by_udp: Reply
    by_tcp: Reply
    questions: list[bytes] = field(default_factory=list)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # it only is one from Python 3.12 on

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.questions.append(data)
        for reply in self._server.by_udp(data):
            self._transport.sendto(reply, addr)


@contextlib.asynccontextmanager
async def name_server(by_udp: Reply, by_tcp: Reply = lambda _: ()) -> AsyncIterator[NameServer]:
    """Runs until the block ends."""
    tcp = socket.create_server(("127.0.0.1", 0))
    server = NameServer(tcp.getsockname()[1], by_udp, by_tcp)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        question = await reader.readexactly(length)
        server.questions.append(question)
        for reply in server.by_tcp(question):
            writer.write(reply)
        writer.close()

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(server), local_addr=("127.0.0.1", server.port)
    )
    async with await asyncio.start_server(converse, sock=tcp):
        yield server
    transport.close()


def answer(question: bytes, *records: bytes, code: int = 0, truncated: bool = False) -> bytes:
    """To this question, with these records in it."""
    flags = 0x8180 | code | (0x0200 if truncated else 0)
    counts = (1, len(records), 0, 0)
    head = question[:2] + b"".join(number.to_bytes(2, "big") for number in (flags, *counts))
    return head + question[12:] + b"".join(records)


def record(kind: str, content: bytes, *, name: bytes = b"\xc0\x0c") -> bytes:
    """By default of the name that was asked for, which stands at offset 12."""
    head = name + b"".join(number.to_bytes(2, "big") for number in (TYPES[kind], 1, 0, 60, len(content)))
    return head + content


def address_record(address: str) -> bytes:
    packed = ip_address(address)
    return record("AAAA" if packed.version == 6 else "A", packed.packed)


def name_of(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"
