"""What a registry wants before it answers: `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`. Pure.

https://distribution.github.io/distribution/spec/auth/token/
"""

import re
from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from beszel_hub.images.failures import ImageUnknown
from beszel_protocol.targets import MAX_URL_LENGTH, Url

MAX_TOKEN_LENGTH: Final = 8192
_MAX_LENGTH: Final = 4096
_SCHEME: Final = re.compile(r"bearer[ \t]+", re.ASCII | re.IGNORECASE)
_PARAMETER: Final = re.compile(r'([a-z]{1,32})="([^"\\]{0,2048})"(?:[ \t]*,[ \t]*|[ \t]*$)', re.ASCII | re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+", re.ASCII)


class Challenge(NamedTuple):
    realm: str
    service: str | None


class _Answer(msgspec.Struct, frozen=True):
    token: str | None = None
    access_token: str | None = None


def read_challenge(header: str) -> Challenge:
    """Raise `ImageUnknown` if it wants something else than a token, such as a password."""
    scheme = _SCHEME.match(header[:_MAX_LENGTH])
    parameters: dict[str, str] = {}
    position = 0 if scheme is None else scheme.end()
    while scheme is not None and (match := _PARAMETER.match(header, position, _MAX_LENGTH)) is not None:
        parameters[match[1].lower()] = match[2]
        position = match.end()
    if "realm" not in parameters:
        raise ImageUnknown("it is not for everybody")
    return Challenge(parameters["realm"], parameters.get("service"))


def token_url(realm: Url, challenge: Challenge, repository: str) -> Url:
    """Only ever for reading that one repository, whatever scope the registry asks for."""
    query = {"service": challenge.service} if challenge.service is not None else {}
    text = urlencode(query | {"scope": f"repository:{repository}:pull"})
    path = f"{realm.path}{'&' if '?' in realm.path else '?'}{text}"
    if len(path) > MAX_URL_LENGTH:
        raise ImageUnknown("it wants a token from a URL without end")
    return realm._replace(path=path)


def read_token(body: bytes) -> str:
    """What a token server answers. Raise `ImageUnknown`."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ImageUnknown("what should give tokens answers something else") from error
    token = answer.token or answer.access_token or ""
    if len(token) > MAX_TOKEN_LENGTH or not _TOKEN.fullmatch(token):
        raise ImageUnknown("what should give tokens gives none")
    return token
