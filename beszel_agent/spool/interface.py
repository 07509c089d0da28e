"""What a spool is, wherever it lies.

Whoever sends asks for the newest record or for a batch of old ones, and drops what the hub says it has stored. When the
spool is full the oldest records go, and a `gap` record stands for them.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from beszel_protocol.messages import Gap, Range, encode
from beszel_protocol.ranges import SequenceRanges
from beszel_protocol.timestamps import format_timestamp

MAX_AGE_MS: Final = 24 * 3600 * 1000
MAX_BYTES: Final = 64 << 20

SPOOL_FULL: Final = "the agent's spool was full"
SPOOL_DAMAGED: Final = "a part of the agent's spool was damaged"


class SpooledRecord(NamedTuple):
    sequence: int
    data: bytes
    """The encoded record, exactly as it is sent."""
    boot_id: str = ""
    """Of the earlier boot of the host that it was made in; empty in this one."""


class SpoolReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What waits, and where."""

    kind: Literal["disk", "memory"]
    records: int
    size_bytes: int
    problem: str | None = None
    """Why it does not lie where it should."""


class Spool(Protocol):
    """A queue of records, in memory or in files."""

    @property
    def id(self) -> str:
        """Base64url of 16 random bytes. Sequences rise within it, by one but for where a power cut left doubt."""

    def __len__(self) -> int:
        """Records that are not known to be stored, gaps included."""

    def append(self, make: Callable[[int], bytes], *, instant_ms: int, boot_ms: int) -> SpooledRecord:
        """Give a record its sequence and keep it.

        `make` encodes it. `instant_ms` is the wall clock, `boot_ms` CLOCK_BOOTTIME, by which records age.
        """

    def newest(self) -> SpooledRecord | None:
        """The record that was appended last, as soon as it may be sent and unless it is stored."""

    def oldest(self, limit_bytes: int, skip: SequenceRanges) -> list[SpooledRecord]:
        """The oldest records that are not in `skip`, up to `limit_bytes` of data; at least one if there is one.

        All of them are of the same boot.
        """

    def drop(self, stored: Iterable[Range]) -> None:
        """Forget exactly what the hub has stored."""

    def report(self) -> SpoolReport: ...

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Look after what was appended until cancelled; `on_ready` hears that more may be sent."""


def make_gap(sequence: int, span_ms: tuple[int, int], reason: str) -> bytes:
    """The record that stands for what is no longer there; `span_ms` by the wall clock, in any order."""
    gap = Gap(sequence=sequence, from_=format_timestamp(min(span_ms)), to=format_timestamp(max(span_ms)), reason=reason)
    return encode(gap)
