"""One HTTP/1.1 request to a judged address: no redirect is followed, and of the answer only the status counts."""

import asyncio
import functools
import ssl
from collections.abc import Iterable, Mapping
from typing import Final

import h11
import msgspec

from beszel_hub.notifications.egress import Policy, Resolve, connect, resolve
from beszel_hub.notifications.failures import DeliveryFailed
from beszel_protocol.targets import Url
from beszel_protocol.version import VERSION

USER_AGENT: Final = f"beszel-suite/{VERSION}"
MAX_HEAD_BYTES: Final = 32 << 10
_CHUNK_BYTES: Final = 16 << 10
_SHUTDOWN_SECONDS: Final = 1.0
_LASTING_STATUSES: Final = frozenset({400, 401, 403, 404, 405, 410, 411, 413, 414, 415, 422, 431})


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent; header values are ours or were checked."""

    url: Url
    method: str = "POST"
    headers: Mapping[str, str] = {}
    body: bytes = b""


async def send(call: Call, policy: Policy, *, timeout_seconds: float, resolve: Resolve = resolve) -> int:
    """The status of an answer that says the call was taken (2xx); else raise `DeliveryFailed`."""
    try:
        async with asyncio.timeout(timeout_seconds):
            response = await _exchange(call, policy, resolve)
    except TimeoutError as error:
        raise DeliveryFailed("it takes too long") from error
    except ssl.SSLCertVerificationError as error:
        raise DeliveryFailed("its certificate is not trusted") from error
    except (ssl.SSLError, h11.RemoteProtocolError) as error:
        raise DeliveryFailed("it does not speak HTTP as it should") from error
    except OSError as error:
        raise DeliveryFailed("the connection broke") from error
    status = response.status_code
    if 200 <= status < 300:
        return status
    if 300 <= status < 400:
        raise DeliveryFailed(f"it redirects (HTTP {status}), which is not followed", is_lasting=True)
    raise DeliveryFailed(
        f"it answers HTTP {status}",
        is_lasting=status in _LASTING_STATUSES,
        retry_after_seconds=_retry_after(response.headers),
    )


async def _exchange(call: Call, policy: Policy, resolve: Resolve) -> h11.Response:
    sock = await connect(call.url.host, call.url.port, policy, resolve)
    try:
        context = await asyncio.to_thread(_context) if call.url.is_secure else None
        reader, writer = await asyncio.open_connection(
            sock=sock,
            ssl=context,
            server_hostname=None if context is None else call.url.host.removesuffix("."),
            ssl_shutdown_timeout=None if context is None else _SHUTDOWN_SECONDS,
        )
    except BaseException:
        sock.close()
        raise
    try:
        return await _talk(call, reader, writer)
    finally:
        writer.transport.abort()


async def _talk(call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> h11.Response:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    headers = {"Host": call.url.authority, "User-Agent": USER_AGENT, "Connection": "close", **call.headers}
    if call.body or call.method == "POST":
        headers["Content-Length"] = str(len(call.body))
    request = h11.Request(method=call.method, target=call.url.path, headers=list(headers.items()))
    for part in (request, h11.Data(data=call.body), h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    await writer.drain()
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK_BYTES))
        elif not isinstance(event, h11.InformationalResponse):
            raise DeliveryFailed("it ended the connection without an answer")


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """In seconds; a date is as good as nothing, since our own pace is about as long."""
    for name, value in headers:
        if name.lower() == b"retry-after" and len(value) < 10 and value.isdigit():
            return float(value)
    return None


@functools.cache
def _context() -> ssl.SSLContext:
    """Reads the machine's authorities, which takes some ten milliseconds."""
    return ssl.create_default_context()
