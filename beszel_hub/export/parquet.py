"""Parquet files of readings: flat columns without gaps, plain encoding, one zstd page a column and row group.

The format is apache/parquet-format 2.9 (`parquet.thrift`, `Encodings.md`); field ids and enumerators are from there.
Rows are gathered until a row group is full, so that memory does not grow with the file.
"""

import struct
import sys
from array import array
from typing import Final

import msgspec
import zstandard

from beszel_hub.export.pages import Moment
from beszel_hub.export.plan import Source
from beszel_hub.export.thrift import I32, Encoded, Struct, Value, encode, make_struct
from beszel_protocol.version import VERSION

ROW_GROUP_ROWS: Final = 65_536
_MAGIC: Final = b"PAR1"
_FORMAT_VERSION: Final = I32(1)

_INT64: Final = I32(2)
_DOUBLE: Final = I32(5)
_BYTE_ARRAY: Final = I32(6)
_REQUIRED: Final = I32(0)
_PLAIN: Final = I32(0)
_RLE: Final = I32(3)
_ZSTD: Final = I32(6)
_DATA_PAGE: Final = I32(0)
_UTF8: Final = I32(0)
_TIMESTAMP_MILLIS: Final = I32(9)

_STRING_TYPE: Final = make_struct((1, make_struct()))
_INSTANT_TYPE: Final = make_struct((8, make_struct((1, True), (2, make_struct((1, make_struct()))))))


class _Column:
    """The readings of one column that wait for their row group."""

    def __init__(self, name: str, kind: I32, converted: I32 | None = None, logical: Struct | None = None) -> None:
        self.name = name
        self.kind = kind
        self._annotations = (converted, logical)
        self._texts = bytearray()
        self._numbers: array[float] = array("d" if kind is _DOUBLE else "q")

    @property
    def schema(self) -> Struct:
        converted, logical = self._annotations
        fields: list[tuple[int, Value]] = [(1, self.kind), (3, _REQUIRED), (4, self.name)]
        if converted is not None and logical is not None:
            fields += [(6, converted), (10, logical)]
        return Struct(tuple(fields))

    def add_text(self, encoded: bytes) -> None:
        """`encoded` is what `_length_prefixed` gives."""
        self._texts += encoded

    def add_number(self, number: float) -> None:
        self._numbers.append(number)

    def take(self) -> bytes:
        """The plain encoding of what waits, which is gone then."""
        if self.kind is _BYTE_ARRAY:
            taken = bytes(self._texts)
            self._texts.clear()
            return taken
        if sys.byteorder == "big":
            self._numbers.byteswap()
        taken = self._numbers.tobytes()
        del self._numbers[:]
        return taken


class _Chunk(msgspec.Struct, frozen=True):
    """Where a column of a row group lies."""

    column: _Column
    offset: int
    inflated_bytes: int
    stored_bytes: int


class ParquetWriter:
    """One file; nothing of it can be read before its end is written."""

    media_type = "application/vnd.apache.parquet"

    def __init__(self, *, in_buckets: bool, row_group_rows: int = ROW_GROUP_ROWS) -> None:
        self._timestamp = _Column("timestamp", _INT64, _TIMESTAMP_MILLIS, _INSTANT_TYPE)
        self._system = _Column("system", _BYTE_ARRAY, _UTF8, _STRING_TYPE)
        self._name = _Column("name", _BYTE_ARRAY, _UTF8, _STRING_TYPE)
        self._metric = _Column("metric", _BYTE_ARRAY, _UTF8, _STRING_TYPE)
        self._value = _Column("value", _DOUBLE)
        self._minimum = _Column("minimum", _DOUBLE)
        self._maximum = _Column("maximum", _DOUBLE)
        self._samples = _Column("samples", _INT64)
        self._columns = [self._timestamp, self._system, self._name, self._metric, self._value]
        if in_buckets:
            self._columns += [self._minimum, self._maximum, self._samples]
        self._in_buckets = in_buckets
        self._row_group_rows = row_group_rows
        self._waiting_rows = 0
        self._offset = 0
        self._rows = 0
        self._row_groups: list[Encoded] = []
        self._compressor = zstandard.ZstdCompressor(level=3)

    def begin(self) -> bytes:
        self._offset = len(_MAGIC)
        return _MAGIC

    def write(self, source: Source, moments: list[Moment]) -> bytes:
        """Take readings, and return the row groups that they have filled."""
        written = b""
        system, name = _length_prefixed(source.system_id), _length_prefixed(source.name)
        for moment in moments:
            self._add(moment, system, name)
            if self._waiting_rows >= self._row_group_rows:
                written += self._close_row_group()
        return written

    def end(self) -> bytes:
        """The last row group and the file's directory."""
        rest = self._close_row_group() if self._waiting_rows else b""
        root = make_struct((4, "readings"), (5, I32(len(self._columns))))
        metadata = encode(
            make_struct(
                (1, _FORMAT_VERSION),
                (2, [root, *(column.schema for column in self._columns)]),
                (3, self._rows),
                (4, self._row_groups),
                (6, f"beszel-suite version {VERSION}"),
            )
        )
        return rest + metadata + struct.pack("<I", len(metadata)) + _MAGIC

    def _add(self, moment: Moment, system: bytes, name: bytes) -> None:
        for reading in moment.readings:
            self._timestamp.add_number(moment.instant_ms)
            self._system.add_text(system)
            self._name.add_text(name)
            self._metric.add_text(_length_prefixed(reading.metric))
            self._value.add_number(reading.value)
            if self._in_buckets:
                self._minimum.add_number(reading.least)
                self._maximum.add_number(reading.greatest)
                self._samples.add_number(reading.samples)
        self._waiting_rows += len(moment.readings)

    def _close_row_group(self) -> bytes:
        start = self._offset
        pages: list[bytes] = []
        chunks: list[_Chunk] = []
        for column in self._columns:
            page, inflated_bytes = self._page(column)
            chunks.append(_Chunk(column, self._offset, inflated_bytes, len(page)))
            pages.append(page)
            self._offset += len(page)
        rows, self._waiting_rows = self._waiting_rows, 0
        self._rows += rows
        inflated = sum(chunk.inflated_bytes for chunk in chunks)
        described = [_column_chunk(chunk, rows) for chunk in chunks]
        self._row_groups.append(Encoded(encode(make_struct((1, described), (2, inflated), (3, rows), (5, start)))))
        return b"".join(pages)

    def _page(self, column: _Column) -> tuple[bytes, int]:
        """A data page with its header, and how many bytes it would be without compression."""
        plain = column.take()
        packed = self._compressor.compress(plain)
        rows = make_struct((1, I32(self._waiting_rows)), (2, _PLAIN), (3, _RLE), (4, _RLE))
        header = encode(make_struct((1, _DATA_PAGE), (2, I32(len(plain))), (3, I32(len(packed))), (5, rows)))
        return header + packed, len(header) + len(plain)


def _column_chunk(chunk: _Chunk, rows: int) -> Struct:
    metadata = make_struct(
        (1, chunk.column.kind), (2, [_PLAIN]), (3, [chunk.column.name]), (4, _ZSTD), (5, rows),
        (6, chunk.inflated_bytes), (7, chunk.stored_bytes), (9, chunk.offset),
    )  # fmt: skip
    return make_struct((2, chunk.offset), (3, metadata))


def _length_prefixed(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded
