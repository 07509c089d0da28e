"""A new password for somebody who holds the token of a mail."""

from beszel_hub.accounts import queries, tokens
from beszel_hub.accounts.passwords import WeakPassword
from beszel_hub.accounts.queries import Account
from beszel_hub.accounts.service import Accounts
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, NotFound, invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret


class Recovery:
    def __init__(self, database: Database, secret: Secret, clock: Clock, accounts: Accounts, journal: Journal) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock
        self._accounts = accounts
        self._journal = journal

    async def confirm(self, token: str, password: str, repeated: str, address: str) -> None:
        """Set the password, which ends every token of the user, this one included.

        Raises `BadRequest` for a token that does not hold, or a password that is none.
        """
        if password != repeated:
            raise invalid_field("passwordConfirm", "validation_values_mismatch", "This is not the same password.")
        account = await self._read(token)
        try:
            password_hash = await self._accounts.hash(password)
        except WeakPassword as error:
            raise invalid_field("password", "validation_length_out_of_range", str(error)) from error

        def write() -> None:
            present = queries.find_account(account.id)
            if present is None or not self._fits(token, present):
                raise NotFound
            queries.update_user(account.id, {"password_hash": password_hash}, self._clock())
            self._journal.note(
                Actor(user_id=account.id), "users.password_reset", collection="users", record_id=account.id,
                address=address,
            )  # fmt: skip

        try:
            await self._database.write(write)
        except NotFound as error:
            raise _no_token() from error
        await self._accounts.revalidate()

    async def _read(self, token: str) -> Account:
        claims = tokens.peek(token)
        user_id = "" if claims is None or claims.type != tokens.RESET else claims.id
        account = await self._database.read(lambda: queries.find_account(user_id))
        if account is None or not self._fits(token, account):
            raise _no_token()
        return account

    def _fits(self, token: str, account: Account) -> bool:
        is_genuine = tokens.is_genuine(token, self._secret.token_key, account.token_key, self._clock())
        return is_genuine and account.verified


def _no_token() -> BadRequest:
    return invalid_field("token", "validation_invalid_token", "Invalid or expired token.")
