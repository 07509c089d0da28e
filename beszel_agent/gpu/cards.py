"""The GPUs that the kernel's graphics drivers found, from `/sys/class/drm`."""

import re
from typing import Final, NamedTuple

from beszel_agent.device_files import parse_integer
from beszel_agent.hwmon import is_suspended, list_names, natural
from beszel_agent.paths import HostPaths, read_text_or_none

_CARD: Final = re.compile(r"card\d+", re.ASCII)
_USUAL_DOMAIN: Final = "0000:"


class Card(NamedTuple):
    key: str
    """How its series are addressed: the PCI address as `lspci` prints it, or the name of the card without one."""
    directory: str
    driver: str
    slot: str
    """PCI address with its domain, or empty."""
    ids: tuple[str, str]
    """PCI vendor and device, each four hexadecimal digits in lower case; empty if not on PCI."""
    revision: str

    def device(self, name: str) -> str:
        return f"{self.directory}/device/{name}"

    @property
    def is_suspended(self) -> bool:
        return is_suspended(self.device("power/runtime_status"))

    @property
    def may_sleep(self) -> bool:
        """The kernel may suspend it: it is allowed to, and feeds no screen."""
        return read_text_or_none(self.device("power/control")) == "auto" and not self._feeds_a_screen()

    def _feeds_a_screen(self) -> bool:
        folder, _, name = self.directory.rpartition("/")
        outputs = [entry for entry in list_names(folder) if entry.startswith(f"{name}-")]
        return any(read_text_or_none(f"{folder}/{output}/enabled") == "enabled" for output in outputs)


class Cards:
    """Those of some drivers, also the ones that are plugged in later."""

    def __init__(self, paths: HostPaths, *drivers: str) -> None:
        self._directory, self._drivers = paths.sys("class/drm"), drivers
        self._listing: frozenset[str] = frozenset()
        self._cards: list[Card] = []

    def find(self) -> list[Card]:
        listing = frozenset(name for name in list_names(self._directory) if _CARD.fullmatch(name))
        if listing != self._listing:
            cards = [read_card(f"{self._directory}/{name}", name) for name in sorted(listing, key=natural)]
            self._cards = [card for card in cards if card.driver in self._drivers]
            self._listing = listing
        return self._cards


def read_card(directory: str, name: str) -> Card:
    uevent = parse_uevent(read_text_or_none(f"{directory}/device/uevent") or "")
    vendor, _, device = uevent.get("PCI_ID", "").lower().partition(":")
    slot = uevent.get("PCI_SLOT_NAME", "")
    return Card(
        key=pci_key(slot) or name,
        directory=directory,
        driver=uevent.get("DRIVER", ""),
        slot=slot,
        ids=(vendor.rjust(4, "0"), device.rjust(4, "0")) if device else ("", ""),
        revision=(read_text_or_none(f"{directory}/device/revision") or "0x0").removeprefix("0x"),
    )


def pci_key(slot: str) -> str:
    return slot.removeprefix(_USUAL_DOMAIN)


def parse_uevent(text: str) -> dict[str, str]:
    return {name: value for name, equals, value in (line.partition("=") for line in text.splitlines()) if equals}


def read_number(path: str) -> int | None:
    return parse_integer(read_text_or_none(path))


def find_hwmon(card: Card) -> str | None:
    """The directory of the card's own sensors."""
    directory = card.device("hwmon")
    return next((f"{directory}/{name}" for name in sorted(list_names(directory), key=natural)), None)
