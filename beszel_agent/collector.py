"""What a collector is: it probes, then reads, parses and returns its part of the sample."""

from typing import ClassVar, Protocol, Self

from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics


class Collector(Protocol):
    """One file in `collectors/`, one entry in `COLLECTORS`.

    What it reads belongs to it alone, so that no two collectors touch the same state. An OSError, a ValueError or a
    `ReadingFailed` means that the reading did not happen; its part is then absent.
    """

    name: ClassVar[str]
    """The name of its module."""
    pace_seconds: ClassVar[float]
    """0: it only reads what the kernel has in memory, with every sample. More: it may have to wait for a device, a pool
    or another process, so it runs in a thread of its own, at most this often."""

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> Self:
        """Find out what there is to read, without waiting for anything. Raise `Unavailable` if there is nothing.

        It is called again a minute later then, since disks and modules come while a host runs.
        """

    def collect(self, now: float) -> Metrics:
        """One reading. `now` is monotonic, in seconds; the first reading has no rates."""
