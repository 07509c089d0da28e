"""Tokens and what they prove; the rest of the hub asks here who somebody is."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from beszel_hub.accounts import queries, sessions, tokens
from beszel_hub.accounts.hashing import PasswordHasher
from beszel_hub.accounts.passwords import is_bcrypt
from beszel_hub.accounts.queries import Account, TokenRow
from beszel_hub.accounts.sessions import SessionRow, Visitor
from beszel_hub.accounts.throttle import LoginThrottle
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import HubError, NotFound, TooManyRequests, Unauthorized
from beszel_hub.permissions import ANONYMOUS, Actor, Scope
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret

TOUCH_INTERVAL_MS: Final = 60_000
"""How exact `last_used` is."""

_NO_IDS: Final[frozenset[str]] = frozenset()
_NO_ROW: Final = (None, None, None)


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that held no longer do, or their owner's role has changed: live connections must ask again."""

    user_id: str
    token_id: str | None = None
    """One API token or session; None for everything of the user."""


class Login(NamedTuple):
    """A token and whose it is."""

    token: str
    actor: Actor


class Accounts:
    """Safe on one event loop; the database does the rest."""

    def __init__(
        self, database: Database, secret: Secret, clock: Clock, journal: Journal, hasher: PasswordHasher, *,
        shares_all: bool = False,
    ) -> None:  # fmt: skip
        self.hasher = hasher
        self.throttle = LoginThrottle()
        """Of all attempts to prove oneself by something that can be guessed."""
        self._database = database
        self._secret = secret
        self._clock = clock
        self._journal = journal
        self._shares_all = shares_all
        self._credentials: dict[str, tuple[str, str, frozenset[str]]] | None = None
        self.on_revoked: list[Callable[[Revoked], None]] = []
        """Called on the event loop."""

    async def authenticate(self, token: str | None) -> Actor:
        """Whoever the token proves; `ANONYMOUS` for none, a bad or an expired one.

        `token` may have `Bearer ` in front. Raises only `Unavailable`, when the database cannot be asked.
        """
        text = bare(token)
        claims = tokens.peek(text) if text else None
        if claims is None or claims.type != tokens.LOGIN:
            return ANONYMOUS
        account, row, session = await self._database.read(lambda: _find(claims))
        now_ms = self._clock()
        if account is None or not tokens.is_genuine(text, self._secret.token_key, account.token_key, now_ms):
            return ANONYMOUS
        proof = row or session
        if proof is None or proof.expires <= now_ms:
            return ANONYMOUS
        self._remember(account, proof.id)
        await self._touch(proof, now_ms)
        return self._token_actor(account, row) if row is not None else self._login_actor(account, claims)

    async def authenticate_address(self, email: str) -> Actor:
        """Whoever a trusted proxy says it is; `ANONYMOUS` if that is no verified user's address."""
        account = await self._database.read(lambda: queries.find_email(email))
        if account is None or not account.verified:
            return ANONYMOUS
        return Actor(user_id=account.id, role=account.role, scope="full", sees_all=self._shares_all)

    def issue(self, account: Account, session_id: str, collection: str = "users") -> Login:
        """The token of a session whose row exists."""
        claims = tokens.login_claims(account.id, session_id, self._clock(), collection)
        token = tokens.sign(claims, self._secret.token_key, account.token_key)
        return Login(token, self._login_actor(account, claims))

    async def refresh(self, actor: Actor, token: str, visitor: Visitor, collection: str = "users") -> Login:
        """A new token for a login, the same one for an API token, a first one for whom a trusted proxy names."""
        if actor.token_id is not None:
            return Login(bare(token), actor)
        now_ms = self._clock()

        def write() -> tuple[Account | None, str]:
            account = queries.find_account(actor.user_id or "")
            if account is None:
                return None, ""
            if actor.session_id is None:
                session_id = sessions.open_session(account.id, "header", visitor, now_ms)
                self._journal.note(self._opened(account, session_id), "auth.login", address=visitor.address)
                return account, session_id
            return account if sessions.prolong_session(actor.session_id, now_ms) else None, actor.session_id

        account, session_id = await self._database.write(write)
        if account is None:
            raise Unauthorized
        return self.issue(account, session_id, collection)

    async def log_out(self, actor: Actor, *, everywhere: bool) -> None:
        """End this login, or every token of the user."""

        def write() -> None:
            self._journal.note(actor, "auth.log_out_everywhere" if everywhere else "auth.log_out")
            if everywhere:
                queries.end_tokens(actor.user_id or "")
            elif actor.session_id is not None:
                sessions.end_session(actor.session_id)

        await self._database.write(write)
        await self.revalidate()

    async def hash(self, password: str) -> str:
        """Raise `WeakPassword` if it is none, `Unavailable` if too many wait."""
        return await self.hasher.hash(password)

    async def is_password(self, user_id: str, password: str) -> bool:
        """Whether it is the present password of that user; throttled as a login is."""
        self.take_attempt(user_id, user_id)
        account = await self._database.read(lambda: queries.find_account(user_id))
        is_right = await self.verify(account, password)
        if is_right:
            self.throttle.give_back(user_id, user_id, self._clock())
        return is_right

    async def verify(self, account: Account | None, password: str) -> bool:
        """Whether it is the password of that user, None for nobody; takes as long in both cases."""
        if account is None:
            return await self.hasher.verify(password, None)
        is_right = await self.hasher.verify(password, account.password_hash)
        if is_right:
            await self._renew_hash(account, password)
        return is_right

    def take_attempt(self, address: str, account: str) -> None:
        """Raise `TooManyRequests` if the address, or anybody at the account, has guessed too much."""
        wait_seconds = self.throttle.take(address, account, self._clock())
        if wait_seconds > 0:
            raise TooManyRequests(retry_after_seconds=int(wait_seconds) + 1)

    def issue_api_token(self, account: Account, token_id: str, expires_ms: int) -> str:
        """The text of an API token whose row exists."""
        claims = tokens.api_token_claims(account.id, token_id, expires_ms)
        return tokens.sign(claims, self._secret.token_key, account.token_key)

    async def api_token_text(self, user_id: str, token_id: str) -> str:
        """The text of a user's API token; raise `NotFound` if it is gone."""

        def read() -> tuple[Account | None, TokenRow | None]:
            return queries.find_account(user_id), queries.find_api_token(token_id, user_id)

        account, row = await self._database.read(read)
        if account is None or row is None:
            raise NotFound
        return self.issue_api_token(account, row.id, row.expires)

    async def revalidate(self) -> None:
        """Compare with what held before and tell `on_revoked` what no longer does.

        To be called after every change of users and tokens, also after one that another process made.
        """
        before, self._credentials = self._credentials, await self._database.read(queries.list_credentials)
        for revoked in _revocations(before or {}, self._credentials):
            for callback in self.on_revoked:
                callback(revoked)

    def close(self) -> None:
        self.hasher.close()

    async def _renew_hash(self, account: Account, password: str) -> None:
        """Put Argon2id in the place of a bcrypt hash that was taken over, now that the password is known."""
        if not is_bcrypt(account.password_hash):
            return
        with suppress(HubError):  # it can wait for the next login
            phc = await self.hasher.hash(password)
            await self._database.write(lambda: queries.replace_hash(account.id, account.password_hash, phc))

    def _remember(self, account: Account, proof_id: str) -> None:
        """What has been used must be missed when it goes, also if it came and went between two revalidations."""
        if self._credentials is None:
            return
        key, role, known_ids = self._credentials.get(account.id, (account.token_key, account.role, _NO_IDS))
        self._credentials[account.id] = (key, role, known_ids | {proof_id})

    async def _touch(self, proof: TokenRow | SessionRow, now_ms: int) -> None:
        if proof.last_used is not None and proof.last_used >= now_ms - TOUCH_INTERVAL_MS:
            return
        touch = queries.touch_api_token if isinstance(proof, TokenRow) else sessions.touch_session
        # A busy database must not turn a good token away.
        with suppress(HubError):
            await self._database.write(lambda: touch(proof.id, now_ms))

    def _opened(self, account: Account, session_id: str) -> Actor:
        return Actor(user_id=account.id, role=account.role, session_id=session_id)

    def _login_actor(self, account: Account, claims: tokens.Claims) -> Actor:
        return Actor(
            user_id=account.id, role=account.role, scope="full", session_id=claims.sessionId,
            expires_ms=claims.exp * 1000, sees_all=self._shares_all,
        )  # fmt: skip

    def _token_actor(self, account: Account, row: TokenRow) -> Actor:
        scope: Scope = "write" if row.scope == "write" else "read"
        return Actor(
            user_id=account.id, role=account.role, scope=scope, system_ids=row.system_ids, token_id=row.id,
            expires_ms=row.expires, sees_all=self._shares_all,
        )  # fmt: skip


def bare(token: str | None) -> str:
    """A token without `Bearer ` in front; empty for none."""
    text = token or ""
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def _find(claims: tokens.Claims) -> tuple[Account | None, TokenRow | None, SessionRow | None]:
    account = queries.find_account(claims.id)
    if account is None or not account.verified:
        return _NO_ROW
    if claims.tokenId is not None:
        return account, queries.find_api_token(claims.tokenId, account.id), None
    return account, None, sessions.find_session(claims.sessionId or "", account.id)


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
