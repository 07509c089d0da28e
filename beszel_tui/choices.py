"""What was chosen on the screen and outlives the program: one small file of this user."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from beszel_tui.client.session import write_private
from beszel_tui.config import Settings
from beszel_tui.state.looks import LookChoices, merge
from beszel_tui.state.selectors import Sort

_MAX_BYTES: Final = 64 << 10


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """By which column a table is sorted."""

    key: Annotated[str, msgspec.Meta(max_length=32)]
    descending: bool = False


class Choices(LookChoices, frozen=True, kw_only=True):
    theme: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    orders: Mapping[str, Order] = msgspec.field(default_factory=dict)
    """By table."""
    process_tree: bool = False
    """Whether processes stand below what started them."""

    @property
    def sorts(self) -> dict[str, Sort]:
        """How each table was sorted last."""
        return {table: Sort(order.key, order.descending) for table, order in self.orders.items()}

    def sorted_by(self, table: str, sort: Sort) -> "Choices":
        orders = dict(self.orders) | {table: Order(key=sort.key, descending=sort.descending)}
        return msgspec.structs.replace(self, orders=orders)


def load_choices(path: Path) -> Choices:
    """A file that cannot be read is as good as none."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=Choices)
    except (OSError, msgspec.DecodeError):
        return Choices()


def with_choices(settings: Settings, choices: Choices) -> Settings:
    """What flags, environment and config file leave open is as it was chosen."""
    return msgspec.structs.replace(settings, looks=merge(settings.said, choices))


class ChoiceFile:
    """Keeps what was chosen, and writes it when somebody finds the time: a disk that is slow holds up nothing.

    `write` may be called in any thread, and in several at once: the newest choices are what stands in the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._written = self.choices = load_choices(path)

    def choose(self, choices: Choices) -> None:
        self.choices = choices

    def write(self) -> None:
        """What has been chosen since the last time, if anything. Raises OSError."""
        with self._lock:
            choices = self.choices
            if choices is not self._written:
                self._written = choices  # what cannot be written is not tried again before the next choice
                save_choices(self._path, choices)


def save_choices(path: Path, choices: Choices) -> None:
    """Raises OSError."""
    write_private(path, msgspec.json.encode(choices))
