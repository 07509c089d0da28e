"""One HTTP/1.1 exchange over a socket that is connected already: bounded, and no redirect is followed."""

import asyncio
import functools
import socket
import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple

import h11

from beszel_hub.images.failures import RegistryUnwell
from beszel_protocol.targets import Url
from beszel_protocol.version import VERSION

USER_AGENT: Final = f"beszel-suite/{VERSION}"
MAX_HEAD_BYTES: Final = 32 << 10
MAX_BODY_BYTES: Final = 64 << 10
MAX_EVENTS: Final = 1000
"""Interim answers and pieces of a body, which cost something even if they are empty."""
_CHUNK_BYTES: Final = 16 << 10
_SHUTDOWN_SECONDS: Final = 1.0


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """By name in lower case; the first of several."""
    body: bytes


async def exchange(sock: socket.socket, method: str, url: Url, headers: Mapping[str, str]) -> Answer:
    """Take the socket, send a request, return its answer. Raise OSError or `RegistryUnwell`."""
    try:
        context = await asyncio.to_thread(_context) if url.is_secure else None
        reader, writer = await asyncio.open_connection(
            sock=sock,
            ssl=context,
            server_hostname=None if context is None else url.host.removesuffix("."),
            ssl_shutdown_timeout=None if context is None else _SHUTDOWN_SECONDS,
        )
    except BaseException:
        sock.close()
        raise
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    always = {"Host": url.authority, "User-Agent": USER_AGENT, "Connection": "close", "Accept-Encoding": "identity"}
    request = h11.Request(method=method, target=url.path, headers=list((always | dict(headers)).items()))
    try:
        writer.write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        return await _read(connection, reader)
    except h11.RemoteProtocolError as error:
        raise RegistryUnwell("it does not speak HTTP as it should") from error
    finally:
        writer.transport.abort()


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    head: h11.Response | None = None
    body = b""
    for _ in range(MAX_EVENTS):
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return Answer(head.status_code, _headers_of(head), body)
        if len(body) > MAX_BODY_BYTES:
            break
    raise RegistryUnwell("its answer has no end")


def _headers_of(head: h11.Response) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in head.headers:
        found.setdefault(name.decode("ascii"), value.decode("latin-1"))
    return found


@functools.cache
def _context() -> ssl.SSLContext:
    """Reads the machine's authorities, which takes some ten milliseconds."""
    return ssl.create_default_context()
