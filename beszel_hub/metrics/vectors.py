"""Whole numbers in bytes: as narrow as they allow, and laid out so that a compressor finds what they share.

A vector is one byte that says how wide its numbers are, then their bytes in planes: all lowest bytes, then all second
ones, and so on. The high bytes of small differences are alike, and planes put them side by side. A divisor that all
share (memory comes in pages, disks in sectors) is written once. A vector of zeros has no bytes at all. Pure.
"""

import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub
from typing import Final

_SIGNED: Final = 0x10
"""Set where numbers below zero are among them: then the lowest bit holds the sign."""
_DIVIDED: Final = 0x20
"""Set where the numbers were divided by a number of eight bytes, which follows."""
_DIVISOR_BYTES: Final = 8
_CODES: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_LITTLE_ENDIAN: Final = sys.byteorder == "little"

LIMIT: Final = 2**62
"""Every number lies between minus this and this."""


class VectorError(ValueError):
    """The bytes are no vector of that many numbers."""


def pack_vector(values: Sequence[int]) -> bytes:
    """Raise OverflowError if a number lies beyond `LIMIT`."""
    low, high = min(values, default=0), max(values, default=0)
    if low == high == 0:
        return b""
    if low <= -LIMIT or high >= LIMIT:
        raise OverflowError("numbers of more than 62 bits")
    flags, head = 0, b""
    divisor = math.gcd(*values)
    if divisor > 1:
        flags, head = _DIVIDED, divisor.to_bytes(_DIVISOR_BYTES, "little")
        values = [value // divisor for value in values]
        low, high = low // divisor, high // divisor
    if low < 0:
        flags |= _SIGNED
        values = [value << 1 if value >= 0 else ~(value << 1) for value in values]
        high = max(high << 1, ~(low << 1))
    width = next(width for width in _CODES if high < 1 << (8 * width))
    return bytes((width | flags,)) + head + _to_planes(array(_CODES[width], values), width)


def unpack_vector(data: bytes, count: int) -> list[int]:
    """Raise `VectorError` if `data` is not a vector of `count` numbers."""
    if not data:
        return [0] * count
    width = data[0] & ~(_SIGNED | _DIVIDED)
    start = 1 + _DIVISOR_BYTES if data[0] & _DIVIDED else 1
    if width not in _CODES or len(data) != start + width * count:
        raise VectorError(f"not a vector of {count} numbers")
    values = _from_planes(data[start:], width).tolist()
    if data[0] & _SIGNED:
        values = [(value >> 1) ^ -(value & 1) for value in values]
    if data[0] & _DIVIDED:
        divisor = int.from_bytes(data[1:start], "little")
        values = [value * divisor for value in values]
    return values


def pack_walk(values: Sequence[int]) -> bytes:
    """Numbers of which each is near the one before."""
    return pack_vector(list(map(sub, values, (0, *values))))


def unpack_walk(data: bytes, count: int) -> list[int]:
    return list(accumulate(unpack_vector(data, count)))


def pack_doubles(values: Iterable[float]) -> bytes:
    return _to_planes(array("d", values), 8)


def unpack_doubles(data: bytes, count: int) -> list[float]:
    if len(data) != 8 * count:
        raise VectorError(f"not {count} doubles")
    numbers = array("d")
    numbers.frombytes(_interleave(data, 8))
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    return numbers.tolist()


def _to_planes(numbers: "array[int] | array[float]", width: int) -> bytes:
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    flat = numbers.tobytes()
    return flat if width == 1 else b"".join(flat[plane::width] for plane in range(width))


def _from_planes(planes: bytes, width: int) -> "array[int]":
    numbers = array(_CODES[width])
    numbers.frombytes(planes if width == 1 else _interleave(planes, width))
    if not _LITTLE_ENDIAN:
        numbers.byteswap()
    return numbers


def _interleave(planes: bytes, width: int) -> bytes:
    count = len(planes) // width
    flat = bytearray(len(planes))
    for plane in range(width):
        flat[plane::width] = planes[plane * count : (plane + 1) * count]
    return bytes(flat)
