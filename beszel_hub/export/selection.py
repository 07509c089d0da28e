"""Which series an export has: all of them, or those that addresses and patterns name."""

from collections.abc import Iterable
from typing import Final

import msgspec

from beszel_protocol.addresses import Address, InvalidAddress, parse_address

_MAX_KNOWN: Final = 100_000


class Selection(msgspec.Struct, frozen=True):
    """No address is every series. An empty key stands for any: `disk[].usage_percent` is that of each disk."""

    addresses: tuple[Address, ...] = ()

    @property
    def parts(self) -> frozenset[str] | None:
        """The top-level members of a sample in which the series lie, None for all."""
        return frozenset(address[0].name for address in self.addresses) if self.addresses else None

    def takes(self, address: Address) -> bool:
        return not self.addresses or any(_fits(wanted, address) for wanted in self.addresses)


class Names:
    """Texts of addresses and addresses of texts, remembered, for those that are selected only."""

    def __init__(self, selection: Selection) -> None:
        self.parts = selection.parts
        self._selection = selection
        self._texts: dict[Address, str | None] = {}
        self._addresses: dict[str, Address | None] = {}

    def of(self, address: Address) -> str | None:
        """The text of an address, None if it is not selected."""
        try:
            return self._texts[address]
        except KeyError:
            if len(self._texts) >= _MAX_KNOWN:
                self._texts.clear()
            name = self._texts[address] = str(address) if self._selection.takes(address) else None
            return name

    def address(self, text: str) -> Address | None:
        """The address of a text, None if it is not selected, or is no series any more."""
        try:
            return self._addresses[text]
        except KeyError:
            if len(self._addresses) >= _MAX_KNOWN:
                self._addresses.clear()
            found = self._addresses[text] = self._parse(text)
            return found

    def _parse(self, text: str) -> Address | None:
        try:
            address = parse_address(text)
        except InvalidAddress:
            return None
        return address if address.metric is not None and self._selection.takes(address) else None


def select(addresses: Iterable[Address]) -> Selection:
    return Selection(tuple(dict.fromkeys(addresses)))


def _fits(wanted: Address, address: Address) -> bool:
    return len(wanted) == len(address) and all(
        step.name == found.name and (step.key == found.key or (step.key == "" and found.key is not None))
        for step, found in zip(wanted, address, strict=True)
    )
