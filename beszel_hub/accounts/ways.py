"""How a client begins a login at an identity provider, and where the provider's answer goes."""

import secrets
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

import msgspec

from beszel_hub.accounts import pkce
from beszel_hub.accounts.idtoken import Profile


class Source(NamedTuple):
    """Where an identity comes from; the issuer is what its subjects are unique within."""

    provider: str
    issuer: str


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Names and order are PocketBase's. The client appends where to come back."""

    name: str
    displayName: str  # noqa: N815  # on the wire
    state: str
    authURL: str  # noqa: N815
    authUrl: str  # noqa: N815
    codeVerifier: str  # noqa: N815
    codeChallenge: str  # noqa: N815
    codeChallengeMethod: str = "S256"  # noqa: N815


class Provider(Protocol):
    """Somebody who vouches for people; all methods raise `ProviderFailed`."""

    @property
    def source(self) -> Source: ...

    async def begin(self) -> Way: ...

    async def identify(self, code: str, verifier: str, redirect_url: str) -> Profile:
        """Who has logged in there; raise `CodeRefused` if the code is worth nothing."""
        ...


def make_way(key: bytes, now_ms: int, *, name: str, display_name: str, url: str, query: Mapping[str, str]) -> Way:
    """`url` is where people log in; `query` what that provider is to be told beside what protects the login."""
    verifier = pkce.make_verifier(key, secrets.token_bytes(pkce.RANDOM_BYTES), now_ms)
    challenge, state = pkce.challenge_of(verifier), secrets.token_urlsafe(24)
    told = {
        "code_challenge": challenge, "code_challenge_method": "S256", "nonce": pkce.nonce_of(key, verifier),
        "response_type": "code", "state": state, **query, "redirect_uri": "",
    }  # fmt: skip
    address = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(told)}"
    return Way(
        name=name, displayName=display_name, state=state, authURL=address, authUrl=address, codeVerifier=verifier,
        codeChallenge=challenge,
    )  # fmt: skip
