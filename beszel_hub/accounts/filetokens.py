"""Short-lived tokens for downloads, which can stand in a URL: worth nothing anywhere else, and soon nothing there."""

from beszel_hub.accounts import tokens
from beszel_hub.accounts.queries import find_account
from beszel_hub.clock import Clock
from beszel_hub.errors import Unauthorized
from beszel_hub.permissions import ANONYMOUS, Actor
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret


class FileTokens:
    def __init__(self, database: Database, secret: Secret, clock: Clock) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock

    async def issue(self, actor: Actor) -> str:
        """Raise `Unauthorized` if the actor's user is gone."""
        user_id = actor.user_id or ""
        account = await self._database.read(lambda: find_account(user_id))
        if account is None:
            raise Unauthorized
        return tokens.sign(tokens.file_claims(user_id, self._clock()), self._secret.token_key, account.token_key)

    async def read(self, token: str) -> Actor:
        """Who may fetch files by it; `ANONYMOUS` for none, a bad or an expired one."""
        claims = tokens.peek(token)
        if claims is None or claims.type != tokens.FILE:
            return ANONYMOUS
        account = await self._database.read(lambda: find_account(claims.id))
        if account is None or not account.verified:
            return ANONYMOUS
        if not tokens.is_genuine(token, self._secret.token_key, account.token_key, self._clock()):
            return ANONYMOUS
        return Actor(user_id=account.id, role=account.role, scope="full", expires_ms=claims.exp * 1000)
