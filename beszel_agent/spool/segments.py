"""The files of a spool: one being written, those before it full and waiting to be stored."""

import os
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from beszel_agent.errors import SpoolDamaged
from beszel_agent.spool.frames import (
    MAX_BODY_BYTES,
    RECORDS,
    Deflater,
    Frame,
    Header,
    Inflater,
    Kind,
    decode_head,
    decode_ranges,
    encode_frame,
    encode_head,
    find_frames,
    read_frame,
    read_frames,
)
from beszel_protocol.messages import Range

SUFFIX: Final = ".segment"
_MAX_FILE_BYTES: Final = 8 << 20
_PRIVATE_FILE: Final = 0o600
_PIECE_BYTES: Final = 64 << 10


class Segment(msgspec.Struct, kw_only=True):
    """What is known of a segment without reading it."""

    path: Path
    header: Header
    last: int
    """The highest sequence in it; below `first` while it has none."""
    last_instant_ms: int
    last_boot_ms: int
    size_bytes: int
    records: int = 0
    shift_ms: int = 0
    """What makes its CLOCK_BOOTTIME comparable with that of this boot; the time while the host was off counts nothing,
    as no clock can be trusted to tell it."""

    @property
    def first(self) -> int:
        return self.header.sequence

    def note(self, kind: int, sequence: int, instant_ms: int, boot_ms: int) -> None:
        """A frame was added."""
        if kind in RECORDS:
            self.last, self.last_boot_ms = sequence, boot_ms
            self.records += 1
            if kind != Kind.GAP:
                self.last_instant_ms = instant_ms


class Scan(NamedTuple):
    """What a segment turned out to hold."""

    segment: Segment
    stored: list[Range]
    holes: list[Range]
    """Sequences between its first and last that it never held."""
    lost: Frame | None
    """The last frame behind damage: everything from the end of `segment` up to it is lost."""
    is_torn: bool
    """Whether there is more in the file than whole frames."""


def segment_path(directory: Path, sequence: int) -> Path:
    return directory / f"{sequence:016d}{SUFFIX}"


def read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_FILE_BYTES)


def scan_segment(path: Path) -> Scan:
    """Raise OSError, `SpoolDamaged` or `SpoolTooNew`."""
    data = read_file(path)
    header, offset = decode_head(data)
    segment = Segment(
        path=path, header=header, last=header.sequence - 1, last_instant_ms=header.instant_ms,
        last_boot_ms=header.boot_ms, size_bytes=offset,
    )  # fmt: skip
    stored: list[Range] = []
    holes: list[Range] = []
    for frame in read_frames(data, offset, header):
        if frame.kind == Kind.STORED:
            stored.extend(decode_ranges(data[frame.start : frame.end]))
        elif frame.sequence <= segment.last:
            break
        elif frame.sequence > segment.last + 1:
            holes.append((segment.last + 1, frame.sequence - 1))
        segment.note(frame.kind, frame.sequence, frame.instant_ms, frame.boot_ms)
        segment.size_bytes = frame.end
    lost = None
    for frame in find_frames(data, segment.size_bytes, header):
        if frame.kind in RECORDS and frame.sequence > segment.last:
            lost = frame
    return Scan(segment, stored, holes, lost, len(data) > segment.size_bytes)


class SegmentWriter:
    """Appends to one segment. Whatever cannot be written raises OSError and leaves whole frames behind."""

    def __init__(self, segment: Segment, descriptor: int) -> None:
        self.segment = segment
        self.descriptor = descriptor
        self._deflater: Deflater | None = None
        self._size_bytes = segment.size_bytes

    @classmethod
    def create(cls, directory: Path, header: Header) -> "SegmentWriter":
        path = segment_path(directory, header.sequence)
        head = encode_head(header)
        # A file of that name can only be what was left of a segment that never got a record.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE_FILE)
        segment = Segment(
            path=path, header=header, last=header.sequence - 1, last_instant_ms=header.instant_ms,
            last_boot_ms=header.boot_ms, size_bytes=0,
        )  # fmt: skip
        writer = cls(segment, descriptor)
        try:
            writer.write(head)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return writer

    @classmethod
    def reopen(cls, segment: Segment) -> "SegmentWriter":
        """Go on where `segment` ends; what lies behind is cut off."""
        descriptor = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, segment.size_bytes)
            os.lseek(descriptor, segment.size_bytes, os.SEEK_SET)
        except OSError:
            os.close(descriptor)
            raise
        return cls(segment, descriptor)

    def encode(self, kind: Kind, sequence: int, instant_ms: int, boot_ms: int, data: bytes) -> bytes:
        """The frame of the record that comes next. Frames must be written in the order in which they were encoded."""
        if kind == Kind.PLAIN:
            body = data
        else:
            self._deflater = self._deflater or Deflater(len(data))
            body = self._deflater.deflate(data)
        return encode_frame(kind, body, self.segment.header, sequence=sequence, instant_ms=instant_ms, boot_ms=boot_ms)

    def encode_stored(self, ranges: list[Range]) -> bytes:
        return encode_frame(Kind.STORED, msgspec.json.encode(ranges), self.segment.header)

    def write(self, frame: bytes) -> None:
        rest = memoryview(frame)
        try:
            while rest:
                # What was written in part is tried again: the second try says why there is no room for more.
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError:
            if len(rest) < len(frame):
                os.ftruncate(self.descriptor, self._size_bytes)
            raise
        self._size_bytes += len(frame)
        self.segment.size_bytes = self._size_bytes

    def close(self) -> None:
        os.close(self.descriptor)


class SegmentReader:
    """Inflates the records of one segment in their order; it may still be written to."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self._inflater = Inflater()
        self._data = b""
        self._data_offset = 0
        self._offset = 0
        self._current: tuple[int, bytes] | None = None
        self.position = segment.first
        """No record below this sequence is to come any more."""
        self._descriptor: int | None = None
        self._descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)

    def peek(self) -> tuple[int, bytes] | None:
        """The sequence and the data of the next record, None at the end. Raise OSError or `SpoolDamaged`."""
        while self._current is None and self._offset < self.segment.size_bytes:
            frame = self._next_frame()
            self._offset = self._data_offset + frame.end
            if frame.kind in RECORDS:
                body = self._data[frame.start : frame.end]
                self._current = frame.sequence, body if frame.kind == Kind.PLAIN else self._inflater.inflate(body)
                self.position = frame.sequence
        return self._current

    def advance(self) -> None:
        if self._current is not None:
            self.position = self._current[0] + 1
            self._current = None

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.close()

    def _next_frame(self) -> Frame:
        if self._offset == 0:
            self._fill(_PIECE_BYTES)
            _, self._offset = decode_head(self._data)
        frame = read_frame(self._data, self._offset - self._data_offset, self.segment.header)
        if frame is None:
            self._fill(_PIECE_BYTES)
            frame = read_frame(self._data, 0, self.segment.header)
        if frame is None:
            self._fill(_PIECE_BYTES + MAX_BODY_BYTES)
            frame = read_frame(self._data, 0, self.segment.header)
        if frame is None:
            raise SpoolDamaged(f"{self.segment.path} was changed by somebody else")
        return frame

    def _fill(self, size: int) -> None:
        if self._descriptor is None:
            raise SpoolDamaged(f"{self.segment.path} is closed")
        self._data = os.pread(self._descriptor, min(size, self.segment.size_bytes - self._offset), self._offset)
        self._data_offset = self._offset
