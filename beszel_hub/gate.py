"""How many strangers may knock at a time: connections that have proved nothing yet, in all and by address."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MAX_UNPROVED: Final = 64
MAX_UNPROVED_BY_ADDRESS: Final = 8


class GateFull(Exception):
    """Too many connections are waiting to prove themselves."""

    code = "too_many_connections"


class Gate:
    def __init__(self, limit: int = MAX_UNPROVED, limit_by_address: int = MAX_UNPROVED_BY_ADDRESS) -> None:
        self._limit = limit
        self._limit_by_address = limit_by_address
        self._waiting: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        return self._waiting.total()

    @contextmanager
    def admit(self, address: str) -> Iterator[None]:
        """Hold a place while a peer proves itself; raise `GateFull` if there is none."""
        key = network_of(address)
        if self.waiting >= self._limit or self._waiting[key] >= self._limit_by_address:
            raise GateFull
        self._waiting[key] += 1
        try:
            yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]


def network_of(address: str) -> str:
    """One IPv4 address, or the /64 that one IPv6 customer has at least; what is no address stands for itself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
