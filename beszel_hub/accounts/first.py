"""The very first user, who makes themselves: an administrator, while there is nobody else."""

from beszel_hub.accounts import queries
from beszel_hub.accounts.passwords import WeakPassword
from beszel_hub.accounts.service import Accounts
from beszel_hub.clock import Clock
from beszel_hub.errors import NotFound, invalid_field
from beszel_hub.store.database import Database


class FirstUser:
    def __init__(self, database: Database, accounts: Accounts, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock

    async def is_due(self) -> bool:
        """Whether there is no user yet."""
        return not await self._database.read(queries.list_accounts)

    async def create(self, email: str, password: str) -> None:
        """Raise `NotFound` once there is a user, whoever was faster; `BadRequest` for what cannot be one."""
        if not await self.is_due():
            raise NotFound
        try:
            password_hash = await self._accounts.hash(password)
        except WeakPassword as error:
            raise invalid_field("password", "validation_length_out_of_range", str(error)) from error

        def write() -> None:
            if queries.list_accounts():
                raise NotFound
            queries.create_user(email=email, role="admin", password_hash=password_hash, now_ms=self._clock())

        await self._database.write(write)
        await self._accounts.revalidate()
