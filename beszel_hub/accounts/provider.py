"""An OpenID Connect provider: found by its issuer URL, asked for codes' worth, its keys kept for a while.

The operator has named it, so it may live on any network; its addresses must be https, except on this very machine.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from beszel_hub.accounts import pkce
from beszel_hub.accounts.idtoken import Profile, UnknownKey, UntrustedToken, check_id_token, read_profile
from beszel_hub.clock import Clock
from beszel_hub.settings import is_loopback

if TYPE_CHECKING:
    import httpx2

TIMEOUT_SECONDS: Final = 8.0
MAX_BODY_BYTES: Final = 1 << 20
METADATA_LIFETIME_MS: Final = 3600 * 1000
RETRY_MS: Final = 15_000
"""After a failure, and between two looks for new keys: strangers must not make the hub ask all the time."""
MAX_KEYS: Final = 100

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ProviderFailed(Exception):
    """The provider does not answer as one; the message is for the log."""

    code = "provider_failed"


class CodeRefused(ProviderFailed):
    """It does not take a code, or what it said for it cannot be trusted."""

    code = "code_refused"


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


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a client begins a login here; names and order are PocketBase's. The client appends where to come back."""

    name: str
    displayName: str  # noqa: N815  # on the wire
    state: str
    authURL: str  # noqa: N815
    authUrl: str  # noqa: N815
    codeVerifier: str  # noqa: N815
    codeChallenge: str  # noqa: N815
    codeChallengeMethod: str = "S256"  # noqa: N815


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

    async def begin(self) -> Way:
        """Raise `ProviderFailed` if the provider does not tell where."""
        metadata = await self._discover()
        verifier = pkce.make_verifier(self._key, secrets.token_bytes(pkce.RANDOM_BYTES), self._clock())
        challenge, state = pkce.challenge_of(verifier), secrets.token_urlsafe(24)
        query = {
            "client_id": self.settings.client_id, "code_challenge": challenge, "code_challenge_method": "S256",
            "nonce": pkce.nonce_of(self._key, verifier), "response_type": "code",
            "scope": " ".join(self.settings.scopes), "state": state, "redirect_uri": "",
        }  # fmt: skip
        separator = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        url = f"{metadata.authorization_endpoint}{separator}{urlencode(query)}"
        return Way(
            name=self.settings.name, displayName=self.settings.display_name, state=state, authURL=url, authUrl=url,
            codeVerifier=verifier, codeChallenge=challenge,
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
        metadata = await self._fetch(Metadata, "GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
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
            return await self._fetch(_Tokens, "POST", metadata.token_endpoint, form=form, auth=(client_id, secret))
        form["client_id"] = client_id
        if secret:
            form["client_secret"] = secret
        return await self._fetch(_Tokens, "POST", metadata.token_endpoint, form=form)

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
            self._keys = (await self._fetch(_Keys, "GET", metadata.jwks_uri)).keys[:MAX_KEYS]
        return self._keys

    async def _ask_userinfo(self, metadata: Metadata, access_token: str, subject: str) -> dict[str, Any]:
        """What the token did not tell; of this very person (OpenID Connect Core 1.0, 5.3.2)."""
        told = await self._fetch(dict[str, Any], "GET", metadata.userinfo_endpoint, bearer=access_token)
        if told.get("sub") != subject:
            raise CodeRefused("it tells about somebody else")
        return told

    async def _fetch(
        self, kind: type[T], method: str, url: str, *, form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None, bearer: str = "",
    ) -> T:  # fmt: skip
        """One request that follows no redirect, and takes a bounded answer in a bounded time."""
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
