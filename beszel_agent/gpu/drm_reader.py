"""What readers of GPUs under the kernel's graphics drivers share: cards, names, and when one is left alone."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, Self, TypeVar

from beszel_agent.errors import Unavailable
from beszel_agent.gpu.cards import Card, Cards
from beszel_agent.gpu.clients import DrmClients
from beszel_agent.gpu.names import find_name
from beszel_agent.gpu.rest import Rests
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import GpuMetrics

BeforeT = TypeVar("BeforeT")
"""What is kept of a card until it is read again."""


class DrmReader(ABC, Generic[BeforeT]):
    """A `GpuReader` of the cards under some drivers; subclasses measure one card."""

    drivers: ClassVar[tuple[str, ...]]

    def __init__(self, paths: HostPaths, clients: DrmClients) -> None:
        self._paths, self._clients = paths, clients
        self._cards = Cards(paths, *self.drivers)
        self._rests = Rests()
        self._names: dict[str, str | None] = {}
        self._before: dict[str, BeforeT] = {}

    @classmethod
    def probe(cls, paths: HostPaths, clients: DrmClients) -> Self:
        reader = cls(paths, clients)
        if not reader._cards.find():
            raise Unavailable(f"no GPU under {' or '.join(cls.drivers)}")
        return reader

    def read(self, now: float) -> dict[str, GpuMetrics]:
        return {card.key: self._read_card(card, now) for card in self._cards.find()}

    @abstractmethod
    def measure(self, card: Card, name: str | None, now: float) -> GpuMetrics:
        """A card that is awake; keeps in `_before` what the next reading needs."""

    def _read_card(self, card: Card, now: float) -> GpuMetrics:
        if card.key not in self._names:
            self._names[card.key] = find_name(self._paths, card)
        name = self._names[card.key]
        untouched = self._rests.instead_of_reading(card.key, name, now, is_suspended=card.is_suspended)
        if untouched is not None:
            self._before.pop(card.key, None)
            return untouched
        metrics = self.measure(card, name, now)
        if metrics.usage_percent == 0 and not metrics.processes and card.may_sleep:
            self._rests.let_rest(card.key, now)
        return metrics
