"""The very first user, who makes themselves: an administrator, while there is nobody else."""

from beszel_hub.accounts import queries
from beszel_hub.accounts.passwords import WeakPassword
from beszel_hub.accounts.service import Accounts
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.errors import NotFound, invalid_field
from beszel_hub.permissions import ANONYMOUS
from beszel_hub.store.database import Database


class FirstUser:
    def __init__(self, database: Database, accounts: Accounts, clock: Clock, journal: Journal) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock
        self._journal = journal

    async def is_due(self) -> bool:
        """Whether there is no user yet."""
        return not await self._database.read(queries.has_users)

    async def create(self, email: str, password: str) -> None:
        """Raise `NotFound` once there is a user, whoever was faster; `BadRequest` for what cannot be one."""
        if not await self.is_due():
            raise NotFound
        try:
            password_hash = await self._accounts.hash(password)
        except WeakPassword as error:
            raise invalid_field("password", "validation_length_out_of_range", str(error)) from error

        def write() -> None:
            if queries.has_users():
                raise NotFound
            now_ms = self._clock()
            user_id = queries.create_user(email=email, role="admin", password_hash=password_hash, now_ms=now_ms)
            self._journal.note(ANONYMOUS, "users.first", collection="users", record_id=user_id)

        await self._database.write(write)
        await self._accounts.revalidate()
