"""How much mail may be asked for: by one network, by one network for one recipient, and by all strangers for one.

Strangers share what there is for a recipient, or somebody with many networks could fill a mailbox. Whoever has just
passed another method of a login, or has logged in there before, has a budget at their own network that strangers cannot
spend: nobody is kept from their second method. Pure: the clock is an argument.
"""

from typing import Final

from beszel_hub.accounts.throttle import Buckets, Familiar, Limit
from beszel_hub.gate import network_of

NETWORK_LIMIT: Final = Limit(burst=10, refill_seconds=60)
PAIR_LIMIT: Final = Limit(burst=4, refill_seconds=300)
"""Of one network for one recipient."""
STRANGERS_LIMIT: Final = Limit(burst=12, refill_seconds=120)
"""For one recipient; more than one network gets, so that one alone does not use it up."""


class MailThrottle:
    def __init__(self) -> None:
        self._networks = Buckets(NETWORK_LIMIT)
        self._pairs = Buckets(PAIR_LIMIT)
        self._strangers = Buckets(STRANGERS_LIMIT)
        self._familiar = Familiar()

    def take(self, address: str, recipient: str, now_ms: int) -> float:
        """Take one letter and return 0, or return the seconds to wait and take none."""
        network, recipient = network_of(address), recipient.lower()
        wanted = [(self._pairs, f"{recipient}\0{network}")]
        if (network, recipient) not in self._familiar:
            wanted += [(self._networks, network), (self._strangers, recipient)]
        wait = max(buckets.wait_seconds(key, now_ms) for buckets, key in wanted)
        if wait == 0:
            for buckets, key in wanted:
                buckets.add(key, -1, now_ms)
        return wait

    def welcome(self, address: str, recipient: str) -> None:
        """Somebody there has proved to be the recipient, or half of it: strangers' limits are not theirs."""
        self._familiar.add((network_of(address), recipient.lower()))
