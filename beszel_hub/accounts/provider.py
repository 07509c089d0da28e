"""An OpenID Connect provider: found by its issuer URL, asked for codes' worth, its keys kept for a while.

The operator has named it, so it may live on any network; its addresses must be https, except on this very machine.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from beszel_hub.accounts import pkce
from beszel_hub.accounts.fetching import CodeRefused, ProviderFailed, fetch
from beszel_hub.accounts.idtoken import Profile, UnknownKey, UntrustedToken, check_id_token, read_profile
from beszel_hub.accounts.ways import Source, Way, make_way
from beszel_hub.clock import Clock
from beszel_hub.settings import is_loopback

METADATA_LIFETIME_MS: Final = 3600 * 1000
RETRY_MS: Final = 15_000
"""After a failure, and between two looks for new keys: strangers must not make the hub ask all the time."""
MAX_KEYS: Final = 100


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    display_name: str
    issuer: str
    client_id: str
    client_secret: str = ""
    scopes: tuple[str, ...] = ("openid", "email", "profile")


class Metadata(msgspec.Struct, frozen=True):
    """What of the discovery document is used (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


class _Keys(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class OidcProvider:
    """`key` is the hub's, for what must come back with the same login."""

    def __init__(self, settings: Settings, key: bytes, clock: Clock) -> None:
        self.settings = settings
        self._key = key
        self._clock = clock
        self._lock = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._read_ms = 0
        self._failed_ms: int | None = None
        self._keys: list[dict[str, Any]] = []
        self._keys_ms: int | None = None

    @property
    def source(self) -> Source:
        return Source(self.settings.name, self.settings.issuer)

    async def begin(self) -> Way:
        """Raise `ProviderFailed` if the provider does not tell where."""
        metadata = await self._discover()
        query = {"client_id": self.settings.client_id, "scope": " ".join(self.settings.scopes)}
        return make_way(
            self._key, self._clock(), name=self.settings.name, display_name=self.settings.display_name,
            url=metadata.authorization_endpoint, query=query,
        )  # fmt: skip

    async def identify(self, code: str, verifier: str, redirect_url: str) -> Profile:
        """Who has logged in there; raise `CodeRefused` or `ProviderFailed`."""
        if not pkce.is_fresh_verifier(self._key, verifier, self._clock()):
            raise CodeRefused("the verifier is not this hub's, or too old")
        metadata = await self._discover()
        tokens = await self._redeem(metadata, code, verifier, redirect_url)
        claims = await self._check(metadata, tokens.id_token, pkce.nonce_of(self._key, verifier))
        if not claims.get("email") and metadata.userinfo_endpoint and tokens.access_token:
            claims |= await self._ask_userinfo(metadata, tokens.access_token, claims["sub"])
        return read_profile(claims)

    async def _discover(self) -> Metadata:
        async with self._lock:
            now_ms = self._clock()
            if self._metadata is not None and now_ms - self._read_ms < METADATA_LIFETIME_MS:
                return self._metadata
            if self._failed_ms is not None and now_ms - self._failed_ms < RETRY_MS:
                raise ProviderFailed("it did not answer a moment ago")
            try:
                self._metadata = await self._read_metadata()
            except ProviderFailed:
                self._failed_ms = now_ms
                raise
            self._read_ms, self._failed_ms = now_ms, None
            return self._metadata

    async def _read_metadata(self) -> Metadata:
        issuer = self.settings.issuer
        metadata = await fetch(Metadata, "GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if metadata.issuer != issuer:
            raise ProviderFailed(f"it calls itself {metadata.issuer!r}; OIDC_ISSUER must be just that")
        endpoints = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
        for url in (*endpoints, *filter(None, [metadata.userinfo_endpoint])):
            parts = urlsplit(url)
            if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
                raise ProviderFailed(f"its endpoint {url!r} is not https")
        return metadata

    async def _redeem(self, metadata: Metadata, code: str, verifier: str, redirect_url: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_url, "code_verifier": verifier,
        }  # fmt: skip
        client_id, secret = self.settings.client_id, self.settings.client_secret
        methods = metadata.token_endpoint_auth_methods_supported
        if secret and ("client_secret_basic" in methods or "client_secret_post" not in methods):
            return await fetch(_Tokens, "POST", metadata.token_endpoint, form=form, auth=(client_id, secret))
        form["client_id"] = client_id
        if secret:
            form["client_secret"] = secret
        return await fetch(_Tokens, "POST", metadata.token_endpoint, form=form)

    async def _check(self, metadata: Metadata, id_token: str, nonce: str) -> dict[str, Any]:
        for is_last in (False, True):
            keys = await self._load_keys(metadata, is_needed_anew=is_last)
            try:
                return check_id_token(
                    id_token, keys, issuer=metadata.issuer, client_id=self.settings.client_id, nonce=nonce,
                    now_ms=self._clock(),
                )  # fmt: skip
            except UnknownKey as error:
                if is_last:
                    raise CodeRefused(str(error)) from error
            except UntrustedToken as error:
                raise CodeRefused(str(error)) from error
        raise CodeRefused("its key is not known")

    async def _load_keys(self, metadata: Metadata, *, is_needed_anew: bool) -> list[dict[str, Any]]:
        lifetime_ms = RETRY_MS if is_needed_anew else METADATA_LIFETIME_MS
        if self._keys_ms is None or self._clock() - self._keys_ms >= lifetime_ms:
            self._keys_ms = self._clock()
            self._keys = (await fetch(_Keys, "GET", metadata.jwks_uri)).keys[:MAX_KEYS]
        return self._keys

    async def _ask_userinfo(self, metadata: Metadata, access_token: str, subject: str) -> dict[str, Any]:
        """What the token did not tell; of this very person (OpenID Connect Core 1.0, 5.3.2)."""
        told = await fetch(dict[str, Any], "GET", metadata.userinfo_endpoint, bearer=access_token)
        if told.get("sub") != subject:
            raise CodeRefused("it tells about somebody else")
        return told
