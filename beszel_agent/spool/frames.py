"""How a segment of the spool is laid out: a head, then frames, each with its own checksum.

| bytes | |
|---|---|
| 8 | `bzspool`, then the version of the format |
| … | a frame of kind HEADER, whose body says in JSON whose records these are |
| … | frames of records, gaps and stored ranges, in the order in which they were appended |

A frame is the length of its body, the CRC-32 of all that follows, its kind, the sequence and CLOCK_BOOTTIME as
differences to those of the header, the wall clock, and the body. What the hub has in a moment anyway is written as it
is: to compress it would cost more than all else that the spool does. Bodies of the other records are one raw DEFLATE
stream, flushed after each (RFC 1951, as in RFC 7692 §7.2.1 the four bytes that end a flush are left out): one sample is
much like the one before. A compressor that starts anew in the middle of it makes no difference to whoever inflates.
"""

import enum
import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from beszel_agent.errors import SpoolDamaged, SpoolTooNew
from beszel_protocol.messages import MAX_FRAME_BYTES, Range

MAGIC: Final = b"bzspool"
VERSION: Final = 1
MAX_BODY_BYTES: Final = MAX_FRAME_BYTES + 4096

_LEVEL: Final = 5
_WINDOW_BITS: Final = 15
_LEAST_WINDOW_BITS: Final = 12
_RECORDS_IN_WINDOW: Final = 3
"""A sample is much like the two before it. A larger window finds little more, and is memory that has left the
processor's caches by the next second: 32 KiB would cost twice the time."""
_FLUSH_END: Final = b"\0\0\xff\xff"

_FRAME: Final = struct.Struct("<IIBIqI")
_CRC_FROM: Final = 8
_LARGEST_U32: Final = 2**32 - 1


class Kind(enum.IntEnum):
    HEADER = 0
    RECORD = 1
    GAP = 2
    """A record too; its wall clock is the start of what it stands for."""
    STORED = 3
    """Ranges of sequences that need not be sent any more, in JSON."""
    PLAIN = 4
    """A record that is not compressed."""


RECORDS: Final = frozenset({Kind.RECORD, Kind.GAP, Kind.PLAIN})
"""What has a sequence."""


class Header(msgspec.Struct, frozen=True):
    """Whose records these are, and what the numbers in the frames are relative to."""

    spool_id: str
    boot_id: str
    sequence: int
    instant_ms: int
    boot_ms: int


class Frame(NamedTuple):
    kind: int
    sequence: int
    instant_ms: int
    boot_ms: int
    start: int
    """Where the body starts in the data that it was found in."""
    end: int


def encode_frame(
    kind: Kind, body: bytes, header: Header, *, sequence: int = 0, instant_ms: int = 0, boot_ms: int = 0
) -> bytes:
    rest = _FRAME.pack(
        len(body), 0, kind, _u32(sequence - header.sequence), instant_ms, _u32(boot_ms - header.boot_ms)
    )[_CRC_FROM:]
    return b"".join((struct.pack("<II", len(body), zlib.crc32(body, zlib.crc32(rest))), rest, body))


def encode_head(header: Header) -> bytes:
    """The first bytes of a segment."""
    return MAGIC + bytes([VERSION]) + encode_frame(Kind.HEADER, msgspec.json.encode(header), header)


def decode_head(data: bytes) -> tuple[Header, int]:
    """The header and where the frames start. Raise `SpoolTooNew` or `SpoolDamaged`."""
    start = len(MAGIC) + 1
    if data[: len(MAGIC)] != MAGIC or len(data) < start:
        raise SpoolDamaged("does not start as a segment of a spool does")
    if data[len(MAGIC)] != VERSION:
        raise SpoolTooNew(f"has format {data[len(MAGIC)]}, and this version knows {VERSION}")
    blank = Header("", "", 0, 0, 0)
    frame = read_frame(data, start, blank)
    if frame is None or frame.kind != Kind.HEADER:
        raise SpoolDamaged("has no header")
    try:
        return msgspec.json.decode(data[frame.start : frame.end], type=Header), frame.end
    except msgspec.DecodeError as error:
        raise SpoolDamaged(f"has no header: {error}") from error


def read_frame(data: bytes, offset: int, header: Header) -> Frame | None:
    """The frame at `offset`; None unless a whole one with a right checksum is there."""
    start = offset + _FRAME.size
    if start > len(data):
        return None
    length, crc, kind, sequence, instant_ms, boot_ms = _FRAME.unpack_from(data, offset)
    end = start + length
    if length > MAX_BODY_BYTES or end > len(data) or kind > Kind.PLAIN:
        return None
    if zlib.crc32(memoryview(data)[offset + _CRC_FROM : end]) != crc:
        return None
    return Frame(kind, header.sequence + sequence, instant_ms, header.boot_ms + boot_ms, start, end)


def read_frames(data: bytes, offset: int, header: Header) -> Iterator[Frame]:
    """Frames from `offset` up to the first that is none."""
    while (frame := read_frame(data, offset, header)) is not None:
        yield frame
        offset = frame.end


def find_frames(data: bytes, offset: int, header: Header) -> Iterator[Frame]:
    """Whole frames anywhere after `offset`, behind what is damaged."""
    while offset + _FRAME.size <= len(data):
        frame = read_frame(data, offset, header)
        if frame is None:
            offset += 1
        else:
            yield frame
            offset = frame.end


def decode_ranges(body: bytes) -> list[Range]:
    """Raise `SpoolDamaged`."""
    try:
        return [(first, last) for first, last in msgspec.json.decode(body, type=list[Range]) if 0 <= first <= last]
    except msgspec.DecodeError as error:
        raise SpoolDamaged(str(error)) from error


class Deflater:
    """Compresses one record after the other, each readable as soon as it is there."""

    def __init__(self, record_bytes: int) -> None:
        """For records of about that size."""
        bits = min(max((_RECORDS_IN_WINDOW * record_bytes).bit_length(), _LEAST_WINDOW_BITS), _WINDOW_BITS)
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -bits, bits - 7)

    def deflate(self, data: bytes) -> bytes:
        return (self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_FLUSH_END)


class Inflater:
    """The other way; it must see every record of a segment from the first on."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-_WINDOW_BITS)

    def inflate(self, body: bytes) -> bytes:
        """Raise `SpoolDamaged`."""
        try:
            data = self._stream.decompress(body + _FLUSH_END, MAX_BODY_BYTES)
        except zlib.error as error:
            raise SpoolDamaged(str(error)) from error
        if self._stream.unconsumed_tail:
            raise SpoolDamaged("a record is larger than any can be")
        return data


def _u32(number: int) -> int:
    return min(max(number, 0), _LARGEST_U32)
