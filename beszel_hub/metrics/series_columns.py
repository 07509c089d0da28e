"""Columns: one leaf of many samples, packed by what its values have in common.

A list of readings is a list of `Scalar | Absent`. Whole numbers, and decimals of a few places, are kept as differences
in the smallest width that holds them; other numbers as doubles; anything else as an index into its distinct values.
Packing loses nothing: an integer stays an integer and a float a float.
"""

import enum
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate, compress, repeat
from operator import mul, truediv
from typing import Final, NamedTuple, TypeAlias

import msgspec

from beszel_hub.metrics.vectors import pack_walk, unpack_walk

Scalar: TypeAlias = int | float | str | bool | list[object] | dict[str, object] | None
"""A JSON value without further leaves: empty lists and objects count as such."""


class Absent(enum.Enum):
    """The sample has no such leaf; None is a value of its own."""

    ABSENT = enum.auto()


ABSENT: Final = Absent.ABSENT

MAX_READINGS: Final = 4096
"""Of one column."""
_LARGEST_EXACT: Final = 2**53
MAX_PLACES: Final = 3
_TRIED: Final = 16
_VECTOR: Final = "v"
_CONSTANT: Final = "c"
_WIDTHS: Final = (("b", 2**7), ("h", 2**15), ("i", 2**31), ("q", 2**63))
_LITTLE_ENDIAN: Final = sys.byteorder == "little"
_encoder: Final = msgspec.msgpack.Encoder()


class ColumnError(ValueError):
    """The bytes are no column."""


class Kind(enum.IntEnum):
    INTEGER = 0
    DECIMAL = 1
    DOUBLE = 2
    OTHER = 3


class Column(msgspec.Struct, frozen=True, array_like=True):
    """`present` is a bit map over the samples, lowest bit first, empty if every sample has the leaf."""

    kind: int
    code: str
    """Of `array`: how wide the numbers in `data` are; `v` for a vector (see `vectors`), `c` for one of a single number
    that stands for all."""
    places: int
    present: bytes
    data: bytes
    distinct: bytes = b""
    """For `OTHER`: the values that `data` points into."""
    size: int = 0
    """Of a vector: how many numbers there are."""


class Numbers(NamedTuple):
    """The numbers of a column: whole, `10 ** places` times what was read, or doubles if `places` is None."""

    values: list[int] | list[float]
    places: int | None
    indices: list[int] | None
    """The samples that have them; None if all have."""


def pack_column(readings: Sequence[Scalar | Absent]) -> Column:
    kinds = set(map(type, readings))
    present = _pack_bits(readings) if Absent in kinds else b""
    values = [reading for reading in readings if reading is not ABSENT]
    kinds.discard(Absent)
    if kinds == {int}:
        integers: list[int] = values  # type: ignore[assignment]
        if min(integers) >= -_LARGEST_EXACT and max(integers) <= _LARGEST_EXACT:
            return _pack_integers(Kind.INTEGER, integers, 0, present)
    elif kinds == {float}:
        return _pack_floats(values, present)  # type: ignore[arg-type]
    return _pack_distinct(values, present, are_texts=kinds == {str})


def unpack_column(column: Column, count: int) -> list[Scalar | Absent]:
    """The readings of `count` samples; raise `ColumnError` if the column holds another number of them."""
    try:
        values = _unpack_values(column)
    except (ValueError, IndexError, TypeError, msgspec.DecodeError) as error:
        raise ColumnError(str(error)) from error
    if not column.present:
        if len(values) != count:
            raise ColumnError(f"{count} readings expected, {len(values)} found")
        return values
    return _spread(values, column.present, count)


def unpack_numbers(column: Column, count: int) -> Numbers:
    """The numbers among the readings of `count` samples; raise `ColumnError` as `unpack_column` does."""
    if column.kind not in {Kind.INTEGER, Kind.DECIMAL}:
        return _find_numbers(unpack_column(column, count))
    try:
        values = _unpack_integers(column)
    except (ValueError, IndexError, TypeError) as error:
        raise ColumnError(str(error)) from error
    places = column.places if column.kind == Kind.DECIMAL else 0
    if not column.present:
        if len(values) != count:
            raise ColumnError(f"{count} readings expected, {len(values)} found")
        return Numbers(values, places, None)
    bits = int.from_bytes(column.present, "little")
    if bits.bit_count() != len(values) or bits.bit_length() > count:
        raise ColumnError(f"{bits.bit_count()} readings expected, {len(values)} found")
    return Numbers(values, places, [index for index in range(count) if bits >> index & 1])


def _find_numbers(readings: list[Scalar | Absent]) -> Numbers:
    indices = [
        index for index, value in enumerate(readings) if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    values = [float(readings[index]) for index in indices]  # type: ignore[arg-type]
    return Numbers(values, None, None if len(values) == len(readings) else indices)


def _pack_floats(values: list[float], present: bytes) -> Column:
    largest = max(map(abs, values), default=0.0)
    for places in range(MAX_PLACES + 1):
        factor = 10**places
        if not largest * factor <= _LARGEST_EXACT:
            break
        # Some values tell soon that there are more places than these.
        if _scaled(values[:_TRIED], factor) is None:
            continue
        scaled = _scaled_all(values, factor)
        if scaled is not None:
            return _pack_integers(Kind.DECIMAL, scaled, places, present)
    return Column(Kind.DOUBLE, "d", 0, present, _to_bytes(array("d", values)))


def _scaled_all(values: list[float], factor: int) -> list[int] | None:
    if values[0] != 0 and values.count(values[0]) == len(values):
        first = _scaled(values[:1], factor)
        return None if first is None else first * len(values)
    return _scaled(values, factor)


def _scaled(values: list[float], factor: int) -> list[int] | None:
    """`factor` times the values, if dividing gives back these very floats; a negative zero would lose its sign."""
    scaled = list(map(round, map(mul, values, repeat(factor))))
    is_exact = list(map(truediv, scaled, repeat(factor))) == values and not _has_negative_zero(values, scaled)
    return scaled if is_exact else None


def _pack_integers(kind: Kind, values: list[int], places: int, present: bytes) -> Column:
    if values.count(values[0]) == len(values):  # as most columns of a quiet host are
        return Column(kind, _CONSTANT, places, present, pack_walk(values[:1]), size=len(values))
    return Column(kind, _VECTOR, places, present, pack_walk(values), size=len(values))


def _has_negative_zero(values: list[float], scaled: list[int]) -> bool:
    return "-0.0" in map(str, compress(values, map((0).__eq__, scaled)))


def _pack_distinct(values: Sequence[Scalar | Absent], present: bytes, *, are_texts: bool) -> Column:
    # Other values are told apart by how they are written: 1 is not 1.0, and lists cannot be keys.
    keys: Sequence[object] = values if are_texts else [_encoder.encode(value) for value in values]
    index_of = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    indices = list(map(index_of.__getitem__, keys))
    code = _narrowest(indices)
    distinct = _encoder.encode([msgspec.Raw(key) if isinstance(key, bytes) else key for key in index_of])
    return Column(Kind.OTHER, code, 0, present, _to_bytes(array(code, indices)), distinct)


def _narrowest(values: Sequence[int]) -> str:
    low, high = min(values, default=0), max(values, default=0)
    return next(code for code, limit in _WIDTHS if -limit <= low and high < limit)


def _unpack_values(column: Column) -> list[Scalar | Absent]:
    match column.kind:
        case Kind.INTEGER:
            return [*_unpack_integers(column)]
        case Kind.DECIMAL:
            return [*map(truediv, _unpack_integers(column), repeat(10**column.places))]
        case Kind.DOUBLE:
            return [*_unpack_array(column)]
        case Kind.OTHER:
            distinct: list[Scalar] = msgspec.msgpack.decode(column.distinct)
            numbers = _unpack_array(column)
            if numbers and min(numbers) < 0:
                raise ColumnError("an index below zero")
            return list(map(distinct.__getitem__, numbers))  # type: ignore[arg-type]  # a double is refused as an index
        case _:
            raise ColumnError(f"an unknown kind of column: {column.kind}")


def _unpack_integers(column: Column) -> list[int]:
    if not 0 <= column.places <= MAX_PLACES:
        raise ColumnError("an impossible number of places")
    if column.code not in {_VECTOR, _CONSTANT}:
        return list(accumulate(int(difference) for difference in _unpack_array(column)))
    if not 0 <= column.size <= MAX_READINGS:
        raise ColumnError("an impossible number of readings")
    if column.code == _CONSTANT:
        return unpack_walk(column.data, 1) * column.size
    return unpack_walk(column.data, column.size)


def _unpack_array(column: Column) -> "array[int] | array[float]":
    if column.code not in {"b", "h", "i", "q", "d"}:
        raise ColumnError("an unknown width of numbers")
    numbers: array[int] | array[float] = array(column.code)
    numbers.frombytes(column.data)
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    return numbers


def _pack_bits(readings: Sequence[Scalar | Absent]) -> bytes:
    bits = 0
    for index, reading in enumerate(readings):
        if reading is not ABSENT:
            bits |= 1 << index
    return bits.to_bytes((len(readings) + 7) // 8, "little")


def _spread(values: list[Scalar | Absent], present: bytes, count: int) -> list[Scalar | Absent]:
    bits = int.from_bytes(present, "little")
    if bits.bit_count() != len(values) or bits.bit_length() > count:
        raise ColumnError(f"{bits.bit_count()} readings expected, {len(values)} found")
    following = iter(values)
    return [next(following) if bits >> index & 1 else ABSENT for index in range(count)]


def _to_bytes(numbers: "array[int] | array[float]") -> bytes:
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    return numbers.tobytes()
