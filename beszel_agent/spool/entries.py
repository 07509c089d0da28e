"""Records on their way into a segment."""

from typing import NamedTuple

import msgspec

from beszel_agent.spool.frames import Kind
from beszel_agent.spool.interface import SpooledRecord
from beszel_protocol.timestamps import parse_timestamp


class Entry(NamedTuple):
    kind: Kind
    record: SpooledRecord
    instant_ms: int
    boot_ms: int


class OpenGap(NamedTuple):
    """A gap that was not handed out yet."""

    sequence: int
    span_ms: tuple[int, int]
    next_sequence: int
    """The first one behind what it stands for."""


class _Stamp(msgspec.Struct):
    """When a record was made, as it says itself."""

    timestamp: str = ""
    boot_ms: int | None = None
    from_: str = msgspec.field(name="from", default="")


def entry_of(record: SpooledRecord, boot_ms: int) -> Entry:
    """A record that comes back from memory."""
    stamp = msgspec.json.decode(record.data, type=_Stamp)
    kind = Kind.GAP if stamp.from_ else Kind.RECORD
    return Entry(kind, record, parse_timestamp(stamp.from_ or stamp.timestamp), stamp.boot_ms or boot_ms)
