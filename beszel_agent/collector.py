"""What a collector is: it probes, then reads, parses and returns its part of the sample."""

from typing import ClassVar, Protocol, runtime_checkable

from beszel_agent.config import Config
from beszel_agent.paths import HostPaths
from beszel_protocol.sample import Metrics


class ToldOnce:
    """Marks a collector whose part stands in one sample only, the next after it was read at its pace."""

    __slots__ = ()


class NeverWaits:
    """Marks a collector with a pace that needs no thread, as all that it reads is in memory.

    Its part stands in the sample for which it was read and in no other. The very first reading is a baseline, so that
    the second follows at once; one that turns out to be dear is read less often than its pace says.
    """

    __slots__ = ()


class Collector(Protocol):
    """One file in `collectors/`, one entry in `COLLECTORS`.

    What it reads belongs to it alone, so that no two collectors touch the same state. An OSError, a ValueError or a
    `ReadingFailed` means that the reading did not happen; its part is then absent.
    """

    name: ClassVar[str]
    """The name of its module."""
    fields: ClassVar[tuple[str, ...]]
    """Of a sample, which its parts may fill; they are asked for no others."""
    pace_seconds: ClassVar[float]
    """0: it only reads what the kernel has in memory, with every sample. More: it may have to wait for a device, a pool
    or another process, so it runs in a thread of its own, at most this often; unless it is one that `NeverWaits`. One
    that knows how long it may take has an attribute `timeout_seconds` too."""

    @classmethod
    def probe(cls, paths: HostPaths, config: Config) -> "Collector":
        """Find out what there is to read, without waiting for anything. Raise `Unavailable` if there is nothing.

        What is not read from `/proc` and `/sys` on systems other than Linux is read by a variant, which this returns:
        another class, in `<name>_psutil.py` beside this file and loaded only there. Without a variant there is nothing
        to do: `HostPaths` raises `Unavailable` for whoever asks for these trees.

        It is called again a minute later then, since disks and modules come while a host runs.
        """

    def collect(self, now: float) -> Metrics:
        """One reading. `now` is monotonic, in seconds; the first reading has no rates."""


@runtime_checkable
class Partial(Protocol):
    """A collector that reads some of what is here and knows what it may not."""

    def shortfall(self) -> str | None:
        """What the agent would need to read the rest, for people; None if it has all."""
