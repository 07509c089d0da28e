"""Passwords hashed and checked off the event loop, few at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from beszel_hub.accounts.passwords import (
    DEFAULT_COST,
    MAX_LENGTH,
    Cost,
    check_password,
    dummy_hash,
    hash_password,
    verify_password,
)
from beszel_hub.errors import Unavailable

THREADS: Final = 2
"""Each takes the memory of one hash while it works."""
MAX_WAITING: Final = 32
TIMEOUT_SECONDS: Final = 30.0

T = TypeVar("T")


class PasswordHasher:
    def __init__(self, cost: Cost = DEFAULT_COST) -> None:
        self.cost = cost
        self._threads = ThreadPoolExecutor(THREADS, "hub-hashing")
        # Made now, or the first unknown user would be told by taking twice as long.
        self._threads.submit(dummy_hash, cost)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raise `WeakPassword` if it is none, `Unavailable` if too many wait."""
        check_password(password)
        return await self._run(lambda: hash_password(password, self.cost))

    async def verify(self, password: str, phc: str | None) -> bool:
        """Whether it is the password of a hash; None for nobody's hash, which no password fits and takes as long."""
        if len(password) > MAX_LENGTH:
            return False
        expected = dummy_hash(self.cost) if phc is None else phc
        is_right = await self._run(lambda: verify_password(password, expected))
        return is_right and phc is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, call: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many logins at once; try again.")
        self._waiting += 1
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except (TimeoutError, MemoryError) as error:
            raise Unavailable from error
        finally:
            self._waiting -= 1
