"""Requests to an identity provider: bounded in time and size, no redirect followed."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    import httpx2

TIMEOUT_SECONDS: Final = 8.0
MAX_BODY_BYTES: Final = 1 << 20

T = TypeVar("T")


class ProviderFailed(Exception):
    """The provider does not answer as one; the message is for the log."""

    code = "provider_failed"


class CodeRefused(ProviderFailed):
    """It does not take a code, or what it said for it cannot be trusted."""

    code = "code_refused"


async def fetch(
    kind: type[T], method: str, url: str, *, form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None, bearer: str = "",
) -> T:  # fmt: skip
    """What a provider answers in JSON.

    Raises `CodeRefused` if it finds fault with a form, else `ProviderFailed`.
    """
    import httpx2  # noqa: PLC0415  # only hubs with a provider load it

    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client,
            client.stream(method, url, data=form, auth=auth, headers=headers) as response,
        ):
            content = await _read_bounded(response)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
        raise ProviderFailed(f"{urlsplit(url).netloc}: {type(error).__name__} {error}") from error
    if 400 <= response.status_code < 500 and form is not None:
        raise CodeRefused(f"{urlsplit(url).netloc} answered {response.status_code}")
    if response.status_code != 200:
        raise ProviderFailed(f"{urlsplit(url).netloc} answered {response.status_code}")
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProviderFailed(f"{urlsplit(url).netloc}: {error}") from error


async def _read_bounded(response: "httpx2.Response") -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > MAX_BODY_BYTES:
            raise ProviderFailed(f"{response.url.host} answers with more than {MAX_BODY_BYTES} bytes")
    return bytes(content)
