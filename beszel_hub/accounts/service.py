"""Logins, tokens and what they prove; the rest of the hub asks here who somebody is."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar

import msgspec

from beszel_hub.accounts import queries, tokens
from beszel_hub.accounts.passwords import (
    DEFAULT_COST,
    MAX_LENGTH,
    Cost,
    check_password,
    dummy_hash,
    hash_password,
    is_bcrypt,
    verify_password,
)
from beszel_hub.accounts.queries import Account, TokenRow
from beszel_hub.accounts.throttle import LoginThrottle
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, Forbidden, HubError, TooManyRequests, Unauthorized, Unavailable
from beszel_hub.permissions import ANONYMOUS, Actor, Scope
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret

HASHING_THREADS: Final = 2
"""Each takes the memory of one hash while it works."""
MAX_WAITING_HASHES: Final = 32
HASHING_TIMEOUT_SECONDS: Final = 30.0
TOUCH_INTERVAL_MS: Final = 60_000
"""How exact `last_used` is."""

T = TypeVar("T")

_NO_TOKENS: Final[frozenset[str]] = frozenset()

_log = logging.getLogger(__name__)


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that held no longer do, or their owner's role has changed: live connections must ask again."""

    user_id: str
    token_id: str | None = None
    """One API token; None for everything of the user."""


class Login(NamedTuple):
    """A token and whose it is."""

    token: str
    actor: Actor


class Accounts:
    """Safe on one event loop; the database does the rest."""

    def __init__(self, database: Database, secret: Secret, clock: Clock, cost: Cost = DEFAULT_COST) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock
        self._cost = cost
        self._throttle = LoginThrottle()
        self._hashing = ThreadPoolExecutor(HASHING_THREADS, "hub-hashing")
        # Made now, or the first unknown user would be told by taking twice as long.
        self._hashing.submit(dummy_hash, cost)
        self._waiting_hashes = 0
        self._credentials: dict[str, tuple[str, str, frozenset[str]]] | None = None
        self.on_revoked: list[Callable[[Revoked], None]] = []
        """Called on the event loop."""

    async def authenticate(self, token: str | None) -> Actor:
        """Whoever the token proves; `ANONYMOUS` for none, a bad or an expired one.

        `token` may have `Bearer ` in front. Raises only `Unavailable`, when the database cannot be asked.
        """
        if not token:
            return ANONYMOUS
        text = token[7:].strip() if token[:7].lower() == "bearer " else token
        claims = tokens.peek(text)
        if claims is None:
            return ANONYMOUS
        account, row = await self._database.read(lambda: _find(claims))
        now_ms = self._clock()
        if account is None or not tokens.is_genuine(text, self._secret.token_key, account.token_key, now_ms):
            return ANONYMOUS
        if claims.tokenId is None:
            self._remember(account)
            return _login_actor(account, claims)
        if row is None or row.expires <= now_ms:
            return ANONYMOUS
        self._remember(account, row.id)
        await self._touch(row, now_ms)
        return _token_actor(account, row)

    async def log_in(self, identity: str, password: str, address: str) -> Login:
        """Check a password. `identity` is an e-mail address or a user name, in any case.

        Raises `BadRequest` if the two do not fit, `Forbidden` for an unverified user, `TooManyRequests` if `address` or
        the account has guessed too much.
        """
        identity = identity[: queries.MAX_EMAIL_LENGTH]
        wait_seconds = self._throttle.take(address, identity, self._clock())
        if wait_seconds > 0:
            raise TooManyRequests(retry_after_seconds=int(wait_seconds) + 1)
        account = await self._database.read(lambda: queries.find_identity(identity))
        is_right = await self._verify(password, account)
        if account is None or not is_right:
            _log.warning("failed login from %s", address)
            raise BadRequest("Failed to authenticate.")
        self._throttle.give_back(address, identity, self._clock())
        await self._renew_hash(account, password)
        if not account.verified:
            raise Forbidden("This user is not verified.")
        return self._issue(account)

    async def refresh(self, actor: Actor, token: str) -> Login:
        """A new token for a login, the same one for an API token."""
        if actor.token_id is not None:
            return Login(token.removeprefix("Bearer ").strip(), actor)
        user_id = actor.user_id or ""
        account = await self._database.read(lambda: queries.find_account(user_id))
        if account is None:
            raise Unauthorized
        return self._issue(account)

    async def hash(self, password: str) -> str:
        """Hash on a thread of its own; raise `WeakPassword` if it is none, `Unavailable` if too many wait."""
        check_password(password)
        return await self._on_hashing_thread(lambda: hash_password(password, self._cost))

    async def is_password(self, user_id: str, password: str) -> bool:
        """Whether it is the present password of that user; throttled as a login is."""
        wait_seconds = self._throttle.take(user_id, user_id, self._clock())
        if wait_seconds > 0:
            raise TooManyRequests(retry_after_seconds=int(wait_seconds) + 1)
        account = await self._database.read(lambda: queries.find_account(user_id))
        is_right = await self._verify(password, account)
        if is_right:
            self._throttle.give_back(user_id, user_id, self._clock())
        return is_right

    def issue_api_token(self, account: Account, token_id: str, expires_ms: int) -> str:
        """The text of an API token whose row exists."""
        claims = tokens.api_token_claims(account.id, token_id, expires_ms)
        return tokens.sign(claims, self._secret.token_key, account.token_key)

    async def revalidate(self) -> None:
        """Compare with what held before and tell `on_revoked` what no longer does.

        To be called after every change of users and tokens, also after one that another process made.
        """
        before, self._credentials = self._credentials, await self._database.read(queries.list_credentials)
        for revoked in _revocations(before or {}, self._credentials):
            for callback in self.on_revoked:
                callback(revoked)

    def close(self) -> None:
        self._hashing.shutdown(wait=False, cancel_futures=True)

    def _issue(self, account: Account) -> Login:
        claims = tokens.login_claims(account.id, self._clock())
        token = tokens.sign(claims, self._secret.token_key, account.token_key)
        return Login(token, _login_actor(account, claims))

    async def _verify(self, password: str, account: Account | None) -> bool:
        if len(password) > MAX_LENGTH:
            return False
        if account is None:
            await self._on_hashing_thread(lambda: verify_password(password, dummy_hash(self._cost)))
            return False
        phc = account.password_hash
        return await self._on_hashing_thread(lambda: verify_password(password, phc))

    async def _renew_hash(self, account: Account, password: str) -> None:
        """Put Argon2id in the place of a bcrypt hash that was taken over, now that the password is known."""
        if not is_bcrypt(account.password_hash):
            return
        with suppress(HubError):  # it can wait for the next login
            phc = await self._on_hashing_thread(lambda: hash_password(password, self._cost))
            await self._database.write(lambda: queries.replace_hash(account.id, account.password_hash, phc))

    async def _on_hashing_thread(self, call: Callable[[], T]) -> T:
        if self._waiting_hashes >= MAX_WAITING_HASHES:
            raise Unavailable("Too many logins at once; try again.")
        self._waiting_hashes += 1
        try:
            async with asyncio.timeout(HASHING_TIMEOUT_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._hashing, call)
        except (TimeoutError, MemoryError) as error:
            raise Unavailable from error
        finally:
            self._waiting_hashes -= 1

    def _remember(self, account: Account, *token_ids: str) -> None:
        """What has been used must be missed when it goes, also if it came and went between two revalidations."""
        if self._credentials is None:
            return
        key, role, known_ids = self._credentials.get(account.id, (account.token_key, account.role, _NO_TOKENS))
        self._credentials[account.id] = (key, role, known_ids.union(token_ids))

    async def _touch(self, row: TokenRow, now_ms: int) -> None:
        if row.last_used is None or row.last_used < now_ms - TOUCH_INTERVAL_MS:
            # A busy database must not turn a good token away.
            with suppress(HubError):
                await self._database.write(lambda: queries.touch_api_token(row.id, now_ms))


def _find(claims: tokens.Claims) -> tuple[Account | None, TokenRow | None]:
    account = queries.find_account(claims.id)
    if account is None or claims.tokenId is None:
        return account, None
    return account, queries.find_api_token(claims.tokenId, account.id)


def _login_actor(account: Account, claims: tokens.Claims) -> Actor:
    return Actor(user_id=account.id, role=account.role, scope="full", expires_ms=claims.exp * 1000)


def _token_actor(account: Account, row: TokenRow) -> Actor:
    scope: Scope = "write" if row.scope == "write" else "read"
    return Actor(
        user_id=account.id, role=account.role, scope=scope, system_ids=row.system_ids, token_id=row.id,
        expires_ms=row.expires,
    )  # fmt: skip


def _revocations(
    before: dict[str, tuple[str, str, frozenset[str]]], after: dict[str, tuple[str, str, frozenset[str]]]
) -> list[Revoked]:
    revoked: list[Revoked] = []
    for user_id, (key, role, token_ids) in before.items():
        now = after.get(user_id)
        if now is None or now[:2] != (key, role):
            revoked.append(Revoked(user_id=user_id))
        else:
            revoked.extend(Revoked(user_id=user_id, token_id=token_id) for token_id in sorted(token_ids - now[2]))
    return revoked
