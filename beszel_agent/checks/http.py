"""Does a page answer as it should? Every hop of a redirect goes through the same gate as the first."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Final, NamedTuple
from urllib.parse import urljoin

from beszel_agent.checks.certificates import Validity, read_validity
from beszel_agent.checks.network import Connected, Network, to_check_error
from beszel_agent.checks.outcome import Outcome
from beszel_agent.checks.page import Head, PageReader
from beszel_agent.checks.tls import TlsContexts
from beszel_agent.errors import TargetDown
from beszel_protocol.checks import CheckDefinition, parse_statuses
from beszel_protocol.targets import Url, parse_url

MAX_REDIRECTS: Final = 5
_CHUNK_BYTES: Final = 16 << 10
_BUFFER_BYTES: Final = 32 << 10
_SHUTDOWN_SECONDS: Final = 1.0
_EXPIRED: Final = 10
"""OpenSSL's number for a certificate that has ended."""


class _Page(NamedTuple):
    head: Head
    seconds: float
    """From the first packet to the head."""
    has_keyword: bool
    certificate: Validity | None


class _Stream(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def check_http(definition: CheckDefinition, network: Network, tls: TlsContexts) -> Outcome:
    """Raise `CheckError`."""
    url = parse_url(definition.target)
    seconds = 0.0
    certificates: list[Validity] = []
    for _ in range(MAX_REDIRECTS + 1):
        try:
            page = await _fetch(url, definition, network, tls)
        except ssl.SSLCertVerificationError as error:
            return _mistrust(error)
        seconds += page.seconds
        certificates += [page.certificate] if page.certificate is not None else []
        if page.head.location is None or not definition.follow_redirects:
            earliest = min(certificates, key=lambda certificate: certificate.until, default=None)
            problem = _judge(page, definition)
            return Outcome(problem, 1000 * seconds, page.head.status_code, earliest)
        url = follow(url, page.head.location)
    raise TargetDown(f"it redirects more than {MAX_REDIRECTS} times")


def follow(url: Url, location: str) -> Url:
    """Where `location` leads from `url`. Raise `TargetDown` if that is no URL of HTTP."""
    try:
        return parse_url(urljoin(str(url), location))
    except ValueError as error:
        raise TargetDown("it redirects to what is no URL of HTTP") from error


def _judge(page: _Page, definition: CheckDefinition) -> str | None:
    code = page.head.status_code
    if not any(low <= code <= high for low, high in parse_statuses(definition.expected_status)):
        return f"it answers with status {code}"
    if definition.keyword and not page.has_keyword:
        return "the keyword is not in its answer"
    return None


async def _fetch(url: Url, definition: CheckDefinition, network: Network, tls: TlsContexts) -> _Page:
    """Raise `CheckError`, or SSLCertVerificationError."""
    context = await tls.get(verify=definition.verify_certificate) if url.is_secure else None
    connected = await network.connect(url.host, url.port, allow_private=definition.allow_private)
    loop = asyncio.get_running_loop()
    started = loop.time() - connected.seconds
    page = PageReader(url, definition.method, definition.keyword)
    try:
        async with _streaming(connected, url, context) as stream:
            certificate = _certificate_of(stream.writer)
            stream.writer.write(page.request())
            await stream.writer.drain()
            while page.head is None:
                await _read_on(stream.reader, page)
            seconds = loop.time() - started
            is_last = page.head.location is None or not definition.follow_redirects
            while definition.keyword and is_last and not page.is_complete:
                await _read_on(stream.reader, page)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise TargetDown(f"TLS fails: {(error.reason or 'no reason told').lower().replace('_', ' ')}") from error
    except OSError as error:
        raise to_check_error(error) from error
    return _Page(page.head, seconds, page.has_keyword, certificate)


async def _read_on(reader: asyncio.StreamReader, page: PageReader) -> None:
    data = await reader.read(_CHUNK_BYTES)
    page.feed(data)
    if not data and not page.is_complete:
        raise TargetDown("it ended the connection without an answer")


@contextlib.asynccontextmanager
async def _streaming(connected: Connected, url: Url, context: ssl.SSLContext | None) -> AsyncIterator[_Stream]:
    """The connection with TLS on it, if any; its end is not waited for, whatever the other side makes of it."""
    reader, writer = await asyncio.open_connection(
        sock=connected.socket,
        limit=_BUFFER_BYTES,
        ssl=context,
        server_hostname=None if context is None else url.host.removesuffix("."),
        ssl_shutdown_timeout=None if context is None else _SHUTDOWN_SECONDS,
    )
    try:
        yield _Stream(reader, writer)
    finally:
        writer.transport.abort()


def _certificate_of(writer: asyncio.StreamWriter) -> Validity | None:
    tls = writer.get_extra_info("ssl_object")
    certificate = None if tls is None else tls.getpeercert(binary_form=True)
    return None if certificate is None else read_validity(certificate)


def _mistrust(error: ssl.SSLCertVerificationError) -> Outcome:
    """Down for its certificate; of one that has ended, that much can be told."""
    ended = Validity(0.0, 0.0) if error.verify_code == _EXPIRED else None
    return Outcome(f"its certificate is not trusted: {error.verify_message}", certificate=ended)
