"""CSV and JSON lines: one line a reading, and each line says where an export may go on after it."""

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from beszel_hub.export.pages import Moment
from beszel_hub.export.plan import Position, Source
from beszel_protocol.timestamps import format_timestamp, parse_timestamp

COLUMNS: Final = ("timestamp", "system", "name", "metric", "value")
BUCKET_COLUMNS: Final = ("minimum", "maximum", "samples")
"""Further ones, where readings are gathered into buckets."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_encoder: Final = msgspec.json.Encoder()
_EXACT: Final = 2.0**53
_Row = tuple[Any, ...]


class CsvWriter:
    """RFC 4180, with a heading unless an earlier export goes on."""

    media_type = "text/csv; charset=utf-8; header=present"

    def __init__(self, *, in_buckets: bool, has_heading: bool = True) -> None:
        self._in_buckets = in_buckets
        self._has_heading = has_heading

    def begin(self) -> bytes:
        columns = (*COLUMNS, *BUCKET_COLUMNS) if self._in_buckets else COLUMNS
        return _csv([columns]) if self._has_heading else b""

    def write(self, source: Source, moments: list[Moment]) -> bytes:
        named = source._replace(name=_harmless(source.name))
        return _csv(_rows(named, moments, in_buckets=self._in_buckets))

    def end(self) -> bytes:
        return b""


class JsonLinesWriter:
    """One object a line."""

    media_type = "application/jsonl"

    def __init__(self, *, in_buckets: bool) -> None:
        self._in_buckets = in_buckets
        self._columns = (*COLUMNS, *BUCKET_COLUMNS) if in_buckets else COLUMNS

    def begin(self) -> bytes:
        return b""

    def write(self, source: Source, moments: list[Moment]) -> bytes:
        rows = _rows(source, moments, in_buckets=self._in_buckets)
        return _encoder.encode_lines([dict(zip(self._columns, row, strict=True)) for row in rows])

    def end(self) -> bytes:
        return b""


def position_of_line(line: bytes) -> Position:
    """After which reading an export goes on whose last whole line this is; raise ValueError if it is none of ours."""
    if line.startswith(b"{"):
        try:
            document = msgspec.json.decode(line, type=dict[str, Any])
            fields = [str(document[name]) for name in COLUMNS[:4]]
        except (msgspec.DecodeError, KeyError) as error:
            raise ValueError("not a line of an export") from error
    else:
        fields = next(csv.reader([line.decode().rstrip("\r\n")]), [])
        if len(fields) < len(COLUMNS):
            raise ValueError("not a line of an export")
    return Position(fields[1], parse_timestamp(fields[0]), fields[3])


def _rows(source: Source, moments: list[Moment], *, in_buckets: bool) -> Iterator[_Row]:
    for instant_ms, readings in moments:
        timestamp = format_timestamp(instant_ms)
        for reading in readings:
            row = (timestamp, source.system_id, source.name, reading.metric, _number(reading.value))
            yield (*row, _number(reading.least), _number(reading.greatest), reading.samples) if in_buckets else row


def _number(value: float) -> float:
    """A whole number is written as one: history keeps it so once it is sealed, and an export may go on after that."""
    return int(value) if abs(value) < _EXACT and value == int(value) else value


def _csv(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _harmless(name: str) -> str:
    """A spreadsheet takes a cell that begins like a formula for one, whoever chose the name of a system."""
    return f"'{name}" if name.startswith(_FORMULA_STARTS) else name
