"""A provider of plain OAuth2 (RFC 6749 with PKCE, RFC 7636): its token is good for asking who has logged in."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from beszel_hub.accounts import pkce
from beszel_hub.accounts.fetching import CodeRefused, ProviderFailed, fetch
from beszel_hub.accounts.idtoken import MAX_SUBJECT_LENGTH, Profile
from beszel_hub.accounts.known import Endpoints
from beszel_hub.accounts.ways import Source, Way, make_way
from beszel_hub.clock import Clock

MAX_TEXT_LENGTH: Final = 255


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider knows this hub by."""

    name: str
    id: str
    secret: str


class _Token(msgspec.Struct, frozen=True):
    access_token: str = ""
    error: str = ""
    """GitHub refuses codes with a 200."""


class _Email(msgspec.Struct, frozen=True):
    email: str
    primary: bool = False
    verified: bool = False


class OAuth2Provider:
    """`key` is the hub's, for what must come back with the same login."""

    def __init__(self, client: Client, endpoints: Endpoints, key: bytes, clock: Clock) -> None:
        self._client = client
        self._endpoints = endpoints
        self._key = key
        self._clock = clock

    @property
    def source(self) -> Source:
        return Source(self._client.name, self._endpoints.userinfo)

    async def begin(self) -> Way:
        query = {"client_id": self._client.id, "scope": " ".join(self._endpoints.scopes)}
        return make_way(
            self._key, self._clock(), name=self._client.name, display_name=self._endpoints.display_name,
            url=self._endpoints.authorize, query=query,
        )  # fmt: skip

    async def identify(self, code: str, verifier: str, redirect_url: str) -> Profile:
        """Who has logged in there; raise `CodeRefused` or `ProviderFailed`."""
        if not pkce.is_fresh_verifier(self._key, verifier, self._clock()):
            raise CodeRefused("the verifier is not this hub's, or too old")
        access_token = await self._redeem(code, verifier, redirect_url)
        told = await fetch(dict[str, Any], "GET", self._endpoints.userinfo, bearer=access_token)
        profile = read_person(told, self._endpoints)
        if not self._endpoints.emails:
            return profile
        emails = await fetch(list[_Email], "GET", self._endpoints.emails, bearer=access_token)
        proved = [found.email for found in emails if found.primary and found.verified]
        return msgspec.structs.replace(profile, email=proved[0] if proved else "", is_email_verified=bool(proved))

    async def _redeem(self, code: str, verifier: str, redirect_url: str) -> str:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_url, "code_verifier": verifier,
            "client_id": self._client.id, "client_secret": self._client.secret,
        }  # fmt: skip
        token = await fetch(_Token, "POST", self._endpoints.token, form=form)
        if not token.access_token or token.error:
            raise CodeRefused(f"{self._client.name} refuses the code: {token.error[:100]!r}")
        return token.access_token


def read_person(told: Mapping[str, Any], endpoints: Endpoints) -> Profile:
    """What a provider says of the owner of a token; raise `ProviderFailed` unless it names one."""
    fields = endpoints.fields
    subject = told.get(fields.subject)
    if isinstance(subject, int) and not isinstance(subject, bool):
        subject = str(subject)
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        raise ProviderFailed("it names nobody")
    return Profile(
        subject=subject, email=_text(told, fields.email), name=_text(told, fields.name),
        is_email_verified=bool(fields.is_email_verified) and told.get(fields.is_email_verified) in (True, "true"),
        username=_text(told, fields.username), picture=_text(told, fields.picture),
    )  # fmt: skip


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value[:MAX_TEXT_LENGTH] if isinstance(value, str) else ""
