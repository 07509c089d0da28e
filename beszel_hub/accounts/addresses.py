"""A user's e-mail address, proved or changed by whoever reads the mail that is sent there.

Proving opens an account only while it waits for that: one that an administrator has shut stays shut, whoever has the
mailbox.
"""

from collections.abc import Callable

from beszel_hub.accounts import queries, tokens
from beszel_hub.accounts.queries import Account
from beszel_hub.accounts.service import Accounts
from beszel_hub.accounts.tokens import Claims
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, NotFound, invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret


class Addresses:
    def __init__(self, database: Database, secret: Secret, clock: Clock, accounts: Accounts, journal: Journal) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock
        self._accounts = accounts
        self._journal = journal

    async def confirm(self, token: str, address: str) -> None:
        """The address of a new user is theirs, who may log in from now on; raise `BadRequest` for a token that is none.

        Does nothing for a user who is verified already: links of mails are opened more than once.
        """
        account, claims = await self._read(token, tokens.VERIFICATION)
        if account.verified:
            return

        def write(present: Account) -> None:
            if not present.is_invited:
                raise NotFound
            queries.update_user(present.id, {"verified": True}, self._clock())
            self._note(present, "users.verified", address)

        await self._write(token, account.id, claims, write)

    async def change(self, token: str, password: str, address: str) -> None:
        """Give a user the address that the token names, which ends every token of theirs, this one included.

        Raises `BadRequest` for a token or password that is none, and if somebody has that address by now;
        `TooManyRequests` after too many guesses.
        """
        account, claims = await self._read(token, tokens.EMAIL_CHANGE)
        if not account.verified:
            raise _no_token()
        if not await self._accounts.is_password(account.id, password):
            raise invalid_field("password", "validation_invalid_password", "This is not the present password.")

        def write(present: Account) -> None:
            queries.update_user(present.id, {"email": claims.newEmail}, self._clock())
            self._note(present, "users.email_change", address, email=[present.email, claims.newEmail])

        await self._write(token, account.id, claims, write)

    async def _read(self, token: str, kind: str) -> tuple[Account, Claims]:
        claims = tokens.peek(token)
        if claims is None or claims.type != kind:
            raise _no_token()
        account = await self._database.read(lambda: queries.find_account(claims.id))
        if account is None or not self._fits(token, claims, account):
            raise _no_token()
        return account, claims

    async def _write(self, token: str, user_id: str, claims: Claims, write: Callable[[Account], None]) -> None:
        def checked() -> None:
            present = queries.find_account(user_id)
            if present is None or not self._fits(token, claims, present):
                raise NotFound
            write(present)

        try:
            await self._database.write(checked)
        except NotFound as error:
            raise _no_token() from error
        await self._accounts.revalidate()

    def _fits(self, token: str, claims: Claims, account: Account) -> bool:
        is_genuine = tokens.is_genuine(token, self._secret.token_key, account.token_key, self._clock())
        return is_genuine and claims.email == account.email

    def _note(self, account: Account, action: str, address: str, **changes: list[str | None]) -> None:
        self._journal.note(
            Actor(user_id=account.id), action, collection="users", record_id=account.id, address=address,
            changes=dict(changes),
        )  # fmt: skip


def _no_token() -> BadRequest:
    return invalid_field("token", "validation_invalid_token", "Invalid or expired token.")
