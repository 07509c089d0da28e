"""As much of Thrift's compact protocol as a Parquet file's metadata takes (apache/thrift `thrift-compact-protocol.md`).

A struct is a sequence of `(field id, value)` in the order of the ids; the kind of a value follows from its Python type.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

_TRUE: Final = 1
_FALSE: Final = 2
_I32: Final = 5
_I64: Final = 6
_BINARY: Final = 8
_LIST: Final = 9
_STRUCT: Final = 12
_LONG_LIST: Final = 15
_STOP: Final = b"\0"


class I32(msgspec.Struct, frozen=True):
    """An integer of 32 bits, or an enumerator; plain `int` is one of 64."""

    value: int


class Encoded(msgspec.Struct, frozen=True):
    """A struct that is encoded already."""

    data: bytes


Value: TypeAlias = "bool | int | I32 | str | Sequence[Value] | Struct | Encoded"


class Struct(msgspec.Struct, frozen=True):
    fields: tuple[tuple[int, Value], ...] = ()


def make_struct(*fields: tuple[int, Value]) -> Struct:
    return Struct(fields)


def encode(value: Struct) -> bytes:
    return b"".join(_fields(value))


def varint(number: int) -> bytes:
    """Seven bits a byte, lowest first; `number` is not negative."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _fields(value: Struct) -> Iterator[bytes]:
    previous = 0
    for field_id, item in value.fields:
        kind = _kind(item)
        if isinstance(item, bool):
            kind = _TRUE if item else _FALSE
        distance = field_id - previous
        yield struct.pack("B", distance << 4 | kind) if distance <= 15 else struct.pack("B", kind) + _zigzag(field_id)
        if not isinstance(item, bool):
            yield _body(item)
        previous = field_id
    yield _STOP


def _body(value: Value) -> bytes:
    if isinstance(value, Encoded):
        return value.data
    if isinstance(value, Struct):
        return encode(value)
    if isinstance(value, str):
        text = value.encode()
        return varint(len(text)) + text
    if isinstance(value, I32):
        return _zigzag(value.value)
    if isinstance(value, int):
        return _zigzag(value)
    return _list_head(value) + b"".join(map(_body, value))


def _list_head(values: Sequence[Value]) -> bytes:
    kind = _kind(values[0]) if values else _STRUCT
    if len(values) < _LONG_LIST:
        return struct.pack("B", len(values) << 4 | kind)
    return struct.pack("B", _LONG_LIST << 4 | kind) + varint(len(values))


def _kind(value: Value) -> int:
    if isinstance(value, Struct | Encoded):
        return _STRUCT
    if isinstance(value, str):
        return _BINARY
    if isinstance(value, I32):
        return _I32
    return _I64 if isinstance(value, int) else _LIST


def _zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)
