"""Systems of several hubs: whose is which, by the name that leads its id."""

from collections.abc import Iterable
from typing import Final

SEPARATOR: Final = "/"


def hub_of(system_id: str) -> str:
    """Empty where there is only one hub."""
    name, separator, _ = system_id.partition(SEPARATOR)
    return name if separator else ""


def hub_names(names: Iterable[str]) -> dict[str, str]:
    """What each hub is called in ids: its name, without what would say something else there, and no two alike."""
    called: dict[str, str] = {}
    for name in names:
        plain = "".join(character if character.isalnum() or character in "-_." else "-" for character in name) or "-"
        while plain in called.values():
            plain += "'"
        called[name] = plain
    return called
