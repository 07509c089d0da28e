"""Which series an export has: all of them, or those that addresses and patterns name."""

from collections.abc import Iterable

import msgspec

from beszel_protocol.addresses import Address


class Selection(msgspec.Struct, frozen=True):
    """No address is every series. An empty key stands for any: `disk[].usage_percent` is that of each disk."""

    addresses: tuple[Address, ...] = ()

    @property
    def parts(self) -> frozenset[str] | None:
        """The top-level members of a sample in which the series lie, None for all."""
        return frozenset(address[0].name for address in self.addresses) if self.addresses else None

    def takes(self, address: Address) -> bool:
        return not self.addresses or any(_fits(wanted, address) for wanted in self.addresses)


def select(addresses: Iterable[Address]) -> Selection:
    return Selection(tuple(dict.fromkeys(addresses)))


def _fits(wanted: Address, address: Address) -> bool:
    return len(wanted) == len(address) and all(
        step.name == found.name and (step.key == found.key or (step.key == "" and found.key is not None))
        for step, found in zip(wanted, address, strict=True)
    )
