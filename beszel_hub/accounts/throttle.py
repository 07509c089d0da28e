"""How fast passwords may be guessed: a bucket of attempts for each network, each account, and each pair of them.

An attempt takes one from all, a successful one puts them back. That of a pair refills more slowly than that of the
account, so one stranger who guesses all day leaves something for a user who comes from elsewhere; and where an account
has logged in before, strangers' guesses do not count at all. Pure: the clock is an argument.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from beszel_hub.gate import network_of

MAX_BUCKETS: Final = 10_000
"""Of each sort; the least recently used is forgotten first."""


class Limit(NamedTuple):
    burst: int
    refill_seconds: float
    """Until one attempt more."""


ADDRESS_LIMIT: Final = Limit(burst=20, refill_seconds=15)
ACCOUNT_LIMIT: Final = Limit(burst=30, refill_seconds=20)
"""Of all networks that are strange to it."""
PAIR_LIMIT: Final = Limit(burst=10, refill_seconds=30)


class Buckets:
    """Attempts left by key; a key without an entry has them all."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._levels: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_seconds(self, key: str, now_ms: int) -> float:
        """0 if an attempt is left, else the time until the next one."""
        missing = 1 - self._level(key, now_ms)
        return max(0.0, missing * self._limit.refill_seconds)

    def add(self, key: str, attempts: int, now_ms: int) -> None:
        level = min(self._limit.burst, self._level(key, now_ms) + attempts)
        self._levels[key] = (level, now_ms)
        self._levels.move_to_end(key)
        if len(self._levels) > MAX_BUCKETS:
            self._levels.popitem(last=False)

    def _level(self, key: str, now_ms: int) -> float:
        if key not in self._levels:
            return self._limit.burst
        level, at_ms = self._levels[key]
        return min(self._limit.burst, level + max(0, now_ms - at_ms) / 1000 / self._limit.refill_seconds)


class Familiar:
    """Pairs of network and account that have fitted; the oldest goes."""

    def __init__(self) -> None:
        self._pairs: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __contains__(self, pair: tuple[str, str]) -> bool:
        return pair in self._pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def add(self, pair: tuple[str, str]) -> None:
        self._pairs[pair] = None
        self._pairs.move_to_end(pair)
        if len(self._pairs) > MAX_BUCKETS:
            self._pairs.popitem(last=False)


class LoginThrottle:
    """All sorts of buckets."""

    def __init__(
        self, address_limit: Limit = ADDRESS_LIMIT, account_limit: Limit = ACCOUNT_LIMIT, pair_limit: Limit = PAIR_LIMIT
    ) -> None:
        self._addresses = Buckets(address_limit)
        self._accounts = Buckets(account_limit)
        self._pairs = Buckets(pair_limit)
        self._familiar = Familiar()

    def take(self, address: str, account: str, now_ms: int) -> float:
        """Take one attempt and return 0, or return the seconds to wait and take none."""
        wanted = self._buckets(network_of(address), account.lower())
        wait = max(buckets.wait_seconds(key, now_ms) for buckets, key in wanted)
        if wait == 0:
            for buckets, key in wanted:
                buckets.add(key, -1, now_ms)
        return wait

    def give_back(self, address: str, account: str, now_ms: int) -> None:
        """The attempt was no guess."""
        network, account = network_of(address), account.lower()
        for buckets, key in self._buckets(network, account):
            buckets.add(key, 1, now_ms)
        self._familiar.add((network, account))

    def _buckets(self, network: str, account: str) -> list[tuple[Buckets, str]]:
        wanted = [(self._addresses, network), (self._pairs, f"{account}\0{network}")]
        return wanted if (network, account) in self._familiar else [*wanted, (self._accounts, account)]
