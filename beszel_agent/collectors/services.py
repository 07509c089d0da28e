"""How many services there are and how many have failed."""

from collections import deque
from typing import ClassVar, Final

from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_agent.services.census import Census
from beszel_agent.services.choice import find_census
from beszel_agent.services.roster import Turn
from beszel_protocol.sample import Metrics

_MOST_TURNS: Final = 256


class ServicesCollector:
    """Of the second of the sample: systemd tells of each change, and OpenRC's directories are in memory."""

    name: ClassVar[str] = "services"
    fields: ClassVar[tuple[str, ...]] = ("services",)
    pace_seconds: ClassVar[float] = 0

    def __init__(self, census: Census) -> None:
        self._census = census
        self._turns: deque[Turn] = deque(maxlen=_MOST_TURNS)

    def __del__(self) -> None:
        self.stop()

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> "ServicesCollector":
        kind = AskedServicesCollector if paths.system == "windows" else cls
        return kind(find_census(paths, config))

    def collect(self, now: float) -> Metrics:
        self._turns += self._census.take_turns()  # before the counts, so that these never lack one
        return Metrics(services=self._census.counts())

    def take_turns(self) -> list[Turn]:
        """What failed and what recovered, as far as it was read, since this was last asked."""
        turns = list(self._turns)
        self._turns.clear()
        return turns

    def stop(self) -> None:
        self._census.stop()


class AskedServicesCollector(ServicesCollector):
    """Where each service has to be asked for, which takes its time."""

    pace_seconds: ClassVar[float] = 30
